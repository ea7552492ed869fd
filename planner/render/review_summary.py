"""What a reviewer needs to decide, beyond the single changes: effects, order, what approval covers.

Pure over a Plan; all text is safe to show. Equal things are reported once, each with the names that it is true of.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TypeAlias

from planner.address import Address
from planner.dataclass import dataclass
from planner.plan import Action, FieldOp, Plan, SideEffectKind
from planner.render.sentences_with_outside_names import Words
from planner.text_safe import safe_text

_MOST_GROUPS = 16  # of steps, in the line of the order
_SAME = 2  # changes of one image, from which on they are reported together
NameOf: TypeAlias = Callable[[Address], str]


@dataclass(frozen=True, slots=True)
class EffectLine:
    """The line of one effect of a plan: `names` are the objects that it is true of."""

    kind: SideEffectKind
    names: tuple[str, ...]
    text: str


def effect_lines(plan: Plan, name_of: NameOf) -> tuple[EffectLine, ...]:
    """The effects, the gravest first; the same text about several objects once."""
    found: dict[tuple[SideEffectKind, str], list[str]] = {}
    for one in plan.sets_off:
        found.setdefault((one.kind, safe_text(one.text)), []).append(name_of(one.address))
    return tuple(EffectLine(kind, tuple(dict.fromkeys(names)), text) for (kind, text), names in found.items())


def changed_image_lines(plan: Plan, name_of: NameOf) -> tuple[str, ...]:
    """Each image that the plan changes in several places, once: old and new, the number of places and the names."""
    found: dict[tuple[str, str], list[str]] = {}
    for change in plan.changes:
        for item in change.fields:
            if item.op is FieldOp.CHANGE and item.path[-1:] == ("image",) and not item.sensitive:
                found.setdefault((str(item.before), str(item.after)), []).append(name_of(change.address))
    return tuple(
        f"image {safe_text(before)} -> {safe_text(after)} in {len(names)} places: {', '.join(dict.fromkeys(names))}"
        for (before, after), names in found.items()
        if len(names) >= _SAME
    )


def execution_order_line(plan: Plan) -> Words:
    """The steps in their order, by group; what happens on an error, and what a rerun does."""
    steps = [(number, change.scope) for number, change in enumerate(plan.changes, 1)]
    if all(change.action is Action.NOOP for change in plan.changes):
        return ()
    words: list[str] = []
    groups = [(scope, [number for number, _ in found]) for scope, found in groupby(steps, key=lambda one: one[1])]
    for scope, numbers in groups[:_MOST_GROUPS]:
        span = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
        words += [" → " if words else "Order: ", f"{span} {safe_text(scope) or 'no longer declared'}"]
    if more := len(groups) - _MOST_GROUPS if len(groups) > _MOST_GROUPS else 0:
        words += [f" and {more} more groups", ""]
    words += [
        ". Steps start in the order of their numbers, several at once, each when its dependencies (",
        "hwplan why",
        ") are done. If a step fails, the steps that depend on it are skipped and the others continue; ",
        "--on-error stop",
        " starts nothing further. ",
        "hwplan apply --resume --confirm",
        " continues with what is left and repeats nothing; ",
        "hwplan undo RUN",
        " plans the reverse. While it runs, no other apply with this state can start; start no run, sync"
        " or kubectl change of these objects.",
    ]
    return tuple(words)


def what_plan_approval_covers(plan: Plan) -> Words:
    """What an approval of this plan's id covers, and what makes it void."""
    steps = sum(change.action is not Action.NOOP for change in plan.changes)
    if not steps:
        return ()
    covered = "this step" if steps == 1 else f"these {steps} steps"
    return (
        f"An approval of this id covers exactly {covered} on the cluster ",
        safe_text(plan.cluster.uid[:8]) or "unknown",
        ". It becomes void when one of the changed objects, a dependency of theirs or the configuration changes: ",
        "--plan-id",
        " plans again and refuses any other plan before it writes. A merge, commits and comments that change none"
        " of this leave it valid. The approval itself applies nothing: somebody with credentials of the cluster runs"
        " the command.",
    )
