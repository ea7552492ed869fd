"""Creates snapshots of clusters: an empty one for a sandbox, and one of a live cluster. Never holds a secret value."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

from planner.errors import PermanentError
from planner.ports import Fingerprinter
from planner.redaction.clean_values import clean_texts_in_value
from planner.values import JsonObject
from planner.whole_number import parse_whole_number
from providers.cluster_interface import Cluster, KubernetesListScope, ServedKubernetesKind
from providers.kubernetes.secret_values_as_fingerprints import document_with_secret_fingerprints
from providers.kubernetes.snapshot.folder_layout import (
    CLUSTER_FILE,
    CLUSTER_FOLDER,
    identity_of_document,
    object_file_path,
    render_object_yaml,
    write_atomic,
)
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from providers.kubernetes.snapshot.snapshot_store import SCHEMA_VERSION, SYSTEMS_FILE
from providers.kubernetes.ssa.merge_types import MergeTypeTable

_HEAD = """\
# A simulated cluster. One file per object beside this one; edit them, or delete this whole folder.
# Secrets hold fingerprints, never values. `resourceVersion` only ever grows.
"""
_NAMESPACES = ("default", "kube-system")
_CRD = ServedKubernetesKind(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)
_NAMESPACE = ServedKubernetesKind("v1", "Namespace", "namespaces", namespaced=False)


def create_empty_snapshot(folder: Path, *, name: str, namespaces: Sequence[str] = (), now: str = "") -> None:
    """A cluster with nothing but namespaces, in `folder/cluster`. Raises PermanentError when one is there already."""
    target = folder / CLUSTER_FOLDER
    if (target / CLUSTER_FILE).exists():
        raise PermanentError("a cluster is here already", where=str(target), remedy="choose another folder")
    uid = str(uuid.uuid4())
    clock = {"now": (lambda: now)} if now else {}
    _write_about(target, {"uid": uid, "server": name}, version=100)
    cluster = open_snapshot(target, **clock)
    for namespace in sorted({*_NAMESPACES, *namespaces}):
        cluster.add(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, manager="kube-apiserver"
        )


def save_cluster_objects(
    cluster: Cluster,
    target: Path,
    fingerprinter: Fingerprinter,
    places: Iterable[KubernetesListScope],
    *,
    server: str = "",
    systems: JsonObject | None = None,
) -> int:
    """Write the objects of `places` to `target`, with their namespaces and the CRDs of custom kinds; their number.

    `systems` is retained with them, see snapshot_store.saved_records_of_systems.
    `target` is a folder that does not hold a cluster yet, or a file (`.json`, `.yaml`) that is replaced. Values of
    Secrets become fingerprints before anything else sees them. Raises the error of the first place that cannot be
    listed: a snapshot with a hole in it would be read as absence.
    """
    wanted = sorted(set(places))
    custom = [place for place in wanted if place.kind.api_version.count(".") and not _is_builtin(place.kind)]
    listing = cluster.list([*wanted, KubernetesListScope(_CRD, "")] if custom else wanted)
    documents: list[JsonObject] = []
    for place, found in listing.items():
        if not isinstance(found, tuple):
            raise found
        keep = found if place in wanted else (crd for crd in found if _serves(crd, custom))
        documents += (document_with_secret_fingerprints(document, fingerprinter) for document in keep)
    documents += _namespaces(cluster, {*(place.namespace for place in wanted), *map(_namespace_of, documents)} - {""})
    unique = {identity_of_document(document): document for document in documents}
    identity = cluster.identity()
    about = {"uid": identity.uid, "server": server or identity.server}
    _write(target, about, [_without_secrets(unique[key]) for key in sorted(unique)], systems)
    return len(unique)


def _without_secrets(document: JsonObject) -> JsonObject:
    """The document without values of Secrets that stand in other kinds; what names the object stays as it is."""
    clean = clean_texts_in_value(document)
    if clean is document:
        return document
    named = {key: document["metadata"][key] for key in ("name", "namespace", "uid") if key in document["metadata"]}
    return {**clean, "metadata": {**clean["metadata"], **named}}


def _namespaces(cluster: Cluster, names: set[str]) -> list[JsonObject]:
    """The namespaces that exist of these, and kube-system. Raises the error of the list."""
    place = KubernetesListScope(_NAMESPACE, "")
    found = cluster.list([place])[place]
    if not isinstance(found, tuple):
        raise found
    return [document for document in found if document["metadata"]["name"] in {*names, "kube-system"}]


def _namespace_of(document: JsonObject) -> str:
    return str(document["metadata"].get("namespace") or "")


def _is_builtin(kind: ServedKubernetesKind) -> bool:
    return MergeTypeTable.builtin().knows(kind.api_version, kind.kind)


def _serves(crd: JsonObject, places: Sequence[KubernetesListScope]) -> bool:
    spec = crd["spec"]
    kinds = {(spec["group"], spec["names"]["kind"])}
    return any((place.kind.api_version.partition("/")[0], place.kind.kind) in kinds for place in places)


def _write(target: Path, about: JsonObject, documents: Sequence[JsonObject], systems: JsonObject | None) -> None:
    if target.suffix in (".json", ".yaml", ".yml"):
        whole = {"schemaVersion": SCHEMA_VERSION, "cluster": about, "objects": list(documents), "systems": systems}
        write_atomic(
            target, json.dumps(whole, indent=1) + "\n" if target.suffix == ".json" else render_object_yaml(whole)
        )
        return
    folder = target / CLUSTER_FOLDER
    if (folder / CLUSTER_FILE).exists():
        raise PermanentError("a cluster is here already", where=str(folder), remedy="choose another folder")
    for document in documents:
        write_atomic(folder / object_file_path(identity_of_document(document)), render_object_yaml(document))
    if systems is not None:
        write_atomic(target / SYSTEMS_FILE, json.dumps(systems, indent=1, sort_keys=True) + "\n")
    versions = (str(document["metadata"].get("resourceVersion", "")) for document in documents)
    highest = max((parse_whole_number(version) or 0 for version in versions), default=0)
    _write_about(folder, about, version=highest + 100)  # last: without this file the folder is no cluster


def _write_about(folder: Path, about: JsonObject, *, version: int) -> None:
    document = {"schemaVersion": SCHEMA_VERSION, **about, "kubernetes": "v1.36.3", "resourceVersion": version}
    write_atomic(folder / CLUSTER_FILE, _HEAD + render_object_yaml(document))
