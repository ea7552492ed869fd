"""What comments, issues and commit statuses have in common: each is found by a key and our name, and is one at most.

A `KeyedObjectKind` says how one kind is listed, found, compared and written. Here is the order of things: look, compare
with what the plan saw, write once, look again. An answer that was lost is looked up, never sent again.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import field
from typing import Any, Protocol

from planner.address import Address
from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError
from planner.plan import Change
from planner.ports import Written
from planner.values import JsonObject, OutputRef, OutputTemplate, document_digest, encode_special_leaves
from providers.github.client import GitHubClient


@dataclass(frozen=True, slots=True)
class FoundGitHubObject:
    """A live object of ours: its id, what of it is compared with the declaration, its outputs."""

    identifier: str
    fields: JsonObject = field(repr=False)
    outputs: JsonObject = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The version token: a digest of what is compared."""
        return version_token_of_fields(self.fields)


def version_token_of_fields(fields: JsonObject) -> str:
    """The version token of an object with these fields."""
    return document_digest(encode_special_leaves(fields))


class KeyedObjectKind(Protocol):
    """One kind of object. `spec` is that of its document. All methods that ask raise ProviderError."""

    def place(self, spec: JsonObject) -> Hashable:
        """Equal for all objects that one listing finds; with a Ref or Sub in it while nobody knows where that is."""
        ...

    def list(self, client: GitHubClient, spec: JsonObject) -> Sequence[Any]:
        """List what stands there."""
        ...

    def find(self, listing: Sequence[Any], spec: JsonObject, login: str) -> Sequence[FoundGitHubObject]:
        """Those that are ours and have the key, the oldest first: there may be two after a race."""
        ...

    def wanted(self, spec: JsonObject) -> JsonObject:
        """The fields as declared, to be compared with those of FoundGitHubObject. Raises PermanentError."""
        ...

    def create(self, client: GitHubClient, spec: JsonObject) -> None:
        """Make the object."""
        ...

    def update(self, client: GitHubClient, spec: JsonObject, found: FoundGitHubObject) -> None:
        """Make it as declared."""
        ...

    def remove(self, client: GitHubClient, spec: JsonObject, extra: FoundGitHubObject, kept: FoundGitHubObject) -> None:
        """Take away one that was made twice."""
        ...


def has_unknown_output(place: Hashable) -> bool:
    """Whether the spec names the place of its object by an output that is not known yet."""
    return isinstance(place, tuple) and any(isinstance(part, OutputRef | OutputTemplate) for part in place)


def apply_keyed_object(kind: KeyedObjectKind, change: Change, client: GitHubClient) -> Written:
    """Make the object as wanted, starting from what the plan saw. Raises ProviderError; see planner.ports.Provider."""
    assert change.desired is not None
    spec: JsonObject = change.desired["spec"]
    wanted = kind.wanted(spec)
    if change.expects and change.expects != version_token_of_fields(wanted):
        raise PreconditionError("the object is not the one that was planned", where=str(change.address))
    found = _look(kind, spec, client)
    if found is not None and found.fields == wanted:
        return Written(found.identifier, found.outputs, already=True)
    _check_still(change, found)
    try:
        if found is None:
            kind.create(client, spec)
        else:
            kind.update(client, spec, found)
    except OutcomeUnknown as lost:
        return _looked_up(kind, spec, client, wanted, lost)
    return _confirmed(kind, spec, client, wanted, change.address)


def _look(kind: KeyedObjectKind, spec: JsonObject, client: GitHubClient) -> FoundGitHubObject | None:
    """The object as it is now. What was made twice by a race is taken away but for the oldest (P15): only ours, because
    others are not found."""
    all_found = kind.find(kind.list(client, spec), spec, client.login())
    for extra in all_found[1:]:
        kind.remove(client, spec, extra, all_found[0])
    return all_found[0] if all_found else None


def _check_still(change: Change, now: FoundGitHubObject | None) -> None:
    seen = change.precondition
    if now is None and seen.absent:
        return
    if now is not None and not seen.absent and (now.identifier, now.token) == (seen.uid, seen.content):
        return
    stands = "is not there" if now is None else "is there" if seen.absent else "was changed"
    remedy = "plan again: somebody else wrote it since"
    raise PreconditionError(f"it {stands}: not as the plan saw it", where=str(change.address), remedy=remedy)


def _looked_up(
    kind: KeyedObjectKind, spec: JsonObject, client: GitHubClient, wanted: JsonObject, lost: OutcomeUnknown
) -> Written:
    found = _look(kind, spec, client)
    if found is None or found.fields != wanted:
        raise OutcomeUnknown(f"{lost.message}, and it is not as wanted", where=lost.where, remedy=lost.remedy)
    warning = "the answer to the write was lost; reading showed that it succeeded"
    return Written(found.identifier, found.outputs, warnings=(warning,))


def _confirmed(
    kind: KeyedObjectKind, spec: JsonObject, client: GitHubClient, wanted: JsonObject, address: Address
) -> Written:
    """What stands there after the write. Of two that were made at once the oldest stays, and gets our text."""
    found = _look(kind, spec, client)
    if found is not None and found.fields != wanted:
        kind.update(client, spec, found)
        found = _look(kind, spec, client)
    if found is None:
        raise OutcomeUnknown("written, but it is not in the list", where=str(address))
    if found.fields != wanted:
        different = ", ".join(sorted(name for name in wanted if found.fields.get(name) != wanted[name]))
        if "body" in different:  # another command of ours, with another text
            raise PreconditionError("somebody wrote it at the same moment", where=str(address), remedy="plan again")
        raise PermanentError(
            f"after the write GitHub shows other values in {different}",
            where=str(address),
            remedy="may the token write them? labels are dropped without a word",
        )
    return Written(found.identifier, found.outputs)
