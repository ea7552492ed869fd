"""The same plan says the same in every form: actions, addresses, changed fields and counts are read back from each."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.plan import Action, Change, FieldChange, FieldOp, Plan
from planner.plan_bytes import load_plan
from planner.render.field_detail import field_detail
from planner.render.plan_html import render_plan_html
from planner.render.plan_json import render_plan_json
from planner.render.plan_markdown import render_plan_markdown
from planner.render.plan_text import render_plan_text
from planner.render.symbols import action_symbol
from tests.unit.render.reading_html import Page
from tests.unit.render.sample_plans import change, mixed, plan_of

WIDE = 2000  # columns: every fact on a line of its own
ACTIONS = {action_symbol(action): str(action) for action in Action}
WITHOUT_FIELDS = ("create", "delete", "no-op")  # reported by their address in text and Markdown


@dataclass(frozen=True)
class Facts:
    """What a reader learns of every change, and how many of each action the verdict counts."""

    changes: tuple[tuple[str, str, tuple[str, ...]], ...]
    counts: dict[str, int]

    def without_new(self) -> Facts:
        """As a page says it that lists no fields of what is made or taken away."""
        reported = (
            (action, address, () if action in WITHOUT_FIELDS else paths) for action, address, paths in self.changes
        )
        return replace(self, changes=tuple(reported))


def from_json(text: str) -> Facts:
    """The document itself; the paths as they are written for people."""
    plan = load_plan(text.encode())
    summary = json.loads(text)["summary"]
    reported = tuple(
        (str(one.action), one.address.local, tuple(field_detail(item).path for item in one.fields))
        for one in plan.changes
    )
    return Facts(reported, {key: count for key, count in summary.items() if count and key in Counter(map(str, Action))})


def from_html(text: str) -> Facts:
    page = Page(text)
    entries = sorted((entry for entry in page.entries if entry.number), key=lambda entry: entry.number)
    return Facts(
        tuple((entry.action, entry.address, tuple(entry.paths)) for entry in entries), _counts(page.texts["verdict"])
    )


def from_text(text: str) -> Facts:
    found: dict[int, tuple[str, str, list[str]]] = {}
    paths: list[str] = []
    for line in text.splitlines():
        if match := re.match(r" *(\d+) (.) (\S+)  ", line):
            paths = []
            found[int(match[1])] = (ACTIONS[match[2]], match[3], paths)
        elif line and not line.startswith(" "):
            paths = []  # a heading
        elif match := re.match(r" {9}(\S+)  ", line):
            paths.append(match[1])
    verdict = next(line for line in text.splitlines() if "unchanged" in line)
    return Facts(_ordered(found), _counts(verdict))


def from_markdown(text: str) -> Facts:
    found: dict[int, tuple[str, str, list[str]]] = {}
    paths: list[str] = []
    together = ""
    for line in text.splitlines():
        if match := re.match(r"[-+! ] +(\d+) (.) (\S+)  ", line):
            paths, together = [], ""
            found[int(match[1])] = (ACTIONS[match[2]], match[3], paths)
        elif match := re.match(r"[-+! ] (.) same change on \d+ objects", line):
            paths, together = [], ACTIONS[match[1]]
        elif together and (match := re.match(r" {6} +(\d+) (\S+)$", line)):
            found[int(match[1])] = (together, match[2], paths)
        elif match := re.match(r"[-+ ] {8}(\S+)(  |$)", line):
            paths.append(match[1])
    return Facts(_ordered(found), _counts(text))


def _ordered(found: dict[int, tuple[str, str, list[str]]]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple((action, address, tuple(paths)) for _, (action, address, paths) in sorted(found.items()))


def _counts(verdict: str) -> dict[str, int]:
    head = re.search(r"\d+ changes?: ([^·\n*]*)", verdict)
    pairs = (part.split(" ", 1) for part in head[1].strip().split(", ")) if head else ()
    return {noun: int(count) for count, noun in pairs if noun != "blocked"}


WORDS = st.text("abcdefghij", min_size=1, max_size=5)
PATHS = st.lists(WORDS, min_size=1, max_size=3).map(lambda parts: ("spec", *parts))
VALUES = st.one_of(
    st.integers(0, 9),
    st.booleans(),
    WORDS,
    st.lists(WORDS, max_size=3),
    st.lists(WORDS, min_size=2, max_size=30).map("\n".join),
    st.dictionaries(WORDS, st.lists(WORDS, max_size=4), max_size=6),
)


@st.composite
def fields(draw: st.DrawFn) -> FieldChange:
    op = draw(st.sampled_from(list(FieldOp)))
    before, after = draw(VALUES), draw(VALUES)
    return FieldChange(
        draw(PATHS), op, None if op is FieldOp.ADD else before, None if op is FieldOp.REMOVE else after
    )  # fmt: skip


@st.composite
def changes(draw: st.DrawFn) -> Change:
    action = draw(st.sampled_from([*Action, Action.UPDATE, Action.UPDATE]))
    kind = draw(st.sampled_from(("ConfigMap", "Deployment.apps", "Task.tekton.dev")))
    found = () if action in (Action.DELETE, Action.NOOP) else tuple(draw(st.lists(fields(), max_size=4)))
    return change(f"{kind}/ns/{draw(WORDS)}", action, *found, scope=draw(st.sampled_from(("infra", "runtime"))))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    found = draw(st.lists(changes(), max_size=12, unique_by=lambda one: one.address))
    return plan_of(*found, unchanged=draw(st.integers(0, 99)))


def agree(plan: Plan) -> None:
    reported = from_json(render_plan_json(plan))
    assert from_html(render_plan_html(plan)) == reported
    assert from_text(render_plan_text(plan, width=WIDE, full=True)) == reported
    assert from_markdown(render_plan_markdown(plan)).without_new() == reported.without_new()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans())
def test_every_form_tells_the_same(plan: Plan) -> None:
    agree(plan)


def test_every_form_tells_the_same_of_the_sample() -> None:
    plan = mixed()
    reported = from_json(render_plan_json(plan))
    shown = from_html(render_plan_html(plan))
    assert [item[:2] for item in shown.changes] == [item[:2] for item in reported.changes]
    assert shown.counts == reported.counts == from_text(render_plan_text(plan, width=WIDE)).counts
