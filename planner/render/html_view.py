"""What the HTML report shows, built once from a plan and its graph: entries, arrows with their reasons, filters.

Every string is safe to show (see text_safe); the template escapes it once more for HTML. Decides what stands in the
report and where; knows no markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from planner.address import Address
from planner.dataclass import dataclass
from planner.graph import Edge, ResourceGraph
from planner.plan import (
    LEAVING,
    Action,
    BlockedResource,
    Change,
    DriftedField,
    FieldChange,
    Plan,
    Precondition,
    VerifiedBy,
)
from planner.render.field_detail import FieldDetail, field_detail
from planner.render.git_change_under_review import NO_CHANGE_UNDER_REVIEW, GitChangeUnderReview
from planner.render.graph_groups import GraphArrow, arrows_without_implied_edges, kind_and_group_text
from planner.render.graph_layout import NODE_HEIGHT, NODE_WIDTH, GraphLayout, layout_graph
from planner.render.graph_svg import arrow_curve, cut_middle
from planner.render.plan_graph import add_deletes_to_graph, graph_of_plan
from planner.render.plan_view import PlanView, make_plan_view
from planner.render.review_summary import EffectLine
from planner.render.risks import SHOWN_AS_RISKS
from planner.render.symbols import action_symbol, field_sign
from planner.resource import DEFAULT_WAIT_SECONDS
from planner.text_safe import safe_text

MOST_LINES = 400  # of one field
MOST_DRAWN = 700  # nodes; of a larger graph only what changes is drawn, with what is next to it
_MOST_BESIDE = 40  # unchanged neighbours that are drawn, or as many as there are changes
_MOST_EDGES = 60  # reported below one entry and in one direction
_OTHERS = ("blocked", "drift", "unchanged")


@dataclass(frozen=True, slots=True)
class HtmlEdge:
    """One side of an edge, as reported below an entry: the other end, and why."""

    entry: str
    address: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HtmlField:
    """One changed field: `sign` is that of the operation, `declared` the lines that declare it, where known."""

    sign: str
    op: str
    reported: FieldDetail
    declared: str = ""


@dataclass(frozen=True, slots=True)
class HtmlEntry:
    """An entry of the HTML page: one resource. `key` is its id in the page, `facts` the evidence: precondition, who
    vouches, where declared."""

    key: str
    number: int
    symbol: str
    action: str
    address: str
    kind: str
    name: str
    scope: str
    why: str
    hint: str
    remedy: str
    fields: tuple[HtmlField, ...]
    facts: tuple[tuple[str, str], ...]
    needs: tuple[HtmlEdge, ...]
    needed_by: tuple[HtmlEdge, ...]
    more_ties: int = 0


@dataclass(frozen=True, slots=True)
class HtmlNode:
    """A drawn node: the entry it stands for, its corner, and its text cut to the box."""

    entry: HtmlEntry
    x: int
    y: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class HtmlArrow:
    """A drawn arrow between two entries, and the reasons for it."""

    before: str
    after: str
    path: str
    title: str
    explicit: bool


@dataclass(frozen=True, slots=True)
class HtmlReport:
    """All that the HTML report of a plan shows. `groups` are entries by scope in order of execution; `actions` and
    `scopes` count the filters."""

    view: PlanView
    groups: tuple[tuple[str, tuple[HtmlEntry, ...]], ...]
    actions: tuple[tuple[str, str, int], ...]
    scopes: tuple[tuple[str, int], ...]
    nodes: tuple[HtmlNode, ...]
    lines: tuple[HtmlArrow, ...]
    width: int
    height: int
    node_width: int
    node_height: int
    remark: str
    effects: tuple[EffectLine, ...]


def make_html_report(
    plan: Plan,
    graph: ResourceGraph | None = None,
    *,
    command: str = "",
    notes: Mapping[Address, str] | None = None,
    review: GitChangeUnderReview = NO_CHANGE_UNDER_REVIEW,
) -> HtmlReport:
    """The report of `plan`. Without its `graph` (a saved plan has none) the edges are those between its changes."""
    view = make_plan_view(plan, command=command, notes=notes, review=review)
    known = (
        graph_of_plan(plan) if graph is None else graph.reverse() if plan.destroy else add_deletes_to_graph(graph, plan)
    )
    entries = _Entries(plan, known, view, review).all()
    groups: dict[str, list[HtmlEntry]] = {}
    for entry in entries.values():
        title = entry.action if entry.action in _OTHERS else entry.scope
        groups.setdefault(title, []).append(entry)
    shown, remark = _drawable(known, plan, graph is None)
    drawn = arrows_without_implied_edges(shown)
    layout = layout_graph(shown.order(), [(arrow.before, arrow.after) for arrow in drawn])
    return HtmlReport(
        view=view,
        groups=tuple((title, tuple(groups[title])) for title in sorted(groups, key=_last)),
        actions=_actions(entries.values()),
        scopes=tuple(sorted(Counter(entry.scope for entry in entries.values() if entry.scope).items())),
        nodes=_nodes(shown, layout, entries),
        lines=tuple(_line(arrow, layout, entries) for arrow in drawn),
        width=layout.width,
        height=layout.height,
        node_width=NODE_WIDTH,
        node_height=NODE_HEIGHT,
        remark=remark,
        effects=tuple(line for line in view.effects if line.kind not in SHOWN_AS_RISKS),
    )


def _last(title: str) -> int:
    """What is not executed stands behind what is; the sort is stable."""
    return _OTHERS.index(title) + 1 if title in _OTHERS else 0


def _drawable(graph: ResourceGraph, plan: Plan, saved: bool) -> tuple[ResourceGraph, str]:
    """What changes with what is next to it; everything where nothing changes. And what is to be said of it."""
    remark = "A saved plan holds only the order between its changes." if saved else ""
    core = {change.address for change in plan.changes} | {blocked.address for blocked in plan.blocked}
    core |= {drift.address for drift in plan.drift}
    beside = {end for edge in graph.edges if {edge.before, edge.after} & core for end in (edge.before, edge.after)}
    chosen = [address for address in graph.order() if address in core]
    chosen += [address for address in graph.order() if address in beside - core][: max(_MOST_BESIDE, len(chosen))]
    retained = frozenset((chosen if core else graph.order())[:MOST_DRAWN])
    if len(retained) == len(graph.order()):
        return graph, remark
    reported = f"{len(retained)} of {len(graph.order())} resources are drawn: what changes, and what is next to it."
    return graph.subset(retained), f"{reported} {remark}".strip()


class _Entries:
    """Makes the entry of every resource: changes in their order, then what is blocked, drifted and unchanged."""

    def __init__(self, plan: Plan, graph: ResourceGraph, view: PlanView, review: GitChangeUnderReview) -> None:
        self.declared = {(one.address, one.path): one.words() for one in review.lines}
        self.plan = plan
        self.graph = graph
        reported = [line for group in view.groups for line in group.lines]
        self.lines = {line.number: line for line in reported}
        self.placed = len({change.address.node_lane for change in plan.changes}) > 1
        self.drift: dict[Address, list[DriftedField]] = {}
        for drift in plan.drift:
            self.drift.setdefault(drift.address, []).append(drift)
        addresses = dict.fromkeys([change.address for change in plan.changes])
        addresses |= dict.fromkeys([blocked.address for blocked in plan.blocked])
        addresses |= dict.fromkeys([*self.drift, *graph.order()])
        self.keys = {address: f"r{at}" for at, address in enumerate(addresses, 1)}

    def all(self) -> dict[Address, HtmlEntry]:
        """The entries by address, in the order of the page."""
        found: dict[Address, HtmlEntry] = {}
        for number, change in enumerate(self.plan.changes, 1):
            found[change.address] = self.change(number, change)
        for blocked in self.plan.blocked:
            found[blocked.address] = self.blocked(blocked)
        for address in self.keys:
            if address not in found:
                found[address] = self.other(address)
        return found

    def name(self, address: Address) -> str:
        return safe_text(str(address) if self.placed else address.local)

    def change(self, number: int, change: Change) -> HtmlEntry:
        line = self.lines[number]
        facts = (
            ("declared", safe_text(str(change.source)) if change.source.file else ""),
            ("precondition", _precondition(change.precondition)),
            ("after-state vouched for by", _vouched(change)),
            ("overwrites fields of others", safe_text(", ".join(".".join(map(str, path)) for path in change.forced))),
            ("waits", _waits(change)),
        )
        fields = [item for item in change.fields if change.action is not Action.NOOP]
        return self.entry(
            change.address, number, action_symbol(change.action), str(change.action), line.why, line.hint, "", fields,
            facts,
            safe_text(change.scope) or "(no scope)",
        )  # fmt: skip

    def blocked(self, blocked: BlockedResource) -> HtmlEntry:
        facts = (
            ("evidence", safe_text(blocked.evidence) if blocked.evidence != blocked.reason else ""),
            ("declared", safe_text(str(blocked.source)) if blocked.source.file else ""),
            ("wanted", str(blocked.action)),
        )
        return self.entry(
            blocked.address,
            0,
            "!",
            "blocked",
            safe_text(blocked.reason),
            "",
            safe_text(blocked.remedy),
            blocked.fields,
            facts,
        )

    def other(self, address: Address) -> HtmlEntry:
        """What is not touched: drifted, or unchanged."""
        found = self.drift.get(address, [])
        if not found:
            return self.entry(address, 0, "=", "unchanged", "", "", "", (), ())
        why = "drifted" if any(drift.declared for drift in found) else "not declared"
        return self.entry(address, 0, "?", "drift", why, "", "", [drift.field for drift in found], ())

    def entry(
        self, address: Address, number: int, sign: str, action: str, why: str, hint: str, remedy: str,
        fields: Iterable[FieldChange], facts: Sequence[tuple[str, str]], scope: str = "",
    ) -> HtmlEntry:  # fmt: skip
        needs = self.ties(edge for edge in self.graph.ingoing.get(address, ()))
        needed = self.ties((edge for edge in self.graph.outgoing.get(address, ())), forward=True)
        return HtmlEntry(
            key=self.keys[address],
            number=number,
            symbol=sign,
            action=action,
            address=self.name(address),
            kind=safe_text(kind_and_group_text(address)),
            name=safe_text(address.name),
            scope=scope,
            why=why,
            hint=hint,
            remedy=remedy,
            fields=tuple(
                HtmlField(
                    field_sign(item.op),
                    str(item.op),
                    field_detail(item, MOST_LINES),
                    safe_text(self.declared.get((address, item.path), "")),
                )
                for item in fields
            ),
            facts=tuple((label, text) for label, text in facts if text),
            needs=needs[:_MOST_EDGES],
            needed_by=needed[:_MOST_EDGES],
            more_ties=max(0, len(needs) - _MOST_EDGES) + max(0, len(needed) - _MOST_EDGES),
        )

    def ties(self, edges: Iterable[Edge], *, forward: bool = False) -> tuple[HtmlEdge, ...]:
        found: dict[Address, list[str]] = {}
        for edge in edges:
            found.setdefault(edge.after if forward else edge.before, []).append(_reason(edge))
        return tuple(HtmlEdge(self.keys[end], self.name(end), tuple(why)) for end, why in found.items())


def _reason(edge: Edge) -> str:
    return f"{safe_text(edge.rule)}: {safe_text(edge.field)}"


def _precondition(wanted: Precondition) -> str:
    if wanted.absent:
        return "it does not exist"
    parts = (("uid", wanted.uid), ("content", wanted.content))
    return ", ".join(f"{label} {safe_text(text)}" for label, text in parts if text)


def _waits(change: Change) -> str:
    if change.action in LEAVING or change.wait == "none":
        return "" if change.action in LEAVING else "for nothing"
    seconds = DEFAULT_WAIT_SECONDS if change.wait_seconds is None else change.wait_seconds
    return f"until it is ready, at most {seconds:g} s"


def _vouched(change: Change) -> str:
    if change.action in (*LEAVING, Action.NOOP):
        return ""
    words = {VerifiedBy.SERVER: "the server's dry run", VerifiedBy.SCHEMA: "the schema", VerifiedBy.NO: "nobody"}
    return words[change.verified]


def _actions(entries: Iterable[HtmlEntry]) -> tuple[tuple[str, str, int], ...]:
    counts = Counter((entry.symbol, entry.action) for entry in entries)
    order = [*(str(action) for action in Action), *_OTHERS]
    ranked = sorted(counts.items(), key=lambda item: order.index(item[0][1]))
    return tuple((sign, action, count) for (sign, action), count in ranked)


def _nodes(graph: ResourceGraph, layout: GraphLayout, entries: Mapping[Address, HtmlEntry]) -> tuple[HtmlNode, ...]:
    found = []
    for address in graph.order():
        entry = entries[address]
        x, y = layout.corners[address]
        found.append(HtmlNode(entry, x, y, cut_middle(entry.kind, 27), cut_middle(entry.name, 25)))
    return tuple(found)


def _line(arrow: GraphArrow, layout: GraphLayout, entries: Mapping[Address, HtmlEntry]) -> HtmlArrow:
    before, after = entries[arrow.before], entries[arrow.after]
    title = "\n".join([f"{before.address} -> {after.address}", *map(_reason, arrow.edges)])
    return HtmlArrow(
        before.key, after.key, arrow_curve(layout.routes[arrow.before, arrow.after]), title, arrow.explicit
    )
