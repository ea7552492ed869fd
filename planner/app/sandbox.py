"""Sandboxes: made from the configuration, and played with."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner.address import Address, is_hwplan_kind
from planner.app.load_desired import load_configuration, load_desired_selection
from planner.app.request import Request
from planner.app.runtime import open_state_store
from planner.app.sandbox_answers import make_canned_probe_answers, make_canned_query_answers, make_canned_scrape_targets
from planner.errors import SelectionError
from planner.text_safe import safe_text
from planner.values import Json, JsonObject
from planner.whole_file import temporary_path_beside
from providers.sandbox import (
    BuiltService,
    PromotedManifests,
    SandboxContents,
    SandboxGitHubRepository,
    SandboxRemote,
    SandboxSecretFile,
    SimulatedPipeline,
    fill_sandbox,
)
from state.fingerprint import KeyedFingerprinter

if TYPE_CHECKING:
    from planner.loading import LoadResult
    from planner.loading.config import Config
    from planner.spec.node import NodeConfig
    from planner.spec.simulated_pipelines import SimulatedPipelineDocument

_ASSIGNMENT = re.compile(r"((?:[^=\[]|\[[^\]]*\])+)=(.*)", re.DOTALL)
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")  # as every cluster has


def create_sandbox(request: Request, folder: Path) -> str:
    """Make a sandbox in `folder` for the selection, whole or not at all. Raises SelectionError when it exists."""
    from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
    from providers.kubernetes.snapshot.permissive_crds import add_permissive_crds

    if folder.exists():
        raise SelectionError(f"{folder} exists already", remedy="choose another folder, or remove it first")
    contents, documents = _wanted(request)
    partial = temporary_path_beside(folder)
    try:
        partial.mkdir(parents=True)
        create_empty_snapshot(
            partial, name=f"sandbox-{contents.name}", namespaces=(*NAMESPACES, *_foreign_namespaces(documents))
        )
        add_permissive_crds(partial, documents)
        fill_sandbox(partial, contents, shown=str(folder))
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return (
        f"{folder}: a simulated cluster for {contents.subject}, {len(contents.remotes)} git repositories, "
        f"{len(contents.images)} images, {len(contents.secrets)} secret files (made up)\n"
        f"  hwplan plan {contents.words} --live {folder}"
    )


def _wanted(request: Request) -> tuple[SandboxContents, list[JsonObject]]:
    """What the sandbox is for: the selection, or nothing in particular when no word selects."""
    if not (request.product or request.nodes or request.lanes):
        return SandboxContents(name="plain", subject="plain manifests", words="-f FILE --name APP"), []
    config = load_configuration(request)
    loaded = load_desired_selection(request, config, KeyedFingerprinter(bytes(32)))
    documents = [resource.manifest for resource in loaded.resources]
    return _contents(config, loaded), [*documents, *_cleaned_up(documents), *_of_runs(loaded)]


def _foreign_namespaces(documents: list[JsonObject]) -> list[str]:
    """Namespaces that the selection stands in and does not declare: other products of the node have made them."""
    made = {one["metadata"]["name"] for one in documents if (one["apiVersion"], one["kind"]) == ("v1", "Namespace")}
    used = {one["metadata"].get("namespace") for one in documents if not is_hwplan_kind(one["apiVersion"])}
    return sorted(str(one) for one in used - made if one)


def _of_runs(loaded: LoadResult) -> list[JsonObject]:
    """An example of each kind that a rollout brings with it, although no plan makes one by default."""
    kinds = {"Task": ("TaskRun",), "Pipeline": ("PipelineRun", "TaskRun")}  # a Pipeline may have its tasks inside
    tekton = [one for one in loaded.resources if one.api_version == "tekton.dev/v1" and one.address.kind in kinds]
    return [
        {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": {"namespace": one.address.namespace}}
        for one in tekton
        for kind in kinds[one.address.kind]
    ]


def _cleaned_up(documents: list[JsonObject]) -> list[JsonObject]:
    """An example of each kind that a Retention looks for: whoever cleans runs up runs them."""
    ours = (one for one in documents if is_hwplan_kind(one["apiVersion"]))
    selectors = [one["spec"]["selector"] for one in ours if one["kind"] == "Retention"]
    return [
        {"apiVersion": one["apiVersion"], "kind": one["kind"], "metadata": {"namespace": one.get("namespace")}}
        for one in selectors
    ]


def simulate_foreign_change(
    request: Request, folder: Path, address: str, assignments: tuple[str, ...], manager: str
) -> str:
    """Change fields of a live object of the sandbox as somebody else would. Raises SelectionError for words that say
    nothing clear."""
    from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager as change

    where = _address(address)
    values = dict(_assignment(text) for text in assignments)
    with open_state_store(replace(request, live=folder)) as store:
        change(folder, where, values, manager, store.fingerprinter())
    return safe_text(f"{manager} changed {', '.join(values)} of {where} (simulated)")


def _assignment(text: str) -> tuple[str, Json]:
    """A field path and its value: JSON, or a scalar as in YAML. A `=` inside brackets belongs to the path."""
    from planner.loading.yaml.unambiguous_scalars import AmbiguousScalar, resolve_unambiguous_scalar

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
        return path, resolve_unambiguous_scalar(value) if value else ""
    except AmbiguousScalar as why:
        raise SelectionError(f"this value is {why}", where=path, remedy=f"write it as JSON: {path}='\"…\"'") from None


def simulate_foreign_delete(folder: Path, address: str) -> str:
    """Delete a live object of the sandbox as somebody else would."""
    from providers.kubernetes.snapshot.foreign_manager import delete_as_foreign_manager

    where = _address(address)
    delete_as_foreign_manager(folder, where)
    return safe_text(f"{where} was deleted (simulated)")


def simulate_failing_effect(folder: Path, address: str, task: str, *, undo: bool) -> str:
    """Make the effect of an address fail in the sandbox from now on; of a PipelineRun the `task`. With `undo` it
    does no more."""
    from providers.sandbox.simulated_pipelines_file import read_simulated_failures, write_simulated_failures

    where = _address(address).local
    failures = {one: of for one, of in read_simulated_failures(folder).items() if one != where}
    write_simulated_failures(folder, failures if undo else failures | {where: task})
    return safe_text(f"{where} {'works again' if undo else 'fails from now on'} (simulated)")


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise SelectionError(str(error), remedy="write it as plans show it: Deployment.apps/shop/api") from error


def _contents(config: Config, loaded: LoadResult) -> SandboxContents:
    nodes = [config.nodes[name].spec for name in loaded.nodes]
    from planner.loading.selection import ALL
    from planner.loading.simulated_pipelines import load_simulated_pipelines

    lanes = [
        lane for name in loaded.nodes for lane in config.lanes_of(loaded.product, name) if lane.name in loaded.lanes
    ]
    several = loaded.product == ALL  # then the lanes are of different products
    words = [f"--product {ALL}"] if several else []
    words += [f"--node {name}" for name in loaded.nodes]
    words += [] if several else [f"--lane {name}" for name in loaded.lanes]
    return SandboxContents(
        name="-".join(loaded.nodes).lower(),
        subject=f"{', '.join(loaded.nodes)}/{', '.join(loaded.lanes)}",
        words=" ".join(words),
        remotes=tuple(remote for node in nodes for remote in _remotes(node, _read_by_argo(loaded))),
        images=_sources(loaded),
        secrets=tuple(
            SandboxSecretFile(needed.source.path, needed.source.format, needed.keys) for needed in loaded.secret_files
        ),
        answers=make_canned_probe_answers(loaded.resources, lanes),
        queries=make_canned_query_answers(loaded.resources),
        targets=make_canned_scrape_targets(nodes),
        github=tuple(one for node in nodes for one in _on_github(node)),
        pipelines=tuple(_pipeline(one) for one in load_simulated_pipelines(config, lanes)),
    )


def _sources(loaded: LoadResult) -> tuple[str, ...]:
    """The public images that the declared ones are copies of."""
    declared = (one.manifest["spec"] for one in loaded.resources if one.manifest["kind"] == "RegistryImage")
    return tuple(sorted({spec["source"] for spec in declared if isinstance(spec.get("source"), str)}))


def _read_by_argo(loaded: LoadResult) -> frozenset[str]:
    """The repositories that declared Applications read, by the URLs that hold inside of the cluster."""
    sources = [
        (one.manifest.get("spec") or {}).get("source") or {}
        for one in loaded.resources
        if (one.address.kind, one.address.group) == ("Application", "argoproj.io")
    ]
    return frozenset(str(one["repoURL"]) for one in sources if one.get("repoURL"))


def _remotes(node: NodeConfig, inside: frozenset[str]) -> list[SandboxRemote]:
    """The upstreams with all their branches, and the mirror, which so far only holds what is promoted into it: known by
    its address here, and by those `inside` of the cluster that name the same repository."""
    mirror = node.git_mirror
    if mirror is None:
        return []
    held = {name: remote for name, remote in mirror.remotes.items() if remote.branches or remote.gitops_branches}
    upstreams = [SandboxRemote(name, (*one.branches, *one.gitops_branches), one.url) for name, one in held.items()]
    copies = [
        SandboxRemote(
            f"{mirror.name}-{name}",
            one.gitops_branches,
            f"{mirror.url}/{name}.git",
            tuple(sorted(url for url in inside - {f"{mirror.url}/{name}.git"} if url.endswith(f"/{name}.git"))),
        )
        for name, one in held.items()
    ]
    return [*upstreams, *(copies if mirror.url else [])]


def _on_github(node: NodeConfig) -> list[SandboxGitHubRepository]:
    """The upstreams that say which repository on GitHub they are."""
    remotes = node.git_mirror.remotes.items() if node.git_mirror is not None else ()
    return [
        SandboxGitHubRepository(remote.repo, f"{name}.git", remote.branches[0])
        for name, remote in remotes
        if remote.repo and remote.branches
    ]


def _pipeline(document: SimulatedPipelineDocument) -> SimulatedPipeline:
    spec = document.spec
    services = tuple(BuiltService(one.name, one.image, one.context) for one in spec.services)
    promoted = spec.branch or "", spec.catalog or ""
    given = spec.manifests
    manifests = (
        (
            PromotedManifests(
                given.config_map, given.services or "", given.files, given.digest or "", given.commit or ""
            ),
        )
        if given is not None
        else ()
    )
    return SimulatedPipeline(spec.namespace, spec.name, spec.repository, *promoted, services, manifests)
