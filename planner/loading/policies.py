"""Rules that a configuration has to keep beyond its form: where images may come from, how git is reached, what stores
need; for gates see gate_policy. They are general; what they allow stands in the configuration itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as Folder
from typing import Any

from planner.loading.gate_policy import probe_faults, public_url_faults
from planner.loading.image_policy import dockerfile_faults, input_faults, registry_of
from planner.loading.origin import Path
from planner.loading.overlay import Merged
from planner.loading.problems import Problems, did_you_mean
from planner.spec.lane import Lane
from planner.spec.node import Node


def check_node(node: Node, folder: Folder, merged: Merged, problems: Problems) -> None:
    """Images, transport and installs of a node. `folder` is the configuration's, in which Dockerfiles are."""
    for name, image in node.images.items():
        if registry_of(image.target) != node.registry.host:
            text = f"images.{name}.target is not in the node's registry {node.registry.host}"
            merged.problem(problems, ("images", name, "target"), text, "an image that the node uses is an output there")
        for path, source in _inputs(image):
            _check_input(source, node, ("images", name, *path), merged, problems)
        if image.build is not None:
            for text, hint in dockerfile_faults(image.build, node, folder):
                merged.problem(problems, ("images", name, "build", "dockerfile"), f"images.{name}.build: {text}", hint)
    if node.registry.host in node.public_registries:
        text = "the node-local registry is among publicRegistries"
        merged.problem(
            problems, ("publicRegistries",), text, "it is an output only: inputs come from public registries"
        )
    _check_transport(node, merged, problems)
    for part, install in (("argo", node.argo), ("tekton", node.tekton)):
        if install.managed and not (install.manifest.file and install.manifest.sha256):
            text = f"{part}.managed needs manifest.file and manifest.sha256"
            merged.problem(
                problems, (part, "managed"), text, "download the manifest, note its digest, then set managed"
            )


def check_lane(lane: Lane, node: Node, merged: Merged, problems: Problems) -> None:
    """References, gate, images and stores of a lane."""
    _check_remote(lane, node, merged, problems)
    _check_gate(lane, merged, problems)
    _check_input(lane.base_image_source, node, ("baseImageSource",), merged, problems)
    for field, image in (
        ("baseImage", lane.base_image),
        ("toolsImage", lane.tools_image),
        ("builderImage", lane.builder_image),
    ):
        _check_local(image, field, node, merged, problems)
    if registry_of(lane.image_prefix) != node.registry.host:
        text = f"imagePrefix is not in the node's registry {node.registry.host}"
        merged.problem(problems, ("imagePrefix",), text, "services are built into the node's registry")
    _check_store(lane, node, merged, problems)
    _check_services(lane, merged, problems)


def _inputs(image: Any) -> Iterator[tuple[Path, str]]:
    if image.source is not None:
        yield ("source",), image.source
    if image.build is not None and image.build.base is not None:
        yield ("build", "base"), image.build.base


def _check_input(image: str, node: Node, path: Path, merged: Merged, problems: Problems) -> None:
    field = ".".join(str(part) for part in path)
    for text, hint in input_faults(image, node):
        merged.problem(problems, path, f"{field}: {text}", hint)


def _check_local(image: str, field: str, node: Node, merged: Merged, problems: Problems) -> None:
    targets = {one.target for one in node.images.values()}
    if registry_of(image) != node.registry.host:
        text = f"{field} is not in the node's registry {node.registry.host}"
        merged.problem(problems, (field,), text, "pipelines use node-local copies")
    elif field != "baseImage" and image not in targets:
        text = f"{field} is no target of the node's images, so nothing would make it"
        merged.problem(problems, (field,), text, did_you_mean(image, targets))


def _check_transport(node: Node, merged: Merged, problems: Problems) -> None:
    transport = node.git_mirror.github_transport
    base: Path = ("gitMirror",)
    if transport.mode != "https" and transport.token_secret is not None:
        text = f"drift: githubTransport.mode is {transport.mode}, but a token is named"
        merged.problem(
            problems, (*base, "githubTransport", "tokenSecret"), text, "ssh uses the deploy key: take it away"
        )
    for key in _token_keys(node):
        path = ("secrets", node.git_mirror.ssh_secret, "keyMapping", key)
        text = "drift: githubTransport.mode is ssh, but the mirror's Secret carries a token"
        merged.problem(problems, path, text, "ssh uses the deploy key: take it away")
    if transport.mode == "ssh" and not transport.known_hosts:
        text = "githubTransport.mode is ssh, but no host key is known"
        merged.problem(problems, (*base, "githubTransport"), text, "add knownHosts; unknown host keys are refused")
    if transport.proxy == "node-egress" and node.egress_proxy is None:
        text = "githubTransport.proxy is node-egress, but the node has no egressProxy"
        merged.problem(problems, (*base, "githubTransport", "proxy"), text, "declare egressProxy, or proxy: none")
    for name, remote in node.git_mirror.remotes.items():
        if not remote.url.startswith(f"{transport.mode}://"):
            text = f"drift: remotes.{name}.url is not {transport.mode}, which githubTransport.mode demands"
            merged.problem(problems, (*base, "remotes", name, "url"), text, "there is one transport and no fallback")


def _token_keys(node: Node) -> list[str]:
    """Keys of the mirror's Secret that hold a token, where nothing but a deploy key belongs into it."""
    secret = node.secrets.get(node.git_mirror.ssh_secret)
    if node.git_mirror.github_transport.mode != "ssh" or secret is None or secret.obsolete:
        return []
    return [key for key, source in secret.key_mapping.items() if "token" in f"{key} {source}".lower()]


def _check_remote(lane: Lane, node: Node, merged: Merged, problems: Problems) -> None:
    remote = node.git_mirror.remotes.get(lane.remote)
    if remote is None:
        hint = did_you_mean(lane.remote, node.git_mirror.remotes)
        merged.problem(problems, ("remote",), f"the node's git mirror has no remote {lane.remote}", hint)
        return
    for field, branch, known in (
        ("sourceBranch", lane.source_branch, remote.branches),
        ("gitopsBranch", lane.gitops_branch, remote.gitops_branches),
    ):
        if branch not in known:
            text = f"{field}: the git mirror does not hold this branch of {lane.remote}"
            merged.problem(problems, (field,), text, did_you_mean(branch, known))


def _check_gate(lane: Lane, merged: Merged, problems: Problems) -> None:
    for text, hint in public_url_faults(lane):
        merged.problem(problems, ("publicUrl",), text, hint)
    for index, probe in enumerate(lane.gate.probes):
        for text, hint in probe_faults(probe, lane):
            merged.problem(problems, ("gate", "probes", index), text, hint)


def _check_store(lane: Lane, node: Node, merged: Merged, problems: Problems) -> None:
    postgres = lane.runtime_store.postgres
    base: Path = ("runtimeStore", "postgres")
    if postgres.mode == "external":
        if postgres.host is None:
            merged.problem(problems, base, "postgres.mode is external, but no host is named", "add host")
        return
    for field, value in (("image", postgres.image), ("storage", postgres.storage)):
        if value is None:
            merged.problem(problems, base, f"postgres.mode is local-k3s, but {field} is missing", f"add {field}")
    targets = {image.target for image in node.images.values()}
    if (
        postgres.image is not None
        and registry_of(postgres.image) == node.registry.host
        and postgres.image not in targets
    ):
        text = "postgres.image is no target of the node's images, so nothing would make it"
        merged.problem(problems, (*base, "image"), text, did_you_mean(postgres.image, targets))


def _check_services(lane: Lane, merged: Merged, problems: Problems) -> None:
    for name, service in lane.services.items():
        for index, source in enumerate(service.deploy.ingress_from):
            if source != "edge" and source not in lane.services:
                path = ("services", name, "deploy", "ingressFrom", index)
                merged.problem(problems, path, f"no service {source}", did_you_mean(source, (*lane.services, "edge")))
