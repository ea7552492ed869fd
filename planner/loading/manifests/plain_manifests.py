"""Plain manifests: files, folders and standard input become one owned set of resources (`-f FILE|DIR|-`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from planner.address import Address
from planner.dataclass import dataclass
from planner.errors import ConfigError, SelectionError
from planner.kind_hook_types import DocumentContext
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.hwplan_kind_check import apply_load_hooks, check_hwplan_document
from planner.loading.load_result import LoadResult
from planner.loading.manifest_files import (
    KUSTOMIZE,
    commands_to_plan_kustomization,
    is_kustomization,
    read_manifest_files,
)
from planner.loading.manifest_nulls import without_meaningless_nulls
from planner.loading.manifests.helm_hooks import helm_hook_events, helm_hook_phase, left_out_helm_hook_line
from planner.loading.output_ref_check import check_output_refs
from planner.loading.resource_collector import ResourceCollector
from planner.loading.secrets.secret_refs import seal_secret_refs
from planner.loading.yaml.load_documents import MANIFEST
from planner.loading.yaml.parse_cache import load_documents_cached
from planner.ports import Fingerprinter
from planner.resource import APPLIED, Resource
from planner.values import JsonObject

SCOPE = "manifests"  # scope of a resource without the annotation
_SET_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def load_plain_manifests(
    paths: Sequence[str],
    *,
    stdin: bytes | None,
    name: str,
    fingerprinter: Fingerprinter,
    cache: Path | None = None,
    build: Callable[[str], bytes] | None = None,
    hooks_as_objects: bool = False,
) -> LoadResult:
    """Load every document of every path as the owned set `name`.

    Folders are read recursively (.yaml, .yml, .json), `-` is `stdin`, kinds that end in List are taken apart, empty
    documents are skipped. A namespaced object that names no namespace keeps none here: only discovery knows which kinds
    are namespaced, see `with_namespace`. `cache` is the folder of the parse cache (None: the user's), `build` renders
    the folder of a kustomization. With `hooks_as_objects` Helm hooks are objects like all others.
    Raises SelectionError for a path or a name that cannot be, or for input without a single object (as kubectl does: an
    empty pipe would else delete the set), ConfigError with all problems of the input.
    """
    if not _SET_NAME.fullmatch(name):
        raise SelectionError(
            "--name is missing or not a name" if not name else "--name is not a name",
            where="--name",
            remedy="give the manifests a name of letters, digits, - . and _ (at most 63)",
        )
    intake = ResourceCollector(fingerprinter, same_twice_is_one=True)
    owned = _Set(name, intake, hooks_as_objects)
    found = 0
    for file, data in read_manifest_files(paths, stdin, build):
        try:
            documents = load_documents_cached(data, file, MANIFEST, cache)
        except ConfigError as error:
            intake.problems.extend(error.problems)
            continue
        text = DocumentText(file, "", data=data)
        for index, document in enumerate(documents):
            value = without_meaningless_nulls(document.value) if document.nulls else document.value
            for item, origin in items_of_list_document(value, DocumentOrigin(text, index, document.line)):
                found += 1
                owned.add(item, origin, document.tagged)
    check_output_refs(intake)
    intake.problems.raise_any()
    if not found:
        raise _nothing_declared(paths, name)
    intake.warnings += [f"{address.local} is declared twice, with the same content" for address in intake.repeated]
    seal_secret_refs(intake)
    return LoadResult(
        tuple(intake.resources.values()), intake.vault, intake.digest(), tuple(intake.warnings), {}, (name,)
    )


def _nothing_declared(paths: Sequence[str], name: str) -> SelectionError:
    inputs = ", ".join("standard input" if path == "-" else path.removeprefix(KUSTOMIZE) for path in paths)
    return SelectionError(
        f"no objects in {inputs}",
        where="-f",
        remedy=f"name manifests that hold an object; hwplan destroy --set {name} deletes everything of the set",
    )


def with_effective_namespace(resource: Resource, namespaced: bool, default: str) -> Resource:
    """The resource where the server will put it: a namespaced one without a namespace gets `default`.

    The caller knows from discovery (or from a CRD of the same load) whether the kind is namespaced. A namespace on a
    cluster-scoped kind is taken away, as kubectl does.
    """
    if bool(resource.address.namespace) == namespaced:
        return resource
    metadata = {key: value for key, value in resource.manifest["metadata"].items() if key != "namespace"}
    if namespaced:
        metadata["namespace"] = default
    return replace(
        resource,
        address=resource.address._replace(namespace=default if namespaced else ""),
        manifest={**resource.manifest, "metadata": metadata},
    )


def without_repeated_resources(resources: Sequence[Resource], declared: Sequence[Address]) -> list[Resource]:
    """The resources without those that repeat another, now that each is in its namespace; `declared` are their
    addresses as they were written.

    Two that differ both stay, for the graph to refuse: in content, or in the namespaces that both name, although the
    kind has none.
    """
    found: dict[Address, tuple[Resource, str]] = {}
    different: list[Resource] = []
    for resource, written in zip(resources, declared, strict=True):
        first, namespace = found.setdefault(resource.address, (resource, written.namespace))
        clash = bool(namespace and written.namespace) and namespace != written.namespace
        if first is not resource and (clash or not _is_same(first, resource)):
            different.append(resource)
    return [*(first for first, _ in found.values()), *different]


def _is_same(one: Resource, other: Resource) -> bool:
    if (one.owned_by, one.scope, one.api_version) != (other.owned_by, other.scope, other.api_version):
        return False
    return _without_stamp(one.manifest) == _without_stamp(other.manifest)


def _without_stamp(manifest: JsonObject) -> JsonObject:
    metadata = manifest["metadata"]
    annotations = {key: value for key, value in metadata["annotations"].items() if key != APPLIED}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def items_of_list_document(value: Any, origin: DocumentOrigin) -> Iterator[tuple[Any, DocumentOrigin]]:
    """The document itself, or the items of a List, each with its place. Nothing for an empty document.

    As in every list that an API server returns, the items of a typed list have its apiVersion and kind.
    """
    if value is None:
        return
    if not _is_list(value):
        yield value, origin
        return
    for index, item in enumerate(value.get("items") or ()):
        inner = replace(origin, prefix=(*origin.prefix, "items", index))
        yield from items_of_list_document(_typed(item, value), inner)


def _is_list(value: Any) -> bool:
    """`kind: List`, or the typed list of an API answer: it has items, or nothing at all, and no name."""
    if not isinstance(value, dict):
        return False
    kind, metadata, items = value.get("kind"), value.get("metadata") or {}, value.get("items")
    nothing = items is None and value.keys() <= {"apiVersion", "kind", "metadata", "items"}
    is_kind = isinstance(kind, str) and kind.endswith("List")
    return is_kind and (nothing or isinstance(items, list)) and isinstance(metadata, dict) and "name" not in metadata


def _typed(item: Any, within: dict[str, Any]) -> Any:
    kind = str(within["kind"]).removesuffix("List")
    if not kind or not isinstance(item, dict) or item.get("kind") or item.get("apiVersion"):
        return item
    return {"apiVersion": within.get("apiVersion"), "kind": kind, **item}


@dataclass(frozen=True, slots=True)
class _Set:
    """What the documents of one owned set are collected in."""

    name: str
    intake: ResourceCollector
    hooks_as_objects: bool

    def add(self, item: Any, origin: DocumentOrigin, tagged: bool) -> None:
        """Take one object, unless it is the input of another tool or a Helm hook that an apply does not run."""
        problems = self.intake.problems
        if is_kustomization(origin.input.name, item):
            folder = Path(origin.input.name).parent.as_posix()
            origin.problem(
                problems,
                (),
                "a kustomization is no manifest: it has to be built",
                commands_to_plan_kustomization(folder),
            )
            return
        if not check_hwplan_document(item, origin, problems, plain=True):
            return
        item = apply_load_hooks(item, DocumentContext(), origin, problems)
        events = () if self.hooks_as_objects else helm_hook_events(item)
        if events and helm_hook_phase(events) is None:
            self.intake.warnings.append(left_out_helm_hook_line(_named(item), events))
            return
        resource = self.intake.add(item, origin, owned_by=self.name, scope=SCOPE, tagged=tagged)
        if events and resource is not None:
            options = replace(resource.options, hook=helm_hook_phase(events))
            self.intake.resources[resource.address] = replace(resource, options=options)


def _named(item: Any) -> str:
    metadata = item.get("metadata") or {}
    parts = (item.get("kind"), metadata.get("namespace"), metadata.get("name"))
    return "/".join(str(part) for part in parts if part)
