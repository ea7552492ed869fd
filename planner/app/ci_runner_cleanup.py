"""Clean-up of CI runners and other objects that run until somebody deletes them: narrowed by a command, and what is
known of each (A6, B16).

A command may only narrow what the configuration selects. `force` is the exception that an operator asks for: active
objects go as well, and only with the id of a plan that showed it.
"""

from __future__ import annotations

from dataclasses import replace

from planner.app.plan_with_inputs import PlanWithInputs
from planner.app.resource_filters import is_retention_of_inactive_objects
from planner.app.session import Session
from planner.dataclass import dataclass
from planner.errors import RefusedError, SelectionError
from planner.ports import PresentObject, UnreadableObject
from planner.resource import Resource
from planner.values import JsonObject
from providers.kubernetes.operations.choose_inactive_objects import ACTIVE, ENDED, InactiveObjectsChoice, ObjectActivity

SCOPE = "runners"  # of a product, taken where the command names no scope


@dataclass(frozen=True, slots=True)
class RetentionSelection:
    """One Retention of a plan, and what its choice is made from. `selected` are the names of what goes; `problem` says
    why nothing is known, "" where it is."""

    resource: Resource
    looked_at: tuple[ObjectActivity, ...] = ()
    selected: frozenset[str] = frozenset()
    problem: str = ""

    @property
    def forced(self) -> bool:
        """Whether active objects go as well."""
        return bool((self.resource.manifest.get("criteria") or {}).get("forceActive"))

    def name_of(self, one: ObjectActivity) -> str:
        """An object as addresses are written."""
        selector = self.resource.manifest["spec"]["selector"]
        return f"{selector['kind']}/{selector['namespace']}/{one.name}"

    def inactive(self) -> tuple[ObjectActivity, ...]:
        """What may go without cutting anything off."""
        return tuple(one for one in self.looked_at if one.free and one.state != ACTIVE)

    def cut_off(self) -> tuple[ObjectActivity, ...]:
        """Active objects that go."""
        return tuple(one for one in self.looked_at if one.state == ACTIVE and one.name in self.selected)


def check_forced_cleanup(*, force: bool, confirmed: bool, plan_id: str) -> None:
    """Refuse the confirmed deletion of active objects that no shown plan stands behind. Raises RefusedError."""
    if force and confirmed and not plan_id:
        raise RefusedError(
            "it cuts active runs off, and is confirmed with the id of a plan that showed criteria.forceActive=true",
            where="--force-active",
            remedy="run it without --confirm, read who is cut off, and give its --plan-id",
        )


def narrow_retentions_of_inactive_runners(session: Session, limit: int | None, *, force: bool) -> tuple[Resource, ...]:
    """The resources of the session, its Retentions with `activity` narrowed to `limit` deletions, or forced.

    Raises SelectionError where there is none, and for a limit above that of the configuration."""
    resources = session.stack.resources
    if not any(map(is_retention_of_inactive_objects, resources)):
        where = ", ".join((*session.stack.nodes, *session.stack.lanes))
        raise SelectionError(
            "nothing here says which runners may go",
            where=where,
            remedy=f"declare a Retention with `activity` in the scope {SCOPE}",
        )
    return tuple(_chosen(one, limit, force) if is_retention_of_inactive_objects(one) else one for one in resources)


def _chosen(retention: Resource, limit: int | None, force: bool) -> Resource:
    manifest = retention.manifest
    if limit is not None:
        most = int(manifest["spec"].get("limit", 20))
        if limit > most:
            raise SelectionError(
                f"--limit {limit}, and at most {most} go: {retention.address.local}",
                where=str(retention.source),
                remedy="a command may only narrow what the configuration selects: change it there",
            )
        manifest = {**manifest, "spec": {**manifest["spec"], "limit": limit}}
    if force:
        manifest = {**manifest, "criteria": {"forceActive": True}}
    return replace(retention, manifest=manifest)


def retention_selections_of_plan(run: PlanWithInputs) -> tuple[RetentionSelection, ...]:
    """Each Retention of inactive objects in a plan, with what it looked at and what it chose."""
    found = []
    for address, resource in sorted(run.inputs.resources.items()):
        if not is_retention_of_inactive_objects(resource):
            continue
        seen = run.inputs.observations.get(address)
        choice = (seen.value or {}).get("choice") if isinstance(seen, PresentObject) else None
        if isinstance(choice, InactiveObjectsChoice):
            names = frozenset(one.name for one in choice.to_delete)
            found.append(RetentionSelection(resource, choice.looked_at, names))
        elif not isinstance(seen, PresentObject):
            reason = seen.reason if isinstance(seen, UnreadableObject) else "it was not looked at"
            found.append(RetentionSelection(resource, problem=reason))
    return tuple(found)


def ci_runner_cleanup_json(rules: tuple[RetentionSelection, ...]) -> JsonObject:
    """The report of a clean-up of CI runners for programs: the rule, and what is known of each runner, with the keys
    that operators know (seed L140)."""
    return {
        "criteria": {
            "forceActive": any(rule.forced for rule in rules),
            "orderBy": "lastActivity",
            "rules": {rule.resource.address.local: _criteria(rule) for rule in rules},
        },
        "managerFacts": [_fact(rule, one) for rule in rules for one in rule.looked_at],
        "inactiveCandidates": [rule.name_of(one) for rule in rules for one in rule.inactive()],
        "selected": [rule.name_of(one) for rule in rules for one in rule.looked_at if one.name in rule.selected],
        "activeRunRisk": [_fact(rule, one) for rule in rules for one in rule.cut_off()],
        "unreadable": {rule.resource.address.local: rule.problem for rule in rules if rule.problem},
    }


def _criteria(rule: RetentionSelection) -> JsonObject:
    spec = rule.resource.manifest["spec"]
    activity = spec["activity"]
    return {
        "maxRunners": spec.get("keep", 5),
        "heartbeatWindow": activity["window"],
        "byAge": activity.get("byAge", False),
        "minAge": spec.get("minAge", "2h"),
        "limit": spec.get("limit", 20),
        "selectors": spec["selector"].get("matchLabels") or {},
    }


def _fact(rule: RetentionSelection, one: ObjectActivity) -> JsonObject:
    return {
        "runner": rule.name_of(one),
        "state": one.state,
        "lastHeartbeat" if one.state != ENDED else "endedAt": one.time or None,
        "about": one.about,
        "protected": not one.free,
    }
