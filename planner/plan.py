"""The plan as data: what will be done to what, in which order, on which precondition. Frozen and secret-free.

Its JSON document is planner.plan_document's, its id planner.plan_id's. Makes no decision: that is
planner.planning; executes nothing: that is planner.executor. Display-only fields (`reason`, `source`, `manager`,
`time`) are never read back for a decision.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from planner.address import Address
from planner.dataclass import dataclass
from planner.field_path import FieldPath
from planner.redaction.clean_values import AS_IT_IS
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, JsonValue, OutputRef, OutputTemplate

SCHEMA_VERSION = 1
_NOWHERE = SourceRef("")


class Action(StrEnum):
    """What a change does. `adopt` is an update of an object that was not ours; `run` has an effect that ends; `forget`
    leaves the object as it is, but for the marks that make it ours."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    RUN = "run"
    FORGET = "forget"
    NOOP = "no-op"


LEAVING = frozenset({Action.DELETE, Action.FORGET})  # after these the object is ours no longer


class FieldOp(StrEnum):
    """What happens to one field. `disown` leaves the value in place: another manager owns it too, or the server keeps
    it."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    DISOWN = "disown"


class VerifiedBy(StrEnum):
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
    before: JsonValue = None
    after: JsonValue = None
    sensitive: bool = False
    manager: str = ""
    time: str = ""

    def reversed(self) -> FieldChange:
        """The change turned round, as drift shows it: `before` is what we declared, `after` what lives."""
        op = _REVERSED.get(self.op, self.op)
        return FieldChange(self.path, op, self.after, self.before, self.sensitive, self.manager, self.time)


_REVERSED = {FieldOp.ADD: FieldOp.REMOVE, FieldOp.REMOVE: FieldOp.ADD}


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

    def document(self) -> JsonObject:
        """Its JSON form."""
        return {"absent": self.absent, "uid": self.uid, "content": self.content}


@dataclass(frozen=True, slots=True)
class Change:
    """One node of the plan.

    `desired` is what will be written (None for a delete); `expects` is the digest of the fields we own as predicted,
    compared with the object after the write ("" when nobody could predict). `forced` are the only fields that may be
    taken from another manager. Ownership is moved to us first, so that what is not declared goes: `migrate` that of a
    client-side apply, `take_over` that of other managers, `claims` that of single fields, whoever owns them. `made` are
    the values of `desired` that other resources made, by plain path, as they were declared: an approval is about the
    declaration (docs/adr/0030). `in_clear` are the fields of `desired`, by plain path, that repeat the value of a
    secret: they are written, and shown masked also by a command that does not know the secret (docs/adr/0051).
    """

    address: Address
    action: Action
    api_version: str
    scope: str
    reason: str
    precondition: Precondition
    source: SourceRef
    desired: JsonObject | None = field(default=None, repr=False, metadata=AS_IT_IS)
    fields: tuple[FieldChange, ...] = ()
    needs: tuple[Address, ...] = ()
    verified: VerifiedBy = VerifiedBy.NO
    expects: str = ""
    forced: tuple[FieldPath, ...] = ()
    migrate: bool = False
    take_over: tuple[str, ...] = ()
    claims: tuple[FieldPath, ...] = ()
    wait: str = "ready"
    wait_seconds: float | None = None
    made: tuple[tuple[FieldPath, OutputRef | OutputTemplate], ...] = ()
    in_clear: tuple[FieldPath, ...] = ()

    @property
    def altered(self) -> tuple[FieldChange, ...]:
        """The fields whose live value becomes another one: all but those that are only given up."""
        return tuple(one for one in self.fields if one.op is not FieldOp.DISOWN)


@dataclass(frozen=True, slots=True)
class BlockedResource:
    """A resource that cannot be planned, and why. `evidence` is what was seen; `remedy` what would unblock it."""

    address: Address
    action: Action
    reason: str
    evidence: str = ""
    remedy: str = ""
    source: SourceRef = _NOWHERE
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftedField:
    """A live field that is not as we left it, or that nobody declared. `declared` says which of the two.

    `harmless` says why it is no cause for an alarm, and is empty where it is.
    """

    address: Address
    field: FieldChange
    declared: bool
    harmless: str = ""


class SideEffectKind(StrEnum):
    """What a change sets off, the gravest first. The value is what a reader sees."""

    OUTAGE = "downtime"
    LOSS = "data loss"
    BROKEN = "broken reference"
    REFERENCE = "still referenced"
    STALE = "keeps the old value"
    RESTART = "pods restart"
    CALLERS = "known callers"
    SCALE = "pods start or stop"
    RUN = "runs"
    LATER = "takes effect later"
    DELIVERY = "next delivery"
    RETIRE = "retires"
    CHECKED = "checked"


@dataclass(frozen=True, slots=True)
class SideEffect:
    """What follows from the plan at `address` beyond the fields that it writes: pods that restart, values that are read
    later or never, runs that start. For the reader; nothing is decided by it."""

    address: Address
    kind: SideEffectKind
    text: str


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
    made from. `destroy` marks a plan that takes everything away. `sets_off` is what follows from the changes.
    """

    selection: Selection = field(metadata=AS_IT_IS)
    cluster: ClusterIdentity
    inputs_config: str
    inputs_live: str
    changes: tuple[Change, ...]
    blocked: tuple[BlockedResource, ...] = ()
    drift: tuple[DriftedField, ...] = ()
    warnings: tuple[str, ...] = ()
    unchanged: int = 0
    destroy: bool = False
    sets_off: tuple[SideEffect, ...] = ()

    @property
    def applyable(self) -> bool:
        """Whether there is anything that apply would do."""
        return any(change.action is not Action.NOOP for change in self.changes)

    @property
    def complete(self) -> bool:
        """Whether everything selected is as declared once the plan is done: nothing blocked, nothing left out."""
        return not (self.blocked or self.selection.targets or self.selection.exclude)

    @property
    def is_empty(self) -> bool:
        """Nothing to do and nothing in the way."""
        return not self.blocked and not self.applyable

    def count(self, action: Action) -> int:
        """How many changes have this action (no-ops are counted by `unchanged`)."""
        return sum(change.action is action for change in self.changes)
