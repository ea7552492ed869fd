"""`hwplan impact` as text and as a document: what a change of one resource reaches. Every name is made safe here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.address import Address
from planner.graph import ResourceGraph
from planner.graph.dependency_paths import Way
from planner.plan import SideEffect
from planner.render.graph_groups import count_noun, node_names
from planner.render.graph_json import graph_path_document
from planner.side_effects.change_impact import ChangeImpact, ImpactedResource
from planner.text_safe import safe_text

_WIDEST = 48  # of the column of addresses; longer ones push their text on


def render_impact(impact: ChangeImpact, graph: ResourceGraph) -> str:
    """The impact of a change as lines of text without a final newline: the counts, then a section for each of the
    three that is not empty."""
    called = {node: safe_text(name) for node, name in node_names(graph).items()}
    sections = (
        _section("if its content changes", [_effect(one, called) for one in impact.sets_off]),
        _section("changes or runs with it", [_touched(one, called) for one in impact.touched]),
        _section("is applied after it", [_dependent(way, called) for way in impact.dependents]),
    )
    return "\n".join([_headline(impact, called), *(line for section in sections for line in section)])


def impact_document(impact: ChangeImpact) -> dict[str, object]:
    """The impact of a change as a document for programs: addresses as text, the ways edge by edge."""
    return {
        "schemaVersion": 1,
        "address": str(impact.address),
        "setsOff": [{"address": str(one.address), "kind": one.kind.value, "text": one.text} for one in impact.sets_off],
        "touched": [
            {
                "address": str(one.address), "touch": one.touch.value, "cause": str(one.cause),
                "rule": one.rule, "field": one.field,
            }
            for one in impact.touched
        ],
        "dependents": [{"address": str(way[-1].after), "way": graph_path_document(way)} for way in impact.dependents],
    }  # fmt: skip


def _headline(impact: ChangeImpact, called: Mapping[Address, str]) -> str:
    name = called[impact.address]
    if not (impact.touched or impact.sets_off or impact.dependents):
        return f"a change of {name} reaches nothing else that is declared"
    counts = (
        count_noun(len(impact.sets_off), "effect"),
        f"{len(impact.touched)} changed or run with it",
        f"{len(impact.dependents)} applied after it",
    )
    return f"a change of {name}: {', '.join(counts)}"


def _section(title: str, rows: Sequence[tuple[str, str]]) -> list[str]:
    width = min(_WIDEST, max((len(name) for name, _ in rows), default=0))
    return ["", title, *(f"  {name:<{width}}  {text}" for name, text in rows)] if rows else []


def _effect(one: SideEffect, called: Mapping[Address, str]) -> tuple[str, str]:
    return called.get(one.address, safe_text(str(one.address))), f"{one.kind.value}: {safe_text(one.text)}"


def _touched(one: ImpactedResource, called: Mapping[Address, str]) -> tuple[str, str]:
    return called[
        one.address
    ], f"{one.touch.value}: {called[one.cause]} ({safe_text(one.rule)}: {safe_text(one.field)})"


def _dependent(way: Way, called: Mapping[Address, str]) -> tuple[str, str]:
    last = way[-1]
    by = f"through {called[last.before]}, " if len(way) > 1 else ""
    return called[last.after], f"{by}{safe_text(last.rule)}: {safe_text(last.field)}"
