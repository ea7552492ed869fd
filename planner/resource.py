"""A desired resource: one document of the stack with its identity, its place in the input and its options.

Frozen data only. The manifest of a Secret holds Sealed leaves, never values (see planner.values).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.address import Address
from planner.path import FieldPath
from planner.source import SourceRef
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
ADOPT_FIELDS = ANNOTATION + "adopt-fields"

# What hwplan writes on every object that it applies.
SET_LABEL = ANNOTATION + "set"  # the owned set: `hwlab.D601.v03`, or the APP of `--name APP`
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


@dataclass(frozen=True, slots=True)
class Options:
    """What the annotations of a resource say.

    `wait` is "ready" (the default), "none", or a duration in seconds as a budget of its own; `replace_allowed` permits
    delete-and-create; `protect` forbids any delete; `ignore_fields` are left to other controllers; `adopt_fields` may
    be taken from another field manager; `on_delete` is "delete" or "orphan".
    """

    wait: str = "ready"
    wait_seconds: float | None = None
    replace_allowed: bool = False
    protect: bool = False
    ignore_fields: tuple[FieldPath, ...] = ()
    adopt_fields: tuple[FieldPath, ...] = ()
    on_delete: str = "delete"
    role: str = ""
    depends_on: tuple[Address, ...] = ()


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
    options: Options = Options()
