"""The plan as data: what will be done to what, in which order, on which precondition. Frozen and secret-free.

Owns the JSON document of spec 05 ("The plan as JSON"), its canonical bytes and its id. Makes no decision: that is
planner.planning; executes nothing: that is planner.executor. Display-only fields (`reason`, `source`, `manager`,
`time`) are never read back for a decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from planner.address import Address
from planner.path import FieldPath
from planner.source import SourceRef
from planner.values import Json, JsonObject

SCHEMA_VERSION = 1
_NOWHERE = SourceRef("")


class Action(StrEnum):
    """What a change does. `adopt` is an update of an object that was not ours; `run` has an effect that ends."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    RUN = "run"
    NOOP = "no-op"


class FieldOp(StrEnum):
    """What happens to one field. `disown` leaves the value in place: another manager owns it too."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    DISOWN = "disown"


class Verified(StrEnum):
    """Who vouches for the after-state: the server's dry run, a schema, or nobody."""

    SERVER = "server"
    SCHEMA = "schema"
    NO = "no"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after. Values are JSON or special leaves; absent is None with `op` telling which side.

    `manager` and `time` (UTC ISO-8601, seconds) name another field manager that set the live value, else are empty.
    """

    path: FieldPath
    op: FieldOp
    before: Json = None
    after: Json = None
    sensitive: bool = False
    manager: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must still hold right before the write.

    Either `absent`, or the object with `uid` whose content digest (everything but status, managedFields and what the
    server counts) is `content`. For hwplan's own kinds `content` is the version token of that system (an object id of
    git, a manifest digest) and `uid` is empty. The resourceVersion of the moment is used for the write itself: a
    controller that only writes status must not make every plan stale (docs/adr/0003).
    """

    absent: bool = False
    uid: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One node of the plan.

    `desired` is what will be written (None for a delete); `expects` is the digest of the fields we own as predicted,
    compared with the object after the write ("" when nobody could predict). `forced` are the only fields that may be
    taken from another manager. `migrate` says that ownership of a client-side apply is moved to us first.
    """

    address: Address
    action: Action
    api_version: str
    scope: str
    reason: str
    precondition: Precondition
    source: SourceRef
    desired: JsonObject | None = field(default=None, repr=False)
    fields: tuple[FieldChange, ...] = ()
    needs: tuple[Address, ...] = ()
    verified: Verified = Verified.NO
    expects: str = ""
    forced: tuple[FieldPath, ...] = ()
    migrate: bool = False
    wait: str = "ready"
    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A resource that cannot be planned, and why. `evidence` is what was seen; `remedy` what would unblock it."""

    address: Address
    action: Action
    reason: str
    evidence: str = ""
    remedy: str = ""
    source: SourceRef = _NOWHERE
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """A live field that is not as we left it, or that nobody declared. `declared` tells which of the two."""

    address: Address
    field: FieldChange
    declared: bool


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """Which cluster: `uid` of its kube-system namespace, a display name of the server, and whether it is simulated."""

    uid: str
    server: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """What was selected, as resolved. `name` is the APP of plain manifests, then `product` is empty."""

    product: str = ""
    name: str = ""
    nodes: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan. `changes` are in a stable topological order, ties broken by address.

    `unchanged` counts resources with nothing to do; `inputs_config` and `inputs_live` are digests of what the plan was
    made from. `destroy` marks a plan that takes everything away.
    """

    selection: Selection
    cluster: ClusterIdentity
    inputs_config: str
    inputs_live: str
    changes: tuple[Change, ...]
    blocked: tuple[Blocked, ...] = ()
    drift: tuple[Drift, ...] = ()
    warnings: tuple[str, ...] = ()
    unchanged: int = 0
    destroy: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing to do and nothing in the way."""
        return not self.blocked and all(change.action is Action.NOOP for change in self.changes)

    def count(self, action: Action) -> int:
        """How many changes have this action (no-ops are counted by `unchanged`)."""
        return sum(change.action is action for change in self.changes)
