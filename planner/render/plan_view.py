"""What a plan page says, before anybody decides how it looks: built once from a Plan, laid out by thin renderers.

Every string in a view is safe to show. Decides order, grouping and wording; knows no width, colour or markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.address import Address
from planner.dataclass import dataclass
from planner.plan import LEAVING, Action, Plan, VerifiedBy
from planner.plan_id import plan_id, short_plan_id
from planner.render.blocked_reasons_and_warnings import deduplicated_warnings
from planner.render.change_fields import ALL_LINES
from planner.render.git_change_under_review import NO_CHANGE_UNDER_REVIEW, GitChangeUnderReview, ReviewFact
from planner.render.plan_headline import plan_headline
from planner.render.plan_line import (
    PlanLine,
    PlanLineContext,
    PlanScopeGroup,
    group_plan_lines_by_scope,
    plan_drift_lines,
    plan_line_of_blocked_resource,
)
from planner.render.review_facts import review_facts
from planner.render.review_summary import (
    EffectLine,
    changed_image_lines,
    effect_lines,
    execution_order_line,
    what_plan_approval_covers,
)
from planner.render.risks import Risk, find_risks
from planner.render.selection_in_words import plan_comment_marker, selection_text, short_digest
from planner.render.sentences_with_outside_names import Words
from planner.text_safe import safe_text

CREATE_LINES = 12  # of the fields of one create
MOST_CREATES = 10  # with more of them their fields are folded: the page is about what is there, and what changes


@dataclass(frozen=True, slots=True)
class PlanView:
    """A whole page: `title` is the first line, `verdict`, `identifier` and `command` are the last ones.

    `marker` names the selection, not the plan, so that a page can take the place of an older one. `sentence`,
    `effects`, `together`, `order`, `approval` and `facts` are what a reviewer decides by (planner.render.review_summary
    and review_facts); `made_of` is the first line about the change that is reviewed, empty where nothing is
    known; `way` are the stages of a pull request.
    `folded` counts objects whose fields are left out, `full` says that a page leaves out nothing.
    """

    title: str
    simulated: bool
    groups: tuple[PlanScopeGroup, ...]
    blocked: tuple[PlanLine, ...]
    drift: tuple[PlanLine, ...]
    warnings: tuple[str, ...]
    verdict: str
    identifier: str
    command: str
    empty: bool
    risks: tuple[Risk, ...] = ()
    marker: str = ""
    sentence: Words = ()
    effects: tuple[EffectLine, ...] = ()
    together: tuple[str, ...] = ()
    order: Words = ()
    approval: Words = ()
    folded: int = 0
    made_of: Words = ()
    facts: tuple[ReviewFact, ...] = ()
    way: tuple[ReviewFact, ...] = ()
    full: bool = False


def make_plan_view(
    plan: Plan,
    *,
    command: str = "",
    notes: Mapping[Address, str] | None = None,
    full: bool = False,
    review: GitChangeUnderReview = NO_CHANGE_UNDER_REVIEW,
) -> PlanView:
    """The view of `plan`. `command` applies exactly this plan; `notes` are remarks of this machine about a resource,
    `review` is what is known of the change that the plan was made of.

    `full` leaves out no field and no line of one.
    """
    creates = plan.count(Action.CREATE)
    most = ALL_LINES if full else CREATE_LINES if creates <= MOST_CREATES else 0
    context = PlanLineContext(
        len({change.address.node_lane for change in plan.changes}) > 1, notes or {}, _numbers(plan), most, full
    )
    return PlanView(
        title=_title(plan),
        simulated=plan.cluster.simulated,
        groups=group_plan_lines_by_scope(plan.changes, context),
        blocked=tuple(plan_line_of_blocked_resource(blocked, context) for blocked in plan.blocked),
        drift=plan_drift_lines(plan, context),
        warnings=(*map(safe_text, review.guards), *deduplicated_warnings(plan.warnings), *_remarks(plan, context)),
        verdict=_verdict(plan),
        identifier=short_plan_id(review.identifier or plan_id(plan)),
        command=safe_text(command) if any(change.action is not Action.NOOP for change in plan.changes) else "",
        empty=plan.is_empty,
        risks=find_risks(plan),
        marker=plan_comment_marker(plan.selection),
        sentence=review.headline or plan_headline(plan),
        effects=effect_lines(plan, context.name),
        together=changed_image_lines(plan, context.name),
        order=execution_order_line(plan),
        approval=review.approval or what_plan_approval_covers(plan),
        folded=0 if most else creates,
        made_of=review.words(),
        facts=review_facts(plan, review, context.name),
        way=review.way,
        full=full,
    )


def _numbers(plan: Plan) -> dict[Address, int]:
    return {change.address: number for number, change in enumerate(plan.changes, 1)}


def _remarks(plan: Plan, context: PlanLineContext) -> Iterator[str]:
    """Remarks about what has no line in the plan."""
    shown = {change.address for change in plan.changes} | {blocked.address for blocked in plan.blocked}
    return (
        f"{context.name(one)}: {safe_text(note)}" for one, note in sorted(context.notes.items()) if one not in shown
    )


def _title(plan: Plan) -> str:
    cluster = plan.cluster
    parts = [
        f"{'destroy ' if plan.destroy else ''}{selection_text(plan.selection)} "
        f"on {safe_text(cluster.server) or 'a cluster'}"
        f" (uid {safe_text(cluster.uid[:8]) or 'unknown'})",
        f"config {short_digest(plan.inputs_config)}",
    ]
    parts += [f"only {safe_text(' '.join(plan.selection.targets))}"] if plan.selection.targets else []
    parts += [f"without {safe_text(' '.join(plan.selection.exclude))}"] if plan.selection.exclude else []
    return " · ".join(parts + ["simulated"] * cluster.simulated)


_COUNTED = (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.ADOPT, Action.RUN, Action.DELETE, Action.FORGET)


def _verdict(plan: Plan) -> str:
    counts = [f"{plan.count(action)} {action}" for action in _COUNTED if plan.count(action)]
    changes = sum(plan.count(action) for action in _COUNTED)
    waits = plan.count(Action.NOOP)
    held = [f"{len(plan.blocked)} blocked"] if plan.blocked else []
    idle = "nothing to change" if waits else "nothing to do"
    head = f"{_plural(changes, 'change')}: {', '.join([*counts, *held])}" if counts else "".join(held) or idle
    parts = [head, f"{plan.unchanged} unchanged"]
    parts += [f"{waits} waited for"] if waits else []
    return " · ".join(parts + _vouched(plan))


def _vouched(plan: Plan) -> list[str]:
    """Who vouches for what will be there; deletes and waits have no after-state to vouch for."""
    written = [change for change in plan.changes if change.action not in (*LEAVING, Action.NOOP)]
    named = (
        (VerifiedBy.SERVER, f"previewed by {'simulation' if plan.cluster.simulated else 'the server'}"),
        (VerifiedBy.SCHEMA, "by schema"),
        (VerifiedBy.NO, "not previewed"),
    )
    counts = [(words, sum(change.verified is by for change in written)) for by, words in named]
    reported = ", ".join(f"{words}: {count}" for words, count in counts if count)
    return [reported] if reported else []


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
