"""Sandboxes: made from the configuration, and played with."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner.address import Address, is_own_kind
from planner.app.load import configuration, load_selected
from planner.app.request import Request
from planner.app.world import open_store
from planner.errors import SelectionError
from planner.render.text_safe import safe
from planner.values import Json, JsonObject
from providers.sandbox import CannedAnswer, Contents, Remote, SecretFile, fill
from state.fingerprint import KeyedFingerprinter

if TYPE_CHECKING:
    from planner.loading import Loaded
    from planner.loading.config import Config
    from planner.spec.lane import Lane
    from planner.spec.node import Node

_ASSIGNMENT = re.compile(r"((?:[^=\[]|\[[^\]]*\])+)=(.*)", re.DOTALL)
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")  # as every cluster has


def create_sandbox(request: Request, folder: Path) -> str:
    """Make a sandbox in `folder` for the selection, whole or not at all. Raises SelectionError when it exists."""
    from providers.kubernetes.snapshot.creating import create_empty
    from providers.kubernetes.snapshot.open_kinds import serve

    if folder.exists():
        raise SelectionError(f"{folder} exists already", remedy="choose another folder, or remove it first")
    contents, documents = _wanted(request)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        create_empty(partial, name=f"sandbox-{contents.name}", namespaces=NAMESPACES)
        serve(partial, documents)
        fill(partial, contents)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return (
        f"{folder}: a simulated cluster for {contents.subject}, {len(contents.remotes)} git repositories, "
        f"{len(contents.images)} images, {len(contents.secrets)} secret files (made up)\n"
        f"  hwplan plan {contents.words} --live {folder}"
    )


def _wanted(request: Request) -> tuple[Contents, list[JsonObject]]:
    """What the sandbox is for: the selection, or nothing in particular when no word selects."""
    if not (request.product or request.nodes or request.lanes):
        return Contents(name="plain", subject="plain manifests", words="-f FILE --name APP"), []
    config = configuration(request)
    loaded = load_selected(request, config, KeyedFingerprinter(bytes(32)))
    documents = [resource.manifest for resource in loaded.resources]
    return _contents(config, loaded), [*documents, *_cleaned_up(documents)]


def _cleaned_up(documents: list[JsonObject]) -> list[JsonObject]:
    """An example of each kind that a Retention looks for: whoever cleans runs up runs them."""
    ours = (one for one in documents if is_own_kind(one["apiVersion"]))
    selectors = [one["spec"]["selector"] for one in ours if one["kind"] == "Retention"]
    return [
        {"apiVersion": one["apiVersion"], "kind": one["kind"], "metadata": {"namespace": one.get("namespace")}}
        for one in selectors
    ]


def play(request: Request, folder: Path, address: str, assignments: tuple[str, ...], manager: str) -> str:
    """Somebody else changes fields of a live object. Raises SelectionError for words that say nothing clear."""
    from providers.kubernetes.snapshot.playing import play as change

    where = _address(address)
    values = dict(_assignment(text) for text in assignments)
    with open_store(replace(request, live=folder)) as store:
        change(folder, where, values, manager, store.fingerprinter())
    return safe(f"{manager} changed {', '.join(values)} of {where} (simulated)")


def _assignment(text: str) -> tuple[str, Json]:
    """A field path and its value: JSON, or a scalar as in YAML. A `=` inside brackets belongs to the path."""
    from planner.loading.scalars import Ambiguous, resolve_plain

    match = _ASSIGNMENT.match(text)
    if match is None:
        raise SelectionError(f"{text!r} is not PATH=VALUE", remedy="for example spec.replicas=7; null removes a field")
    path, value = match.groups()
    if value[:1] in ("{", "[", '"'):
        try:
            return path, json.loads(value)
        except (ValueError, RecursionError):
            raise SelectionError("the value is not JSON", where=path, remedy="check its quotes and brackets") from None
    try:
        return path, resolve_plain(value) if value else ""
    except Ambiguous as why:
        raise SelectionError(f"this value is {why}", where=path, remedy=f"write it as JSON: {path}='\"…\"'") from None


def delete_object(folder: Path, address: str) -> str:
    """Somebody else deletes a live object."""
    from providers.kubernetes.snapshot.playing import remove

    where = _address(address)
    remove(folder, where)
    return safe(f"{where} was deleted (simulated)")


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise SelectionError(str(error), remedy="write it as plans show it: Deployment.apps/shop/api") from error


def _contents(config: Config, loaded: Loaded) -> Contents:
    nodes = [config.nodes[name].spec for name in loaded.nodes]
    lanes = [
        lane.spec
        for name in loaded.nodes
        for lane in config.lanes_of(loaded.product, name)
        if lane.name in loaded.lanes
    ]
    words = [f"--node {name}" for name in loaded.nodes] + [f"--lane {name}" for name in loaded.lanes]
    return Contents(
        name="-".join(loaded.nodes).lower(),
        subject=f"{', '.join(loaded.nodes)}/{', '.join(loaded.lanes)}",
        words=" ".join(words),
        remotes=tuple(remote for node in nodes for remote in _remotes(node)),
        images=tuple(sorted({image.source for node in nodes for image in node.images.values() if image.source})),
        secrets=tuple(
            SecretFile(needed.source.path, needed.source.format, needed.keys) for needed in loaded.secret_files
        ),
        answers=tuple(answer for lane in lanes for answer in _answers(lane)),
    )


def _remotes(node: Node) -> list[Remote]:
    """The upstreams with all their branches, and the mirror, which so far only holds what is promoted into it."""
    mirror = node.git_mirror
    held = {name: remote for name, remote in mirror.remotes.items() if remote.branches or remote.gitops_branches}
    upstreams = [Remote(name, (*one.branches, *one.gitops_branches), one.url) for name, one in held.items()]
    copies = [
        Remote(f"{mirror.name}-{name}", one.gitops_branches, f"{mirror.url}/{name}.git") for name, one in held.items()
    ]
    return [*upstreams, *(copies if mirror.url else [])]


def _answers(lane: Lane) -> list[CannedAnswer]:
    return [CannedAnswer(str(probe.url), probe.expect_status) for probe in lane.gate.probes]
