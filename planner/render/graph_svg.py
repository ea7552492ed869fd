"""The graph as one self-contained SVG: no script, no font, no link; light and dark as the reader's system says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from planner.address import Address
from planner.graph import ResourceGraph
from planner.render.graph_groups import (
    GraphNamespaceGroup,
    arrows_without_implied_edges,
    count_noun,
    group_nodes_by_namespace,
    kind_and_group_text,
    node_names,
    numbers_in_apply_order,
)
from planner.render.graph_layout import NODE_HEIGHT, NODE_WIDTH, GraphLayout, Point, layout_graph
from planner.text_safe import safe_text

_MARGIN = 24
_LEGEND_ROW = 20
_LEGEND_COLUMN = 250
_NAME_LENGTH = 26  # characters of 11 px monospace that fit into a node
_KIND_LENGTH = 30

# One pair per namespace, light and dark: a fill and a stroke. The first is for what has no namespace.
_LIGHT = (
    *(("#eef0f3", "#6b7480"), ("#dfeafd", "#2f6bd0"), ("#dcf3e4", "#26824d"), ("#fdebd3", "#b3660a")),
    *(("#f3e3fb", "#8a3fb3"), ("#fde0e3", "#c0364a"), ("#d9f2f4", "#167f8a"), ("#f4efcf", "#85730b")),
)
_DARK = (
    *(("#2a2f36", "#98a2ae"), ("#182b4a", "#6ea3f7"), ("#14331f", "#58bf83"), ("#3d2a10", "#e0a04e")),
    *(("#331d40", "#c58ae6"), ("#421a20", "#ee7f8d"), ("#10353a", "#56c2cd"), ("#36310f", "#cdb84a")),
)


def render_graph_svg(graph: ResourceGraph, labels: Mapping[Address, str]) -> str:
    """The graph as an SVG drawing without a final newline, sized in pixels and scaling with its frame."""
    shown = group_nodes_by_namespace(graph)
    tone = _tones(shown)
    drawn = arrows_without_implied_edges(graph)
    layout = layout_graph(graph.order(), [(arrow.before, arrow.after) for arrow in drawn])
    width = max(layout.width, _LEGEND_COLUMN) + 2 * _MARGIN
    legend, top = _legend(shown, tone, width)
    called = node_names(graph)
    title = f"{count_noun(len(graph.order()), 'resource')}, {count_noun(len(drawn), 'dependency', 'dependencies')}"
    edges = [
        _edge(
            layout.routes[arrow.before, arrow.after],
            _arrow_title(arrow.reasons, called[arrow.before], called[arrow.after]),
            arrow.explicit,
        )
        for arrow in drawn
    ]
    return "\n".join(
        [
            *_head(width, top + layout.height + _MARGIN, title),
            *legend,
            f'<g transform="translate({_MARGIN},{top})">',
            *edges,
            *_nodes(graph, layout, tone, labels),
            "</g>",
            "</svg>",
        ]
    )


def _head(width: int, height: int, title: str) -> list[str]:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}">',
        f"<title>{title}</title>",
        f"<style>{_style()}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="tip" d="M0,0L8,4L0,8z"/></marker></defs>',
        f'<rect class="page" width="{width}" height="{height}"/>',
    ]


def _style() -> str:
    dark = "".join(_colours(_DARK, "#0f1318", "#e7ebf0", "#a3adb9", "#66717e"))
    return (
        "text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
        ".k,.l{font-size:9.5px}.n{font-weight:600}.b rect{stroke-width:1.2}"
        ".e path{fill:none;stroke-width:1.1}.e .h{stroke:transparent;stroke-width:9;pointer-events:stroke}"
        ".x .s{stroke-dasharray:5 3}.e:hover .s{stroke-width:2.6}"
        + "".join(_colours(_LIGHT, "#ffffff", "#1b2129", "#59636f", "#98a2ae"))
        + f"@media (prefers-color-scheme:dark){{{dark}}}"
    )


def _colours(tones: Sequence[tuple[str, str]], page: str, ink: str, faint: str, line: str) -> list[str]:
    boxes = [f".t{at} rect{{fill:{fill};stroke:{stroke}}}" for at, (fill, stroke) in enumerate(tones)]
    text = f".page{{fill:{page}}}text{{fill:{ink}}}.k,.l{{fill:{faint}}}"
    return [text, f".s{{stroke:{line}}}.tip{{fill:{line}}}", *boxes]


def _tones(shown: Sequence[GraphNamespaceGroup]) -> dict[tuple[str, str], int]:
    """The colour of each group; colours repeat after the seventh namespace."""
    named = [group for group in shown if group.namespace]
    tones = {(group.node_lane, group.namespace): 1 + at % (len(_LIGHT) - 1) for at, group in enumerate(named)}
    return {**tones, **{(group.node_lane, ""): 0 for group in shown if not group.namespace}}


def _legend(
    shown: Sequence[GraphNamespaceGroup], tone: Mapping[tuple[str, str], int], width: int
) -> tuple[list[str], int]:
    """One mark per group, and where the drawing begins below them."""
    across = max(1, (width - 2 * _MARGIN) // _LEGEND_COLUMN)
    lines = []
    for at, group in enumerate(shown):
        x, y = _MARGIN + at % across * _LEGEND_COLUMN, _MARGIN + at // across * _LEGEND_ROW
        text = f"{safe_text(group.title)} ({len(group.nodes)})"
        lines.append(
            f'<g class="b t{tone[group.node_lane, group.namespace]}">'
            f'<rect x="{x}" y="{y}" width="12" height="12" rx="3"/>'
            f'<text x="{x + 18}" y="{y + 10}">{escape(cut_middle(text, 34))}</text>{_title(safe_text(group.title))}</g>'
        )
    rows = -(-len(shown) // across)
    return lines, _MARGIN + rows * _LEGEND_ROW + (12 if rows else 0)


def _nodes(
    graph: ResourceGraph, layout: GraphLayout, tone: Mapping[tuple[str, str], int], labels: Mapping[Address, str]
) -> list[str]:
    called, number = node_names(graph), numbers_in_apply_order(graph)
    lines = []
    for address in graph.order():
        x, y = layout.corners[address]
        label, kind = safe_text(labels.get(address, "")), safe_text(kind_and_group_text(address))
        tooltip = f"{number[address]}. {safe_text(called[address])}" + (f"\n{label}" if label else "")
        room = _KIND_LENGTH - (len(label) + 1 if label else 0)
        mark = f'<text class="l" x="{NODE_WIDTH - 8}" y="14" text-anchor="end">{escape(cut_middle(label, 12))}</text>'
        lines.append(
            f'<g class="b t{tone[address.node_lane, address.namespace]}" transform="translate({x},{y})">'
            f"{_title(tooltip)}"
            f'<rect width="{NODE_WIDTH}" height="{NODE_HEIGHT}" rx="6"/>'
            f'<text class="k" x="8" y="14">{escape(cut_middle(kind, max(room, 16)))}</text>'
            f"{mark if label else ''}"
            f'<text class="n" x="8" y="29">{escape(cut_middle(safe_text(address.name), _NAME_LENGTH))}</text></g>'
        )
    return lines


def _arrow_title(reasons: Sequence[str], before: str, after: str) -> str:
    return "\n".join([f"{safe_text(before)} -> {safe_text(after)}", *map(safe_text, reasons)])


def _edge(route: Sequence[Point], tooltip: str, explicit: bool) -> str:
    """A visible curve, and a broad invisible one that makes it easy to point at."""
    way = arrow_curve(route)
    kind = "e x" if explicit else "e"
    tip = 'marker-end="url(#tip)"'
    return f'<g class="{kind}">{_title(tooltip)}<path class="h" d="{way}"/><path class="s" d="{way}" {tip}/></g>'


def arrow_curve(route: Sequence[Point]) -> str:
    """The path of an arrow as a curve: level at every point, so that bends are soft and lanes run straight."""
    (x, y), *others = route
    steps = [f"M{x},{y}"]
    for to_x, to_y in others:
        half = (x + to_x) // 2
        steps.append(f"H{to_x}" if to_y == y else f"C{half},{y} {half},{to_y} {to_x},{to_y}")
        x, y = to_x, to_y
    return "".join(steps)


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def cut_middle(text: str, length: int) -> str:
    """At most `length` characters, cut in the middle: names of one family differ at their ends."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"
