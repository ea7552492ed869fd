"""The provider of Retention: deletes old ended objects, exactly those of the plan, each as the version that it named.

What ended is determined by object_end.py, what goes by retention_choice.py and choose_inactive_objects.py. The plan
carries its deletions in the document of the change (`deletes`), because apply decides nothing: with it, a Retention
looks at those objects only (docs/adr/0017)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from planner.address import Address, group_of_api_version
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError, PreconditionError, ProviderError, TemporaryError
from planner.plan import Change, FieldChange, FieldOp
from planner.ports import (
    AbsentObject,
    NeverDeletes,
    Observation,
    PresentObject,
    Preview,
    PreviewEffect,
    Readiness,
    ReadResult,
    UnreadableObject,
    Written,
)
from planner.resource import Resource
from planner.values import Json, JsonObject, Vault, document_digest, outputs_in_document
from providers.cluster_interface import Cluster, KubernetesListScope, Listing
from providers.kubernetes.object_location import served_kind
from providers.kubernetes.operations.choose_inactive_objects import (
    InactiveObjectsChoice,
    InactivityRule,
    choose_inactive_objects,
    last_activity,
    with_newest_heartbeat_of_pods,
)
from providers.kubernetes.operations.object_end import RULES, kind_has_rule_for_its_end
from providers.kubernetes.operations.retention_choice import RetentionChoice, RetentionRule, choose_expired_objects
from providers.provider_tools import ProviderTools

DELETES = "deletes"
_SHOWN = 3


def create_retention_provider(tools: ProviderTools) -> RetentionProvider:
    """Creates the provider of Retention for one run of a hwplan command."""
    return RetentionProvider(tools.api, tools.api.server_time)


@dataclass(frozen=True, slots=True)
class RetentionProvider(NeverDeletes):
    """Deletes ended or inactive objects by their retention rules (planner.ports.Provider). `now` is the
    clock of the server, asked once for each reading; ages are measured from it."""

    cluster: Cluster
    now: Callable[[], datetime]

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider. A PresentObject is what is to be deleted, also if that is nothing; one LIST for each kind and
        namespace."""
        places = {one.address: self._place(one.manifest["spec"]["selector"]) for one in wanted}
        looked = {place for place in places.values() if isinstance(place, KubernetesListScope)}
        looked |= {pods for one in wanted if (pods := self._pods(one.manifest, places[one.address]))}
        listing = self.cluster.list(sorted(looked))
        seen = {one.address: self._found(one.manifest, places[one.address], listing) for one in wanted}
        try:
            now = self.now()
        except ProviderError as error:  # no age is known, so that nothing may be deleted
            return ReadResult({one.address: UnreadableObject(one.address, error.message) for one in wanted})
        return ReadResult({one.address: _observe(one, places[one.address], seen[one.address], now) for one in wanted})

    def _pods(
        self, manifest: JsonObject, place: KubernetesListScope | ProviderError | None
    ) -> KubernetesListScope | None:
        """The pods that may carry the heartbeats of what stands in `place`; None where only it is asked."""
        if (
            InactivityRule.of(manifest) is None
            or not isinstance(place, KubernetesListScope)
            or place.kind.kind == "Pod"
        ):
            return None
        pods = served_kind(self.cluster, "v1", "Pod")
        return KubernetesListScope(pods, place.namespace) if pods else None

    def _found(
        self, manifest: JsonObject, place: KubernetesListScope | ProviderError | None, listing: Listing
    ) -> Sequence[JsonObject] | ProviderError:
        """The objects of a listing that stand in `place`, with the heartbeats of their pods; or why it is unknown."""
        if not isinstance(place, KubernetesListScope):
            return place or ()
        found, pods = listing[place], self._pods(manifest, place)
        rule = InactivityRule.of(manifest)
        if isinstance(found, ProviderError) or rule is None or pods is None:
            return found
        parts = listing[pods]
        return (
            parts if isinstance(parts, ProviderError) else with_newest_heartbeat_of_pods(found, parts, rule.heartbeat)
        )

    def _place(self, selector: JsonObject) -> KubernetesListScope | ProviderError | None:
        """Where to look; None when the cluster does not serve the kind, so that there is nothing to delete."""
        api_version, kind, namespace = selector["apiVersion"], selector["kind"], selector.get("namespace") or ""
        if not kind_has_rule_for_its_end(group_of_api_version(api_version), kind):
            return PermanentError(f"it is not known when a {kind} has ended", remedy=f"known: {_KNOWN}")
        try:
            found = served_kind(self.cluster, api_version, kind)
        except ProviderError as error:
            return error
        if found is None:
            return None
        if found.namespaced != bool(namespace):
            wrong = "stands in a namespace: write selector.namespace" if found.namespaced else "stands in no namespace"
            return PermanentError(f"a {kind} {wrong}")
        return KubernetesListScope(found, namespace)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. A field for each deletion: the name, and how and when it ended."""
        return {one.address: _preview(one, seen) for one, seen in items if not isinstance(seen, UnreadableObject)}

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Nothing is deleted when one object is not the planned one any more; what is gone is done."""
        deletes = _deletes(change)
        rule = InactivityRule.of(change.desired or {})
        place, live = self._alive(change)
        if moved := [row["name"] for row in deletes if _has_moved(row, live.get(row["name"]), rule)]:
            more = f" and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
            message = f"changed since the plan was made: {', '.join(moved[:_SHOWN])}{more}"
            raise PreconditionError(message, where=str(change.address), remedy="plan again")
        left = [row for row in deletes if not _is_leaving(live.get(row["name"]))]
        for row in left:
            assert place is not None
            version = {"uid": row["uid"], "resource_version": row["resourceVersion"]}
            self.cluster.delete(place.kind, place.namespace, row["name"], **version)
        return Written("", {"deleted": len(deletes)}, already=not left)

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

    def _alive(self, change: Change) -> tuple[KubernetesListScope | None, Mapping[str, JsonObject]]:
        """The objects at the place of a change, by name. Raises ProviderError."""
        manifest = change.desired or {}
        place = self._place(manifest["spec"]["selector"])
        if isinstance(place, ProviderError):
            raise place
        pods = self._pods(manifest, place)
        listing = self.cluster.list(sorted({one for one in (place, pods) if one}))
        found = self._found(manifest, place, listing)
        if isinstance(found, ProviderError):
            raise found
        return place, {live["metadata"]["name"]: live for live in found}


_KNOWN = ", ".join(sorted(kind for _, kind in RULES))


# --- planning ------------------------------------------------------------------------------------------------------


def _observe(
    resource: Resource,
    place: KubernetesListScope | ProviderError | None,
    found: Sequence[JsonObject] | ProviderError,
    now: datetime,
) -> Observation:
    if outputs_in_document(resource.manifest["spec"]):
        return AbsentObject(resource.address)  # it comes again when outputs are filled in
    if isinstance(found, ProviderError):
        return UnreadableObject(resource.address, found.message)
    if planned := resource.manifest.get(DELETES):
        live = {one["metadata"]["name"]: one for one in found}
        activity = InactivityRule.of(resource.manifest)
        still = [row for row in planned if not _has_moved(row, live.get(row["name"]), activity)]
        return PresentObject(resource.address, "", _version(still))
    choice = _choose(resource.manifest, found, now)
    value = {"choice": choice, "served": place is not None}
    return PresentObject(resource.address, "", _version(_rows(choice)), value)


def _choose(manifest: JsonObject, found: Sequence[JsonObject], now: datetime) -> RetentionChoice:
    rule, activity = RetentionRule.of(manifest["spec"]), InactivityRule.of(manifest)
    return choose_inactive_objects(rule, activity, found, now) if activity else choose_expired_objects(rule, found, now)


def _rows(choice: RetentionChoice) -> list[JsonObject]:
    rows: list[JsonObject] = [
        {"name": one.name, "uid": one.uid, "resourceVersion": one.version} for one in choice.to_delete
    ]
    if isinstance(choice, InactiveObjectsChoice):
        times = {one.name: one.time for one in choice.looked_at if not one.forced}
        rows = [row | ({"lastActivity": times[row["name"]]} if row["name"] in times else {}) for row in rows]
    return rows


def _version(rows: Json) -> str:
    return document_digest({"deletes": rows})


def _preview(resource: Resource, seen: Observation) -> Preview:
    if not isinstance(seen, PresentObject) or seen.value is None:
        return Preview(PreviewEffect.RUN, blocked=_TOO_LATE, remedy="name outputs that are known when planning")
    choice: RetentionChoice = seen.value["choice"]
    if choice.stays:
        return Preview(
            PreviewEffect.RUN, blocked=choice.stays, remedy="what runs, and what is protected, is never deleted"
        )
    if not choice.to_delete:
        kind = resource.manifest["spec"]["selector"]["kind"]
        warnings = () if seen.value["served"] else (f"the cluster serves no {kind}: nothing to clean up",)
        return Preview(PreviewEffect.NONE, outputs={"deleted": 0}, warnings=warnings)
    forced = _FORCED if "criteria" in resource.manifest else ()
    more = f"{choice.more} more are due: the limit of one plan leaves them for the next"
    return Preview(
        PreviewEffect.RUN,
        (*forced, *(FieldChange((one.name,), FieldOp.REMOVE, one.ending) for one in choice.to_delete)),
        desired={**resource.manifest, DELETES: _rows(choice)},
        outputs={"deleted": len(choice.to_delete)},
        warnings=(more,) if choice.more else (),
    )


# What a plan shows that takes active objects along; its id, which has this field, is what confirms it (B16).
_FORCED = (FieldChange(("criteria", "forceActive"), FieldOp.ADD, after=True),)
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


def _has_moved(row: JsonObject, live: JsonObject | None, activity: InactivityRule | None) -> bool:
    """Whether something else than the planned version stands there: changed, running again, or made anew; or one with
    a sign of life since. A row without a version is bound to the uid alone."""
    if live is None or (_is_it(row, live) and _is_leaving(live)):
        return False
    if not row["resourceVersion"]:
        return not _is_it(row, live)
    metadata = live["metadata"]
    if activity and "lastActivity" in row:
        last = last_activity(live, activity.heartbeat)
        if last is None or last.strftime("%Y-%m-%dT%H:%M:%SZ") != row["lastActivity"]:
            return True
    return (metadata["uid"], metadata["resourceVersion"]) != (row["uid"], row["resourceVersion"])
