# What the steps of the pipelines and the git mirror run in: git, ssh, python and jq beside node.
ARG BASE
FROM ${BASE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends bash ca-certificates git jq openssh-client python3 \
    && rm -rf /var/lib/apt/lists/*
USER 1000:1000
