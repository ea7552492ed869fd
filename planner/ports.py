"""The ports: what the core needs from the outside, as small protocols and the frozen values that cross them.

Providers (providers/) and the store (state/) implement them; planner.app wires them. Nothing here does anything but
refuse.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Protocol, TypeAlias

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.field_path import FieldPath
from planner.late_text import LateText
from planner.plan import Change, ClusterIdentity, DriftedField, FieldChange, Precondition, VerifiedBy
from planner.redaction.clean_values import AS_IT_IS
from planner.resource import Resource
from planner.values import Json, JsonObject, SecretValue, Vault


@dataclass(frozen=True, slots=True)
class PresentObject:
    """An object that was read and is there. `uid` and `content` name this very version for the precondition; `content`
    may be made late. `value` is sealed, and None for kinds whose value is the token. `owned_by` is the owned set it is
    labelled with ("" if none), `orphan_on_delete` the annotation by which it stays when it is no longer declared."""

    address: Address
    uid: str
    content: str | LateText
    value: JsonObject | None = field(default=None, repr=False, metadata=AS_IT_IS)
    owned_by: str = ""
    scope: str = ""
    protected: bool = False
    orphan_on_delete: str = ""
    outputs: JsonObject = field(default_factory=dict, repr=False)

    @property
    def precondition(self) -> Precondition:
        """The precondition that this version still is what stands there."""
        return Precondition(uid=self.uid, content=str(self.content))


@dataclass(frozen=True, slots=True)
class AbsentObject:
    """An object that was looked for and is not there."""

    address: Address


@dataclass(frozen=True, slots=True)
class UnreadableObject:
    """An object that could not be read, and why: forbidden, a time-out, TLS. Never the same as absent (spec 04,
    promise 7)."""

    address: Address
    reason: str


Observation: TypeAlias = PresentObject | AbsentObject | UnreadableObject


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Everything one provider saw. `strays` are live objects of the wanted owned sets that nobody asked for by address.

    `sets` are the owned sets of objects of ours that were seen beside those asked for. `unlisted` are places that could
    not be listed: nothing is pruned from there, and a warning says so.
    """

    observations: Mapping[Address, Observation]
    strays: tuple[PresentObject, ...] = ()
    unlisted: tuple[UnreadableObject, ...] = ()
    warnings: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()


class PreviewEffect(StrEnum):
    """What an apply would do to one resource, as a provider's preview says: nothing, create, update, replace or run."""

    NONE = "none"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen to one resource, predicted by its provider.

    `desired` is the document to write when it differs from the resource's own (outputs filled in). `blocked` is the
    reason why it cannot be done ("" if it can), `remedy` what would change that. `drifted` is true when the desired
    document is what was applied last, so that any difference was made by somebody else. `drift` are live fields that
    are not as we left them, or that we never declared. `forced` are fields to be taken from other managers; `migrate`,
    `take_over` and `claims` are as in planner.plan.Change.
    `awaiting` says what an unchanged object still lacks to be ready ("" when it is ready).
    `on_change` limits a run: it is planned only where one of these addresses changes in the same plan, and with an
    empty tuple where anything does that it needs, directly or not; None means that it is wanted in any case. It is also
    planned where something that it needs is replaced, because the new object remembers nothing of it.
    `lacks` are objects that a run needs and that are not there: it is blocked unless this plan makes them.
    """

    effect: PreviewEffect
    fields: tuple[FieldChange, ...] = ()
    verified: VerifiedBy = VerifiedBy.NO
    desired: JsonObject | None = field(default=None, repr=False, metadata=AS_IT_IS)
    expects: str = ""
    forced: tuple[FieldPath, ...] = ()
    migrate: bool = False
    take_over: tuple[str, ...] = ()
    claims: tuple[FieldPath, ...] = ()
    drifted: bool = False
    drift: tuple[DriftedField, ...] = ()
    blocked: str = ""
    evidence: str = ""
    remedy: str = ""
    outputs: JsonObject = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()
    awaiting: str = ""
    on_change: tuple[Address, ...] | None = None
    lacks: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """The effect as read back. `already` is true when the world was as planned before anything was sent, `ready` when
    nothing of it is to be waited for: its readiness is then not asked for. `said` is for
    the reader of the run and is stored: a headline, and below it lines of foreign text that were asked to be stored.
    `printed` are lines that a command printed: shown to the reader of this run, and never stored. `vanishes` is true
    of what may be gone before anybody looks again: that it was made is then on disk before it is waited for."""

    uid: str
    outputs: JsonObject = field(default_factory=dict, repr=False)
    already: bool = False
    warnings: tuple[str, ...] = ()
    said: str = ""
    printed: str = ""
    ready: bool = False
    vanishes: bool = False


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the thing has become what it should be. `done` and not `ok` is a failure that waiting will not mend.
    `warnings` are about what is done and well."""

    done: bool
    ok: bool
    message: str = ""
    outputs: JsonObject = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()


class Provider(Protocol):
    """One system of the outside world. Methods may be called from many threads at once.

    All methods raise planner.errors.ProviderError subclasses, never errors of a library.
    """

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """Read all `wanted` in bulk, and find strays of the `owned` sets there and in `also`. Writes nothing.

        Does not raise for a part that cannot be read: that part is an UnreadableObject. A resource that takes outputs
        of others comes a second time when they are filled in; what was read from a system until then is not asked for
        again. Where its identity is not known yet it is an AbsentObject.
        """
        ...

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """Predict each item. All desired resources of this provider come in one call, so that a namespace or a CRD that
        is absent but among the items is known to be on its way. UnreadableObject items are left out. Writes nothing."""
        ...

    def apply(self, change: Change, vault: Vault) -> Written:
        """Make the effect of a create, update, adopt, replace or run. Reads first: when the world already is as
        `change` expects, nothing is sent (`already`). Raises PreconditionError when it is neither that nor what the
        plan saw."""
        ...

    def delete(self, change: Change) -> Written:
        """Delete with the precondition of `change`; an object that is gone already counts as deleted. A `forget` only
        takes the marks away that make the object ours."""
        ...

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """Look at all of them in bulk, once. A deleted object is done when it is gone."""
        ...


class NeverDeletes:
    """The `delete` of a provider whose kinds hwplan never deletes: there is no thing that stays, or nothing on it says
    whose it is. To inherit from."""

    __slots__ = ()

    def delete(self, change: Change) -> Written:
        """Always raises PermanentError."""
        raise PermanentError(f"a {change.address.kind} is not deleted by hwplan", where=str(change.address))


class ClusterProvider(Provider, Protocol):
    """The provider that also knows which cluster it talks to."""

    def identity(self) -> ClusterIdentity:
        """Identity of the cluster. Raises ProviderError when it cannot be determined."""
        ...


class Fingerprinter(Protocol):
    """Makes keyed fingerprints of secret bytes: HMAC with the key of the state, never a bare hash."""

    def fingerprint(self, value: bytes) -> str:
        """`hmac-sha256:<16 hex>`; equal for equal bytes and key, useless without the key."""
        ...


class Clock(Protocol):
    """Time as the core sees it; tests give their own."""

    def now(self) -> str:
        """UTC ISO-8601 with milliseconds, ending in Z."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class SecretValueReader(Protocol):
    """Reads secret values named by `SealedSecret.ref` at the moment of the write."""

    def value(self, ref: str) -> SecretValue:
        """The value now. Raises PermanentError naming the source, never the value."""
        ...


Outputs: TypeAlias = Mapping[Address, Mapping[str, Json]]
