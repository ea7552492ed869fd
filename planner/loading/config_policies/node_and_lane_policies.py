"""Rules that a configuration has to keep beyond its form: where images may come from, how git is reached, what a
gate may be. They are general; what they allow stands in the configuration itself, and what a product wants besides in
its schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as Folder
from typing import Any

from planner.loading.config_layers import MergedConfig
from planner.loading.config_policies.gate_probes import gate_probe_faults, public_url_faults
from planner.loading.config_policies.image_sources import (
    dockerfile_image_faults,
    input_image_faults,
    registry_host_of_image,
    registry_host_of_node_config,
)
from planner.loading.config_policies.pull_request_rules import pull_request_rule_faults
from planner.loading.document_origin import Path
from planner.loading.problems import Problems, did_you_mean
from planner.spec.git import GitMirror
from planner.spec.lane import Lane
from planner.spec.model_walk import model_at_field_path, yaml_field_names
from planner.spec.node import NodeConfig


def check_node_config_policies(node: NodeConfig, folder: Folder, merged: MergedConfig, problems: Problems) -> None:
    """Images, transport and installs of a node. `folder` is the configuration's, in which Dockerfiles are."""
    host = registry_host_of_node_config(node)
    for name, image in node.images.items():
        if registry_host_of_image(image.target) != host:
            text = f"images.{name}.target is not in the node's registry {host}"
            merged.problem(problems, ("images", name, "target"), text, "an image that the node uses is an output there")
        for path, source in _inputs(image):
            _check_input(source, node, ("images", name, *path), merged, problems)
        if image.build is not None:
            for text, hint in dockerfile_image_faults(image.build, node, folder):
                merged.problem(problems, ("images", name, "build", "dockerfile"), f"images.{name}.build: {text}", hint)
    if host in node.public_registries:
        text = "the node-local registry is among publicRegistries"
        merged.problem(
            problems, ("publicRegistries",), text, "it is an output only: inputs come from public registries"
        )
    if node.git_mirror is not None:
        _check_transport(node, node.git_mirror, merged, problems)
    _check_evidence(node, merged, problems)
    for part, install in (("argo", node.argo), ("tekton", node.tekton)):
        if install is None or not install.managed:
            continue
        origin = install.manifest
        if not ((origin.file or origin.url) and origin.sha256):
            text = f"{part}.managed needs manifest.sha256, and manifest.file or manifest.url"
            merged.problem(problems, (part, "managed"), text, "review the manifest, note its digest, then set managed")


def _check_evidence(node: NodeConfig, merged: MergedConfig, problems: Problems) -> None:
    """A benchmark that requires what nobody counts could never pass (B19)."""
    counted = node.egress_proxy is not None and node.egress_proxy.traffic is not None
    asked = node.observability.prometheus_url is not None
    missing = [
        field
        for field, there in (("egressProxy.traffic", counted), ("observability.prometheusUrl", asked))
        if not there
    ]
    for name, profile in node.benchmarks.items() if missing else ():
        if profile.require_proxy_evidence:
            text = f"benchmarks.{name} requires evidence of the proxy, and the node has no {' and no '.join(missing)}"
            remedy = "declare it, or set requireProxyEvidence: false: then nothing is claimed about the way out"
            merged.problem(problems, ("benchmarks", name, "requireProxyEvidence"), text, remedy)


def check_lane_config_policies(lane: Lane, node: NodeConfig, merged: MergedConfig, problems: Problems) -> None:
    """References and gate of a lane."""
    _check_remote(lane, node, merged, problems)
    _check_gate(lane, merged, problems)
    for fault in pull_request_rule_faults(lane, node):
        merged.problem(problems, fault.path, fault.text, fault.remedy)
    _check_conditions(lane, merged, problems)


def _inputs(image: Any) -> Iterator[tuple[Path, str]]:
    if image.source is not None:
        yield ("source",), image.source
    if image.build is not None and image.build.base is not None:
        yield ("build", "base"), image.build.base


def _check_input(image: str, node: NodeConfig, path: Path, merged: MergedConfig, problems: Problems) -> None:
    field = ".".join(str(part) for part in path)
    for text, hint in input_image_faults(image, node):
        merged.problem(problems, path, f"{field}: {text}", hint)


def _check_transport(node: NodeConfig, mirror: GitMirror, merged: MergedConfig, problems: Problems) -> None:
    transport = mirror.github_transport
    base: Path = ("gitMirror",)
    if transport.token_secret is not None:
        text = f"drift: githubTransport.mode is {transport.mode}, but a token is named"
        ssh = "ssh uses the deploy key: take it away"
        remedy = ssh if transport.mode == "ssh" else "write mode: ssh with ssh:// URLs; the token goes"
        merged.problem(problems, (*base, "githubTransport", "tokenSecret"), text, remedy)
    for key in _token_keys(node, mirror):
        path = ("secrets", mirror.ssh_secret, "keyMapping", key)
        text = f"drift: githubTransport.mode is {transport.mode}, but the mirror's Secret carries a token"
        merged.problem(problems, path, text, "ssh uses the deploy key: take it away")
    if transport.mode == "ssh" and not transport.known_hosts:
        text = "githubTransport.mode is ssh, but no host key is known"
        merged.problem(problems, (*base, "githubTransport"), text, "add knownHosts; unknown host keys are refused")
    if transport.proxy == "node-egress" and node.egress_proxy is None:
        text = "githubTransport.proxy is node-egress, but the node has no egressProxy"
        merged.problem(problems, (*base, "githubTransport", "proxy"), text, "declare egressProxy, or proxy: none")
    for name, remote in mirror.remotes.items():
        if not remote.url.startswith(f"{transport.mode}://"):
            text = f"drift: remotes.{name}.url is not {transport.mode}, which githubTransport.mode demands"
            merged.problem(problems, (*base, "remotes", name, "url"), text, "there is one transport and no fallback")


def _token_keys(node: NodeConfig, mirror: GitMirror) -> list[str]:
    """Keys of the mirror's Secret that hold a token, where nothing but a deploy key belongs into it."""
    secret = node.secrets.get(mirror.ssh_secret)
    if secret is None or secret.obsolete:
        return []
    return [key for key, source in secret.key_mapping.items() if "token" in f"{key} {source}".lower()]


def _check_remote(lane: Lane, node: NodeConfig, merged: MergedConfig, problems: Problems) -> None:
    if lane.remote is None:
        return
    remotes = node.git_mirror.remotes if node.git_mirror is not None else {}
    remote = remotes.get(lane.remote)
    if remote is None:
        hint = did_you_mean(lane.remote, remotes)
        merged.problem(problems, ("remote",), f"the node's git mirror has no remote {lane.remote}", hint)
        return
    for field, branch, known in (
        ("sourceBranch", lane.source_branch, remote.branches),
        ("gitopsBranch", lane.gitops_branch, remote.gitops_branches),
    ):
        if branch is not None and branch not in known:
            text = f"{field}: the git mirror does not hold this branch of {lane.remote}"
            merged.problem(problems, (field,), text, did_you_mean(branch, known))


def _check_gate(lane: Lane, merged: MergedConfig, problems: Problems) -> None:
    for text, hint in public_url_faults(lane):
        merged.problem(problems, ("publicUrl",), text, hint)
    for index, probe in enumerate(lane.gate.probes):
        for text, hint in gate_probe_faults(probe, lane):
            merged.problem(problems, ("gate", "probes", index), text, hint)


def _check_conditions(lane: Lane, merged: MergedConfig, problems: Problems) -> None:
    """A condition about a field that is not there would silently never hold."""
    for name, rule in lane.secrets.items():
        for field in rule.when:
            *above, last = field.split(".")
            known = yaml_field_names(model_at_field_path(type(lane), above) if above else type(lane))
            if last not in known:
                path = ("secrets", name, "when", field)
                merged.problem(problems, path, f"a lane has no field {field}", did_you_mean(last, known))
