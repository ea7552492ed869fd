"""Metadata that the API server refuses, of objects of any kind: labels, annotations, finalizers, owners.

Custom kinds are judged like built-in ones; their schemas say nothing of metadata. Source: the validation of object
metadata in Kubernetes 1.36, held against a server by tests/integration/test_metadata_values.py. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.address import group_of_api_version
from planner.field_path import FieldPath
from planner.values import JsonObject
from providers.kubernetes.ssa.builtin_value_formats import builtin_value_format_error, is_qualified_name

_MOST_ANNOTATIONS = 256 << 10  # bytes of all keys and values together
# Groups with the core validation of metadata: a finalizer without a domain has to be one of Kubernetes.
_STRICT_FINALIZERS = frozenset(
    {"", "apps", "autoscaling", "batch", "certificates.k8s.io", "discovery.k8s.io", "flowcontrol.apiserver.k8s.io"}
    | {"networking.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io"}
)
_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")


def metadata_value_errors(document: JsonObject) -> Iterator[tuple[FieldPath, str]]:
    """What the server would refuse in the metadata of an object, with the path of each. A value that is not known yet
    (no text) is let pass."""
    metadata = document.get("metadata") or {}
    yield from template_metadata_errors(metadata)
    is_strict = group_of_api_version(str(document.get("apiVersion"))) in _STRICT_FINALIZERS
    yield from _finalizers(metadata.get("finalizers") or (), is_strict and document.get("kind") != "Event")
    yield from _owners(metadata.get("ownerReferences") or ())


def template_metadata_errors(metadata: JsonObject) -> Iterator[tuple[FieldPath, str]]:
    """Labels and annotations, of the object or of a template in it."""
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        if not is_qualified_name(key.lower()):
            yield ("metadata", "annotations"), f"{key!r} is no qualified name"
    if sum(len(text.encode()) for pair in annotations.items() for text in map(str, pair)) > _MOST_ANNOTATIONS:
        yield ("metadata", "annotations"), f"Too long: may not be more than {_MOST_ANNOTATIONS} bytes"
    for key, text in (metadata.get("labels") or {}).items():
        forms = [("qualified", key), *([("labelvalue", text)] if isinstance(text, str) else [])]
        found = (builtin_value_format_error(form, one) for form, one in forms)
        yield from ((("metadata", "labels"), words) for words in found if words)


def _finalizers(names: Sequence[str], is_strict: bool) -> Iterator[tuple[FieldPath, str]]:
    for index, name in enumerate(names):
        if words := builtin_value_format_error("qualified", name):
            yield ("metadata", "finalizers", index), words
        elif is_strict and "/" not in name and name not in _FINALIZERS:
            words = "name is neither a standard finalizer name nor is it fully qualified"
            yield ("metadata", "finalizers", index), words
    if {"foregroundDeletion", "orphan"} <= set(names):
        yield ("metadata", "finalizers"), "finalizers foregroundDeletion and orphan cannot be both set"


def _owners(owners: Sequence[JsonObject]) -> Iterator[tuple[FieldPath, str]]:
    path: FieldPath = ("metadata", "ownerReferences")
    for owner in owners:
        version = str(owner.get("apiVersion") or "")
        if version.count("/") > 1 or not version.rpartition("/")[2]:
            yield (*path, "apiVersion"), "version must not be empty"
        for field in ("kind", "name", "uid"):
            if not owner.get(field):
                yield (*path, field), "must not be empty"
        if (version, owner.get("kind")) == ("v1", "Event"):
            yield path, "v1 Event is disallowed from being an owner"
    if sum(owner.get("controller") is True for owner in owners) > 1:
        yield path, "only one reference can have controller set to true"
