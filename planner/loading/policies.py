"""Rules that a configuration has to keep beyond its form: where gates may look, where images may come from, how git is
reached. They are general; what they allow stands in the configuration itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from planner.loading.origin import Origin, Path
from planner.loading.overlay import Merged
from planner.loading.problems import Problems, did_you_mean
from planner.spec.base import split_url
from planner.spec.lane import GateProbe, Lane
from planner.spec.node import Node


def check_node(node: Node, merged: Merged, problems: Problems) -> None:
    """Images, transport and installs of a node."""
    for name, image in node.images.items():
        if registry_of(image.target) != node.registry.host:
            text = f"images.{name}.target is not in the node's registry {node.registry.host}"
            merged.problem(problems, ("images", name, "target"), text, "an image that the node uses is an output there")
        for path, source in _inputs(image):
            _check_input(source, node, ("images", name, *path), merged, problems)
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


def check_probe(document: dict[str, Any], lane: Lane | None, origin: Origin, problems: Problems) -> None:
    """An `HttpProbe` of a template: as a gate it may only look at the lane's formal public URL."""
    spec = document.get("spec")
    if document.get("kind") != "HttpProbe" or not isinstance(spec, dict) or spec.get("role") != "gate" or lane is None:
        return
    for text, hint in gate_faults(str(spec.get("url", "")), lane):
        origin.problem(problems, ("spec", "url"), text, hint)


def gate_faults(url: str, lane: Lane) -> Iterator[tuple[str, str]]:
    """Why a URL may not be a gate of the lane; nothing when it may."""
    remedy = "use the formal public URL in the gate, and role: diagnostic for anything else"
    scheme, _, host, path = split_url(url, ("http", "https"))
    name, _, port = host.rpartition(":") if host.rpartition(":")[2].isdigit() else (host, "", "")
    if _is_address(name.strip("[]")):
        yield "a gate never probes a bare IP address", remedy
    elif port and int(port) in lane.legacy_ports:
        yield f"a gate never probes the legacy port {port}", remedy
    elif scheme != "https":
        yield "a gate probes https only", remedy
    elif lane.public_url is None:
        yield "the lane has no publicUrl, so nothing can be its gate", "declare publicUrl, or use role: diagnostic"
    elif not f"{url}/".startswith(lane.public_url.rstrip("/") + "/"):
        yield "a gate probes the lane's formal public URL only", remedy
    elif not path.strip("/"):
        yield "a gate probes a health endpoint, not a page", "add its path, such as /health"


def registry_of(image: str) -> str:
    """The registry host of an image reference or repository."""
    return image.partition("/")[0]


def _inputs(image: Any) -> Iterator[tuple[Path, str]]:
    if image.source is not None:
        yield ("source",), image.source
    if image.build is not None and image.build.base is not None:
        yield ("build", "base"), image.build.base


def _check_input(image: str, node: Node, path: Path, merged: Merged, problems: Problems) -> None:
    host = registry_of(image)
    field = ".".join(str(part) for part in path)
    if host == node.registry.host:
        text = f"{field}: an input image comes from the node-local registry"
        merged.problem(problems, path, text, "name its public source; the node-local registry is an output only")
    elif host not in node.public_registries:
        hint = did_you_mean(host, node.public_registries)
        merged.problem(problems, path, f"{field}: the registry is none of the node's publicRegistries", hint)


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
    if lane.public_url is not None:
        scheme, _, host, _ = split_url(lane.public_url, ("http", "https"))
        if scheme != "https" or _is_address(host.rpartition(":")[0] or host):
            merged.problem(
                problems, ("publicUrl",), "publicUrl is not https with a host name", "it is the formal public URL"
            )
    for index, probe in enumerate(lane.gate.probes):
        for text, hint in _probe_faults(probe, lane):
            merged.problem(problems, ("gate", "probes", index), text, hint)


def _probe_faults(probe: GateProbe, lane: Lane) -> Iterator[tuple[str, str]]:
    if probe.role == "diagnostic":
        return
    if probe.kind == "browser":
        yield "a gate never drives a browser", "use a health endpoint; user paths are checked outside of CI/CD"
        return
    yield from gate_faults(probe.url, lane)


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


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.replace(".", "").isdigit()
    return True
