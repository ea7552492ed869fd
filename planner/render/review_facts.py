"""Facts for the decision about a plan that stand in no single change: each answers a question of a reviewer.

Pure over a Plan; all text is safe to show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.address import Address
from planner.change_origin import ChangeOrigin, compare_plan_with_base
from planner.graph.resource_index import map_or_empty
from planner.plan import LEAVING, Action, Change, Plan, SideEffectKind, VerifiedBy
from planner.render.commits_of_declaring_lines import declaring_commit_sentences
from planner.render.git_change_under_review import GitChangeUnderReview, ReviewFact
from planner.render.overwritten_values_and_secrets import describe_secret_changes, overwritten_values
from planner.render.plan_headline import pods_stop_for_good
from planner.render.review_summary import NameOf
from planner.render.risks import RiskKind, find_risks
from planner.render.sentences_with_outside_names import MOST_NAMES, OutsideText, Part, name_list, words_safe_to_show
from planner.resource import DEFAULT_WAIT_SECONDS, ROLE
from planner.side_effects.pod_disruptions import pod_stop_seconds

_MOST_OF_ORIGIN = 40
_GATE_KINDS = ("HttpProbe", "PrometheusQuery")
_GATES = (RiskKind.GATE, RiskKind.RETENTION)


def review_facts(plan: Plan, context: GitChangeUnderReview, name_of: NameOf) -> tuple[ReviewFact, ...]:
    """The facts in the order in which a reviewer asks; none for a plan that does nothing."""
    if not plan.applyable:
        return ()
    found: list[tuple[str, Iterator[Part]]] = [
        ("checked", _checked(plan, name_of)),
        ("origin", _origins(plan, context, name_of)),
        *([] if context.way else [("downtime", _outage(plan, name_of))]),  # a stage says it of the pods
        ("waits", _waits(plan, name_of)),
        ("runs and builds", _starts(plan, name_of)),
        ("gates and retention", _rules(plan, name_of)),
        *(("overwritten", parts) for parts in overwritten_values(plan, context, name_of)),
        *(("secret", parts) for parts in describe_secret_changes(plan, context, name_of)),
    ]
    facts = [ReviewFact(title, words_safe_to_show(parts)) for title, parts in found]
    facts += [
        ReviewFact("last written", words_safe_to_show(parts), folded=True)
        for parts in declaring_commit_sentences(context, name_of)
    ]
    return tuple(fact for fact in facts if "".join(fact.words))


def _named(addresses: Sequence[Address], name_of: NameOf, most: int = MOST_NAMES) -> Iterator[Part]:
    return name_list([name_of(one) for one in addresses], most)


def _origins(plan: Plan, context: GitChangeUnderReview, name_of: NameOf) -> Iterator[Part]:
    if context.base_plan is None:
        if drifted := [one.address for one in plan.changes if one.reason == "drifted"]:
            yield "Undoes manual changes: "
            yield from _named(drifted, name_of)
            yield "."
        return
    found = compare_plan_with_base(plan, context.base_plan)
    by_origin = {origin: addresses for origin in ChangeOrigin if (addresses := found.of(origin))}
    largest = max(by_origin, key=lambda one: len(by_origin[one]), default=None)
    for origin, addresses in sorted(by_origin.items(), key=lambda one: one[0] is largest):
        yield f"{origin.value[0].upper()}{origin.value[1:]} ({len(addresses)}): "
        if origin is largest and len(addresses) > MOST_NAMES:
            yield "all others"
        else:
            yield from _named(addresses, name_of, _MOST_OF_ORIGIN)
        yield ". "
    if not (found.of(ChangeOrigin.BASE) or found.of(ChangeOrigin.BOTH)):
        yield "Nothing is pending on the base. "
    if found.dropped:
        yield f"Pending on the base, and dropped by this change ({len(found.dropped)}): "
        yield from _named([one.address for one in found.dropped], name_of)
        yield "."


def _outage(plan: Plan, name_of: NameOf) -> Iterator[Part]:
    """The workloads that serve nothing for a time, or from now on."""
    gaps = list(dict.fromkeys(one.address for one in plan.sets_off if one.kind is SideEffectKind.OUTAGE))
    if not gaps:
        yield "None expected."
        return
    by_address = {change.address: change for change in plan.changes}
    changes = [by_address[one] for one in gaps if one in by_address]
    if stopped := [one.address for one in changes if pods_stop_for_good(one)]:
        yield "Stops and does not come back: "
        yield from _named(stopped, name_of)
        yield ". "
    for at, change in enumerate(one for one in changes if not pods_stop_for_good(one)):
        yield "; " if at else "Interrupted: "
        yield OutsideText(name_of(change.address))
        yield f" while its pod stops (up to {pod_stop_seconds(change.desired or {})} s) and until the new one is ready"
    yield ". Clients of these fail or wait until then." if len(stopped) < len(changes) else ""


def _waits(plan: Plan, name_of: NameOf) -> Iterator[Part]:
    """How long each step is waited for, and what happens then."""
    waited = [one for one in plan.changes if one.action not in LEAVING and one.wait != "none"]
    if not waited:
        yield (
            "No step is waited for (hwplan.dev/wait: none)." if any(one.wait == "none" for one in plan.changes) else ""
        )
        return
    yield f"Until each object is ready, at most {DEFAULT_WAIT_SECONDS:g} s"
    own: dict[float, list[Address]] = {}
    for one in waited:
        if one.wait_seconds not in (None, DEFAULT_WAIT_SECONDS):
            own.setdefault(one.wait_seconds or 0.0, []).append(one.address)
    for seconds, addresses in sorted(own.items()):
        yield f"; {seconds:g} s for "
        yield from _named(addresses, name_of)
    if unwaited := [one.address for one in plan.changes if one.wait == "none" and one.action not in LEAVING]:
        yield "; not for "
        yield from _named(unwaited, name_of)
    yield ". What is not ready then is "
    yield OutsideText("pending")
    yield " (exit code 4), stays as it is written, and what needs it is not begun."


def _starts(plan: Plan, name_of: NameOf) -> Iterator[Part]:
    runs = dict.fromkeys(one.address for one in plan.sets_off if one.kind is SideEffectKind.RUN)
    runs |= dict.fromkeys(one.address for one in plan.changes if one.action is Action.RUN)
    if not runs:
        yield "None."
        return
    yield from _named(list(runs), name_of)
    yield "."


def _rules(plan: Plan, name_of: NameOf) -> Iterator[Part]:
    """Whether a gate or a retention is another one afterwards. Looser ones are risks as well."""
    looser = [risk for risk in find_risks(plan) if risk.danger in _GATES]
    touched = [one.address for one in plan.changes if _holds_rules(one)]
    for at, risk in enumerate(looser):
        yield "; " if at else ""
        yield f"{risk.danger} in "
        yield OutsideText(risk.address)
        yield ": "
        yield OutsideText(risk.text)
    if touched and not looser:
        yield "Changed, none of them loosened: "
        yield from _named(touched, name_of)
    yield "." if looser or touched else "Unchanged."


def _holds_rules(change: Change) -> bool:
    if change.action in (Action.NOOP, Action.RUN):
        return False
    annotations = map_or_empty(map_or_empty((change.desired or {}).get("metadata")).get("annotations"))
    return change.address.kind in (*_GATE_KINDS, "Retention") or annotations.get(ROLE) == "rules"


def _checked(plan: Plan, name_of: NameOf) -> Iterator[Part]:
    """How many of the writes the API server, or the simulation of one, has tried without storing them."""
    written = [one for one in plan.changes if one.action not in (*LEAVING, Action.NOOP)]
    deletes = sum(one.action in LEAVING for one in plan.changes)
    by = {verified: [one.address for one in written if one.verified is verified] for verified in VerifiedBy}
    if written:
        who = "in a simulation, none by an API server" if plan.cluster.simulated else "by the API server in a dry run"
        yield f"{len(by[VerifiedBy.SERVER])} of {len(written)} writes tried {who}"
        yield f", {len(by[VerifiedBy.SCHEMA])} checked against the schema only" if by[VerifiedBy.SCHEMA] else ""
        if by[VerifiedBy.NO]:
            yield f", {len(by[VerifiedBy.NO])} cannot be checked before they run: "
            yield from _named(by[VerifiedBy.NO], name_of)
        yield ". " if deletes else "."
    if deletes:
        yield f"{deletes} delete{'s are' if deletes != 1 else ' is'} bound to the uid and version that this plan read."
