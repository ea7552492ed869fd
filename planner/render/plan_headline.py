"""The effect of a plan in one to three sentences: who is interrupted or restarts, what else changes, what comes later.

Pure over a Plan; computed from the same effects and changes that the page lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.address import Address
from planner.graph.resource_index import map_or_empty
from planner.plan import Action, Change, FieldOp, Plan, SideEffectKind
from planner.render.sentences_with_outside_names import OutsideText, Part, Words, words_safe_to_show
from planner.side_effects.pod_disruptions import pod_count_text, pod_stop_seconds, restarts_pods
from planner.values import JsonObject

_MOST = 3  # names of one action
_MOST_WORKLOADS = 4
_MOST_FIELDS = 3
_DONE = {
    Action.DELETE: ("is deleted", "are deleted"),
    Action.REPLACE: ("is deleted and created anew", "are deleted and created anew"),
    Action.UPDATE: ("changes", "change"),
    Action.ADOPT: ("is adopted", "are adopted"),
    Action.CREATE: ("is created", "are created"),
    Action.RUN: ("runs", "run"),
    Action.FORGET: ("is let go of", "are let go of"),
}


def plan_headline(plan: Plan) -> Words:
    """The headline of a plan in one to three sentences; none for a plan that does nothing."""
    if not plan.applyable and not plan.blocked:
        return ()
    return words_safe_to_show(_sentences(plan))


def _sentences(plan: Plan) -> Iterator[Part]:
    said = _disturbed(plan)
    for at, change in enumerate(said[:_MOST_WORKLOADS]):
        yield "; " if at else ""
        yield from _pods(change, _is_down(plan, change.address))
    if more := len(said) - _MOST_WORKLOADS if len(said) > _MOST_WORKLOADS else 0:
        yield f"; and {more} more workload{'s' * (more > 1)} restart{'s' * (more == 1)} or stop{'s' * (more == 1)}"
    yield ". " if said else ""
    yield from _rest(plan, {change.address for change in said})
    for at, one in enumerate(one for one in plan.sets_off if one.kind is SideEffectKind.DELIVERY):
        yield ", " if at else " The next delivery, which this plan does not start, brings what is in "
        yield OutsideText(_name(one.address))
    yield "." if any(one.kind is SideEffectKind.DELIVERY for one in plan.sets_off) else ""


def _disturbed(plan: Plan) -> list[Change]:
    """The workloads whose pods restart or stop, those with a gap first."""
    kinds = (SideEffectKind.OUTAGE, SideEffectKind.RESTART, SideEffectKind.SCALE)
    found = dict.fromkeys(one.address for kind in kinds for one in plan.sets_off if one.kind is kind)
    changes = {change.address: change for change in plan.changes if change.action is not Action.CREATE}
    return [changes[address] for address in found if address in changes]


def _is_down(plan: Plan, address: Address) -> bool:
    return any(one.address == address and one.kind is SideEffectKind.OUTAGE for one in plan.sets_off)


def pods_stop_for_good(change: Change) -> bool:
    """Whether the pods of a workload do not come back: it is deleted, or scaled to none."""
    return change.action is Action.DELETE or map_or_empty((change.desired or {}).get("spec")).get("replicas") == 0


def _pods(change: Change, down: bool) -> Iterator[Part]:
    """What becomes of the pods of one workload."""
    desired = change.desired or {}
    yield OutsideText(_name(change.address))
    scaled = next((one for one in change.altered if one.path == ("spec", "replicas")), None)
    if pods_stop_for_good(change) or change.address.kind == "Service":
        stops = "is created anew" if change.address.kind == "Service" else "stops for good"
        yield f" is deleted and {stops}" if change.action is Action.DELETE else f" {stops}"
        return
    if scaled is not None:
        yield f" goes from {scaled.before if isinstance(scaled.before, int) else 1}"
        yield f" to {pod_count_text(scaled.after if isinstance(scaled.after, int) else 1)}"
    if not (restarts_pods(change) or down):
        return
    yield " and" if scaled is not None else ""
    yield f" restarts {_which(change, desired)}"
    yield from _images(change)
    yield f" and serves nobody for up to {pod_stop_seconds(desired)} s plus its start" if down else " without a gap"


def _which(change: Change, desired: JsonObject) -> str:
    count = map_or_empty(desired.get("spec")).get("replicas", 1)
    if change.address.kind == "DaemonSet":
        return "its pod on every node"
    return f"its {pod_count_text(count)}" if isinstance(count, int) and count != 1 else "its pod"


def _images(change: Change) -> Iterator[Part]:
    fields = (one for one in change.fields if one.path[-1:] == ("image",) and not one.sensitive)
    images = list(dict.fromkeys(str(one.after) for one in fields if one.op is not FieldOp.REMOVE))
    if len(images) == 1:
        yield " with image "
        yield OutsideText(images[0])
    elif images:
        yield f" with {len(images)} other images"


def _rest(plan: Plan, said: set[Address]) -> Iterator[Part]:
    """What is done to everything else; that nothing is deleted is worth a word."""
    first = True
    for action, (one, many) in _DONE.items():
        changes = [change for change in plan.changes if change.action is action and change.address not in said]
        if changes:
            yield "" if first else "; "
            yield from _listed(changes, one if len(changes) == 1 else many)
            first = False
    gone = not plan.applyable or any(change.action in (Action.DELETE, Action.REPLACE) for change in plan.changes)
    if not gone:
        yield "Nothing is deleted" if first else "; nothing is deleted"
    yield f"{'' if first and gone else '; '}{len(plan.blocked)} blocked" if plan.blocked else ""
    yield "" if first and gone and not plan.blocked else "."


def _listed(changes: Sequence[Change], verb: str) -> Iterator[Part]:
    for at, change in enumerate(changes[:_MOST]):
        yield ", " if at else ""
        yield OutsideText(f"{change.address.kind} {change.address.name}{_fields(change)}")
    more = len(changes) - _MOST
    yield f" and {more} more {verb}" if more > 0 else f" {verb}"


def _fields(change: Change) -> str:
    """In brackets the last words of the fields that an update changes."""
    if change.action is not Action.UPDATE:
        return ""
    words = list(dict.fromkeys(_last_name(item.path) for item in change.altered if item.path))
    return f" ({', '.join(words[:_MOST_FIELDS])}{', …' if len(words) > _MOST_FIELDS else ''})" if words else ""


def _last_name(path: Sequence[object]) -> str:
    """The last part of a path that says something: of `args[1]` it is `args`."""
    names = [part for part in path if isinstance(part, str) and not part.isdigit()]
    return str(names[-1] if names else path[-1])


def _name(address: Address) -> str:
    return (
        f"{address.kind} {address.namespace}/{address.name}" if address.namespace else f"{address.kind} {address.name}"
    )
