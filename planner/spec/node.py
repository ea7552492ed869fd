"""A node: one cluster and what the control plane keeps there for all lanes."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from planner.spec.base import (
    Branch,
    ClientId,
    Count,
    Duration,
    Flag,
    HttpUrl,
    InnerPath,
    Name,
    RegistryHost,
    ScrapeTarget,
    Sha256,
    StrictModel,
    Text,
    Values,
)
from planner.spec.git import GitMirror
from planner.spec.images import ImageRewrite, NodeRegistryImage, RegistryConfig
from planner.spec.namespaces_proxies_storage import EgressProxy, Namespace
from planner.spec.secrets import SecretRule


class PinnedManifest(StrictModel):
    """A manifest that others publish, pinned by digest."""

    url: HttpUrl | None = Field(None, description="Where it is published; fetched when planning.")
    file: InnerPath | None = Field(None, description="Local copy, relative to the configuration folder.")
    sha256: Sha256 | None = Field(None, description="Digest of the bytes. Needed before it is installed.")


class ManifestInstall(StrictModel):
    """Software installed from a published manifest: Argo CD, Tekton."""

    version: Text = Field(description="Version, as published.")
    manifest: PinnedManifest = Field(description="The manifest.")
    managed: Flag = Field(
        False, description="Whether hwplan installs it. Needs the sha256 of the manifest, and its `file` or `url`."
    )
    images: tuple[ImageRewrite, ...] = Field((), description="Images that come from somewhere else on this node.")
    crds: tuple[Text, ...] = Field((), description="CustomResourceDefinitions that have to be established.")
    workloads: tuple[Text, ...] = Field(
        (), description="Workloads that have to be ready: `deployment/argocd-repo-server`."
    )


class ArgoInstall(ManifestInstall):
    """The installation of Argo CD on a node."""

    namespace: Name = Field("argocd", description="Its namespace.")
    destination: HttpUrl = Field("https://kubernetes.default.svc", description="API server as Argo CD names it.")
    stuck_after: Duration = Field(
        "10m", description="A sync that runs longer, while no hook of it runs, is stuck: `hwplan sync` terminates it."
    )


class TektonInstall(ManifestInstall):
    """The installation of Tekton on a node."""

    namespace: Name = Field("tekton-pipelines", description="Its namespace.")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error:
        raise ValueError("this is no regular expression") from None
    return text


class BenchmarkPhaseConfig(StrictModel):
    """A phase of a benchmark in the configuration: the tasks and steps whose times make it up."""

    tasks: tuple[Text, ...] = Field(min_length=1, description="Globs of tasks of the pipeline.")
    steps: tuple[Text, ...] = Field((), description="Globs of their steps; the whole tasks when left out.")


class BenchmarkFailureFamilyRule(StrictModel):
    """The rule of a family of benchmark failures: a failure belongs to the first family, in the order of the file, that
    all of this fits."""

    tasks: tuple[Text, ...] = Field((), description="Globs of the task that failed; any when left out.")
    steps: tuple[Text, ...] = Field((), description="Globs of its step; any when left out.")
    log: Annotated[Text, AfterValidator(_pattern)] | None = Field(
        None, description="Regular expression that is found in the end of its log or in its message."
    )


class BenchmarkProfile(StrictModel):
    """A profile of the CI build benchmark (S11)."""

    catalog_path: Annotated[Text, StringConstraints(pattern=r"^[^{}]*\{run\}[^{}]*$")] = Field(
        description="Template of the catalog path of a run; `{run}` keeps it apart from the real catalog."
    )
    branch: Branch = Field("benchmark", description="Scratch branch that it promotes to: never one of a lane.")
    forbid_buildkit_cache: Flag = Field(False, description="True passes `build-cache-mode=disabled` to the run.")
    timing_phases: dict[Name, BenchmarkPhaseConfig] = Field(
        min_length=1, description="Phases whose times have to be reported: a missing one fails the benchmark."
    )
    failure_families: dict[Name, BenchmarkFailureFamilyRule] = Field(
        min_length=1, description="Names that a failure is sorted under, in this order."
    )
    require_proxy_evidence: Flag = Field(
        False, description="Traffic seen by the proxy server has to be attached (S22); else it is inconclusive."
    )
    proxy_client: ClientId | None = Field(
        None, description="Its client id at the proxy server, which `egressProxy.traffic` counts by."
    )
    keep: Count = Field(5, description="Runs of this profile that are retained.")
    timeout: Duration = Field("1h", description="Longest run.")

    @model_validator(mode="after")
    def _evidence_is_somebodys(self) -> Self:
        if self.require_proxy_evidence and self.proxy_client is None:
            raise ValueError("`requireProxyEvidence` needs `proxyClient`: whose traffic it is")
        return self


class ScrapeJob(StrictModel):
    """What Prometheus scrapes under one name."""

    targets: tuple[ScrapeTarget, ...] = Field(min_length=1, description="Addresses, `host:port`.")
    path: Annotated[Text, StringConstraints(pattern=r"^/[^\s?#]*$")] = Field("/metrics", description="Path.")
    interval: Duration = Field("30s", description="How often.")


class NodeObservability(StrictModel):
    """Prometheus of a node."""

    prometheus_url: HttpUrl | None = Field(None, description="Base URL of its HTTP API.")
    jobs: dict[Name, ScrapeJob] = Field(
        default_factory=dict, description="What it scrapes, by job: all of it and nothing else (`observe boundary`)."
    )
    namespace: Name = Field("monitoring", description="Its namespace.")
    service_monitors: Flag = Field(False, description="Whether the Prometheus operator's kinds are served.")


class NodeConfig(StrictModel):
    """One node: the cluster of a kube context, its registry, mirror, proxies and installed software."""

    description: Text | None = Field(None, description="What it is, for people.")
    kube_context: Text = Field(description="Context of the kubeconfig.")
    cluster_uid: Text | None = Field(
        None, description="Uid of the namespace kube-system. When given, any other cluster is refused."
    )
    namespaces: dict[Name, Namespace] = Field(
        default_factory=dict, description="Namespaces shared by all lanes, by role: `infra`, `argo`, ..."
    )
    registry: RegistryConfig | None = Field(None, description="The node-local registry: an output only.")
    public_registries: tuple[RegistryHost, ...] = Field(
        ("docker.io", "quay.io", "ghcr.io", "registry.k8s.io"),
        description="Registries that input images may come from.",
    )
    egress_proxy: EgressProxy | None = Field(None, description="The proxy of its workloads; none when left out.")
    git_mirror: GitMirror | None = Field(None, description="The mirror of git repositories.")
    images: dict[Name, NodeRegistryImage] = Field(
        default_factory=dict, description="Images that have to be in its registry."
    )
    argo: ArgoInstall | None = Field(None, description="Argo CD.")
    tekton: TektonInstall | None = Field(None, description="Tekton Pipelines.")
    benchmarks: dict[Name, BenchmarkProfile] = Field(default_factory=dict, description="Benchmark profiles, by name.")
    observability: NodeObservability = Field(default_factory=NodeObservability, description="Where metrics are read.")
    secrets_dir: Text | None = Field(
        None, description="Folder with the files that secrets are read from; `~` is the home folder."
    )
    secrets: dict[Name, SecretRule] = Field(default_factory=dict, description="Secrets shared by all lanes.")
    products: dict[Name, Values] = Field(
        default_factory=dict, description="What products have to know about it: each by the `node` of its schema.yaml."
    )
    values: Values = Field(default_factory=dict, description="Anything else that templates need; not checked.")
