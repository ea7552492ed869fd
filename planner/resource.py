"""A desired resource: one document of the stack with its identity, its place in the input and its options.

Frozen data only. The manifest of a Secret holds SealedSecret leaves, never values (see planner.values).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from planner.address import Address
from planner.dataclass import dataclass
from planner.field_path import FieldPath
from planner.source_line_ref import SourceRef
from planner.values import JsonObject

# Annotations that hwplan reads on any resource (spec 04, "Identity, order, options").
ANNOTATION = "hwplan.dev/"
SCOPE = ANNOTATION + "scope"
DEPENDS_ON = ANNOTATION + "depends-on"
WAIT = ANNOTATION + "wait"
REPLACE = ANNOTATION + "replace"
PROTECT = ANNOTATION + "protect"
IGNORE_FIELDS = ANNOTATION + "ignore-fields"
ON_DELETE = ANNOTATION + "on-delete"
ROLE = ANNOTATION + "role"
PROVENANCE = ANNOTATION + "provenance"
ADOPT_FIELDS = ANNOTATION + "adopt-fields"
TAKE_OVER = ANNOTATION + "take-over"

DEFAULT_WAIT_SECONDS = 300.0  # that a change is waited for whose resource says nothing else

# What hwplan writes on every object that it applies.
SET_LABEL = ANNOTATION + "set"  # the owned set: `shop.D601.v03`, or the APP of `--name APP`
APPLIED = ANNOTATION + "applied"  # digest of the desired document, so that "nothing to do" needs no request
GENERATED = ANNOTATION + "generated"  # on a Secret: `key=rotation,...` of the values that hwplan made

# Annotations in which other tools keep a copy of the whole object, of a Secret with its values.
COPIES = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "kapp.k14s.io/original",
        "objectset.rio.cattle.io/applied",
        "banzaicloud.com/last-applied",
    }
)

HELM_POLICY = "helm.sh/resource-policy"  # with `keep` an object outlives its release ("Tips and tricks" of Helm)


def annotation_that_keeps_object(annotations: Mapping[str, str]) -> str:
    """The annotation, as people write it, by which an object stays when it is no longer declared; "" where it goes.
    Ours goes before Helm's."""
    if (ours := annotations.get(ON_DELETE)) is not None:
        return "on-delete: orphan" if ours == "orphan" else ""
    return f"{HELM_POLICY}: keep" if str(annotations.get(HELM_POLICY, "")).strip().lower() == "keep" else ""


class HelmHookPhase(Enum):
    """The phase of a Helm hook in an apply: before or after the other objects of its set."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class ResourceOptions:
    """What the annotations of a resource say.

    `wait` is "ready" (the default), "none", or a duration in seconds as a budget of its own; `replace_allowed` permits
    delete-and-create; `protect` forbids any delete; `ignore_fields` are left to other controllers; `adopt_fields` may
    be taken from another field manager; what the managers of `take_over` own becomes ours, so that what is not declared
    goes; with `reset_undeclared` (of a command, never of an annotation) so does every field that nobody declared;
    `on_delete` is "delete" or "orphan"; `provenance` is the field of a live object of role `runtime` that holds the
    source commit that it was made from, empty where none does; `hook` is set for a Helm hook.
    """

    wait: str = "ready"
    wait_seconds: float | None = None
    replace_allowed: bool = False
    protect: bool = False
    ignore_fields: tuple[FieldPath, ...] = ()
    adopt_fields: tuple[FieldPath, ...] = ()
    take_over: tuple[str, ...] = ()
    reset_undeclared: bool = False
    on_delete: str = "delete"
    role: str = ""
    provenance: FieldPath = ()
    depends_on: tuple[Address, ...] = ()
    hook: HelmHookPhase | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One desired resource.

    `manifest` is the whole document as it will be written, annotations and ownership label included. `owned_by` is the
    owned set it belongs to, the value of the ownership label; `scope` is the scope of its template or annotation.
    """

    address: Address
    api_version: str
    manifest: JsonObject = field(repr=False)
    owned_by: str
    scope: str
    source: SourceRef
    options: ResourceOptions = ResourceOptions()
