"""What a snapshot refuses, with the error classes of a real server: absent namespaces, invalid and immutable fields.

Pure. Quotas, pod security and webhooks are not played: a snapshot lets pass what only those would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from planner.field_path import FieldPath, render_path
from planner.values import JsonObject
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.errors import (
    ApplyConflict,
    BadRequest,
    FieldConflict,
    Forbidden,
    Invalid,
    InvalidField,
    NamespaceMissing,
    ResourceVersionConflict,
    UidMismatch,
)
from providers.kubernetes.snapshot.folder_layout import ObjectIdentity, api_group_of
from providers.kubernetes.ssa import builtin_values
from providers.kubernetes.ssa.immutable_fields import immutable_changes
from providers.kubernetes.ssa.merge import ApplyOutcome
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.metadata_values import metadata_value_errors
from providers.kubernetes.ssa.mutually_exclusive_fields import mutually_exclusive_field_errors
from providers.kubernetes.ssa.stateful_set_overwritten_fields import stateful_set_without_overwritten_fields
from providers.kubernetes.ssa.validate_object import GROUPS_WITH_FREE_NAMES, object_validation_errors

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_KEPT_NAMESPACES = frozenset({"default", "kube-system", "kube-public"})


def identity_of_request_body(kind: ServedKubernetesKind, body: JsonObject) -> ObjectIdentity:
    """The identity that a request body names. Raises BadRequest when it fits the kind badly."""
    metadata = body.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(name, str) or not name:
        raise BadRequest("name must be provided", where=kind.kind)
    namespace = str(metadata.get("namespace") or "") if kind.namespaced else ""
    identity = ObjectIdentity(api_group_of(kind.api_version), kind.kind, namespace, name)
    if body.get("apiVersion") != kind.api_version or body.get("kind") != kind.kind:
        raise BadRequest("apiVersion and kind must be those of the request", where=str(identity))
    if kind.namespaced and not namespace:
        raise BadRequest("an empty namespace may not be set", where=str(identity))
    return identity


def check_preconditions(identity: ObjectIdentity, live: JsonObject | None, body: JsonObject) -> None:
    """`metadata.uid` and `metadata.resourceVersion` of a body are preconditions. Raises PreconditionError classes.

    As on a server, a resourceVersion is not looked at when the object does not exist, and a uid is.
    """
    wanted, where = body["metadata"], str(identity)
    have: JsonObject = live["metadata"] if live else {}
    if wanted.get("uid") and wanted["uid"] != have.get("uid"):
        raise UidMismatch("the object with the planned uid is not there any more", where=where, remedy="plan again")
    if live and wanted.get("resourceVersion") and wanted["resourceVersion"] != have["resourceVersion"]:
        raise ResourceVersionConflict("it was changed by somebody else", where=where, remedy="plan again")


def check_namespace_exists(identity: ObjectIdentity, objects: Mapping[ObjectIdentity, JsonObject]) -> None:
    """Raises NamespaceMissing when the namespace of an object does not exist in the snapshot."""
    namespace = identity.namespace
    if namespace and ObjectIdentity("", "Namespace", "", namespace) not in objects:
        message = f"namespace {namespace} does not exist"
        raise NamespaceMissing(message, namespace=namespace, where=str(identity), remedy="declare the Namespace")


def check_field_types(identity: ObjectIdentity, desired: JsonObject, types: MergeTypeTable) -> None:
    """Fields, types and keys of what was sent. Raises Invalid with every field that is wrong."""
    _refuse(identity, object_validation_errors(desired, types, only_shape=True))


def validate_object_to_store(
    identity: ObjectIdentity, after: JsonObject, types: MergeTypeTable, live: JsonObject | None
) -> None:
    """Names, values and rules of the object as it would be stored. Raises Invalid with every field that is wrong."""
    api_version, kind = str(after["apiVersion"]), str(after["kind"])
    if (api_version, kind) == ("apps/v1", "StatefulSet"):
        after = stateful_set_without_overwritten_fields(after)
    problems = object_validation_errors(after, types, live=live)
    if types.is_custom(api_version, kind):
        problems += tuple(metadata_value_errors(after))
    else:
        shape = set(object_validation_errors(after, types, only_shape=True))  # of what was sent it was looked at before
        problems = tuple(problem for problem in problems if problem not in shape)
        problems += tuple(builtin_values.builtin_value_errors(types.type_of(api_version, kind), after))
    if live is None and kind == "Pod" and (after.get("spec") or {}).get("ephemeralContainers"):
        problems += ((("spec", "ephemeralContainers"), "Forbidden: cannot be set on create"),)
    name: FieldPath = ("metadata", "name")
    if prefix := after["metadata"].get("generateName"):  # beside a name; a hyphen at its end is followed by more
        good = _has_good_name(identity._replace(name=f"{prefix}x"))
        problems += () if good else ((("metadata", "generateName"), "a lowercase RFC 1123 name is needed"),)
    if not _has_good_name(identity) and not any(path == name for path, _ in problems):
        problems = ((name, _wrong_name(identity)), *problems)
    _refuse(identity, problems)


def _refuse(identity: ObjectIdentity, problems: Iterable[tuple[FieldPath, str]]) -> None:
    causes = tuple(InvalidField(render_path(path), "FieldValueInvalid", message) for path, message in problems)
    if causes:
        raise Invalid(causes, where=str(identity))


def _wrong_name(identity: ObjectIdentity) -> str:
    most = 63 if identity.kind in ("Namespace", "Service") and not identity.group else 253
    if len(identity.name) > most:
        return f"must be no more than {most} characters, it has {len(identity.name)}"
    return "a lowercase RFC 1123 name is needed"


def _has_good_name(identity: ObjectIdentity) -> bool:
    if identity.group in GROUPS_WITH_FREE_NAMES or (identity.group, identity.kind) == ("", "Event"):
        return identity.name not in (".", "..") and not set("/%") & set(identity.name)
    if identity.kind in ("Namespace", "Service") and not identity.group:
        return len(identity.name) <= 63 and _LABEL.fullmatch(identity.name) is not None
    return len(identity.name) <= 253 and _SUBDOMAIN.fullmatch(identity.name) is not None


def check_apply_conflicts(identity: ObjectIdentity, merged: ApplyOutcome, force: bool) -> None:
    """Raises ApplyConflict naming every field that others own with another value, unless the apply is forced."""
    if merged.conflicts and not force:
        causes = {
            FieldConflict(render_path(c.path), c.manager, _words(c.manager, c.operation)) for c in merged.conflicts
        }
        raise ApplyConflict(tuple(sorted(causes)), where=str(identity))


def _words(manager: str, operation: str) -> str:
    return f'conflict with "{manager}"' + (" (an update)" if operation == "Update" else "")


def check_immutable_fields(
    identity: ObjectIdentity, live: JsonObject, after: JsonObject, types: MergeTypeTable
) -> None:
    """Raises Invalid when an immutable field changes."""
    changes: tuple[tuple[FieldPath, str], ...] = immutable_changes(live, after, types)
    if changes:
        causes = tuple(
            InvalidField(render_path(path), "FieldValueInvalid", words, immutable=True) for path, words in changes
        )
        remedy = "set hwplan.dev/replace: allow to delete and create it anew"
        raise Invalid(causes, where=str(identity), remedy=remedy)


def check_delete_allowed(identity: ObjectIdentity, live: JsonObject, uid: str, resource_version: str) -> None:
    """Checks a delete: its uid and resourceVersion, and the namespaces that no server deletes."""
    wanted = {"uid": uid, "resourceVersion": resource_version}
    check_preconditions(identity, live, {"metadata": {key: value for key, value in wanted.items() if value}})
    if identity.kind == "Namespace" and not identity.group and identity.name in _KEPT_NAMESPACES:
        raise Forbidden("forbidden: this namespace may not be deleted", where=str(identity))


def check_mutually_exclusive_fields(identity: ObjectIdentity, after: JsonObject) -> None:
    """Raises Invalid when fields stand side by side that exclude each other."""
    if found := mutually_exclusive_field_errors(after):
        raise Invalid(
            tuple(InvalidField(render_path(path), "FieldValueForbidden", words) for path, words in found),
            where=str(identity),
        )
