"""The provider of Retention: deletes old ended objects, exactly those of the plan, each as the version that it named.

What ended is told by ending.py, what goes by choosing.py. The plan carries its deletions in the document of the change
(`deletes`), because apply decides nothing: with it, a Retention looks at those objects only (docs/adr/0017).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from planner.address import Address, group_of
from planner.errors import PermanentError, PreconditionError, ProviderError, TemporaryError
from planner.plan import Change, FieldChange, FieldOp
from planner.ports import (
    Absent,
    Effect,
    Observation,
    Present,
    Preview,
    Readiness,
    ReadResult,
    Unreadable,
    Written,
)
from planner.resource import Resource
from planner.snapshot import KindPlace
from planner.values import Json, JsonObject, Vault, digest, open_outputs
from providers.kubernetes.cluster import Cluster, Listing, Place
from providers.kubernetes.operations.choosing import Choice, Rule, choose
from providers.kubernetes.operations.ending import RULES, can_end
from providers.kubernetes.placing import served
from providers.registry import Tools

DELETES = "deletes"
_SHOWN = 3


def create(tools: Tools) -> RetentionProvider:
    """The provider of one command."""
    return RetentionProvider(tools.api, lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class RetentionProvider:
    """See planner.ports.Provider. `now` is asked once for each reading; ages are measured from it."""

    cluster: Cluster
    now: Callable[[], datetime]

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindPlace]) -> ReadResult:
        """See Provider. Present is what is to be deleted, also if that is nothing; one LIST for each kind and place."""
        places = {one.address: self._place(one.manifest["spec"]["selector"]) for one in wanted}
        listing = self.cluster.list(sorted({place for place in places.values() if isinstance(place, Place)}))
        now = self.now()
        return ReadResult({one.address: _observe(one, places[one.address], listing, now) for one in wanted})

    def _place(self, selector: JsonObject) -> Place | ProviderError | None:
        """Where to look; None when the cluster does not serve the kind, so that there is nothing to delete."""
        api_version, kind, namespace = selector["apiVersion"], selector["kind"], selector.get("namespace") or ""
        if not can_end(group_of(api_version), kind):
            return PermanentError(f"nobody can tell when a {kind} has ended", remedy=f"known: {_KNOWN}")
        try:
            found = served(self.cluster, api_version, kind)
        except ProviderError as error:
            return error
        if found is None:
            return None
        if found.namespaced != bool(namespace):
            wrong = "stands in a namespace: write selector.namespace" if found.namespaced else "stands in no namespace"
            return PermanentError(f"a {kind} {wrong}")
        return Place(found, namespace)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. A field for each deletion: the name, and how and when it ended."""
        return {one.address: _preview(one, seen) for one, seen in items if not isinstance(seen, Unreadable)}

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Nothing is deleted when one object is not the planned one any more; what is gone is done."""
        deletes = _deletes(change)
        place, live = self._alive(change)
        if moved := [row["name"] for row in deletes if _has_moved(row, live.get(row["name"]))]:
            more = f" and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
            message = f"changed since the plan was made: {', '.join(moved[:_SHOWN])}{more}"
            raise PreconditionError(message, where=str(change.address), remedy="plan again")
        left = [row for row in deletes if not _is_leaving(live.get(row["name"]))]
        for row in left:
            assert place is not None
            version = {"uid": row["uid"], "resource_version": row["resourceVersion"]}
            self.cluster.delete(place.kind, place.namespace, row["name"], **version)
        return Written("", {"deleted": len(deletes)}, already=not left)

    def delete(self, change: Change) -> Written:
        """Always raises PermanentError: there is nothing to delete."""
        raise PermanentError("a clean-up is nothing that could be deleted", where=str(change.address))

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See Provider. Done when all planned objects are gone: finalizers may hold one."""
        return {change.address: self._readiness(change) for change in changes}

    def _readiness(self, change: Change) -> Readiness:
        deletes = _deletes(change)
        try:
            _, live = self._alive(change)
        except ProviderError as error:
            return Readiness(done=not isinstance(error, TemporaryError), ok=False, message=error.message)
        left = [row["name"] for row in deletes if _is_it(row, live.get(row["name"]))]
        if left:
            return Readiness(done=False, ok=False, message=f"{len(left)} still being deleted, such as {left[0]}")
        return Readiness(done=True, ok=True, outputs={"deleted": len(deletes)})

    def _alive(self, change: Change) -> tuple[Place | None, Mapping[str, JsonObject]]:
        """The objects at the place of a change, by name. Raises ProviderError."""
        place = self._place((change.desired or {})["spec"]["selector"])
        if isinstance(place, ProviderError):
            raise place
        found = self.cluster.list([place])[place] if place else ()
        if isinstance(found, ProviderError):
            raise found
        return place, {live["metadata"]["name"]: live for live in found}


_KNOWN = ", ".join(sorted(kind for _, kind in RULES))


# --- planning ------------------------------------------------------------------------------------------------------


def _observe(resource: Resource, place: Place | ProviderError | None, listing: Listing, now: datetime) -> Observation:
    if open_outputs(resource.manifest["spec"]):
        return Absent(resource.address)  # it comes again when outputs are filled in
    found = listing[place] if isinstance(place, Place) else place or ()
    if isinstance(found, ProviderError):
        return Unreadable(resource.address, found.message)
    if planned := resource.manifest.get(DELETES):
        live = {one["metadata"]["name"]: one for one in found}
        still = [row for row in planned if not _has_moved(row, live.get(row["name"]))]
        return Present(resource.address, "", _version(still))
    choice = choose(Rule.of(resource.manifest["spec"]), found, now)
    value = {"choice": choice, "served": place is not None}
    return Present(resource.address, "", _version(_rows(choice)), value)


def _rows(choice: Choice) -> list[JsonObject]:
    return [{"name": one.name, "uid": one.uid, "resourceVersion": one.version} for one in choice.doomed]


def _version(rows: Json) -> str:
    return digest({"deletes": rows})


def _preview(resource: Resource, seen: Observation) -> Preview:
    if not isinstance(seen, Present) or seen.value is None:
        return Preview(Effect.RUN, blocked=_TOO_LATE, remedy="name outputs that are known when planning")
    choice: Choice = seen.value["choice"]
    if not choice.doomed:
        kind = resource.manifest["spec"]["selector"]["kind"]
        warnings = () if seen.value["served"] else (f"the cluster serves no {kind}: nothing to clean up",)
        return Preview(Effect.NONE, outputs={"deleted": 0}, warnings=warnings)
    more = f"{choice.more} more are due: the limit of one plan leaves them for the next"
    return Preview(
        Effect.RUN,
        tuple(FieldChange((one.name,), FieldOp.REMOVE, str(one.ending)) for one in choice.doomed),
        desired={**resource.manifest, DELETES: _rows(choice)},
        outputs={"deleted": len(choice.doomed)},
        warnings=(more,) if choice.more else (),
    )


_TOO_LATE = "it uses an output that is not known yet, and deletions are planned by name"


# --- planned and live ----------------------------------------------------------------------------------------------


def _deletes(change: Change) -> list[JsonObject]:
    rows: list[JsonObject] = (change.desired or {}).get(DELETES) or []
    return rows


def _is_it(row: JsonObject, live: JsonObject | None) -> bool:
    return live is not None and live["metadata"]["uid"] == row["uid"]


def _is_leaving(live: JsonObject | None) -> bool:
    """Whether the object is gone, or on its way out by our own delete or another's."""
    return live is None or bool(live["metadata"].get("deletionTimestamp"))


def _has_moved(row: JsonObject, live: JsonObject | None) -> bool:
    """Whether something else than the planned version stands there: changed, running again, or made anew."""
    if live is None or (_is_it(row, live) and _is_leaving(live)):
        return False
    metadata = live["metadata"]
    return (metadata["uid"], metadata["resourceVersion"]) != (row["uid"], row["resourceVersion"])
