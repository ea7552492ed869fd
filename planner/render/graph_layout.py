"""Where the nodes and arrows of a drawn graph stand: layers from left to right, no overlap, few crossings. Pure.

The steps are those of Sugiyama: longest-path layers, lanes for arrows that pass a column, barycenter ordering, and
heights that minimise the distance to neighbours (isotonic regression). Two things are our own: a layer with too many
nodes is broken into several columns, and all arrows from one node share one lane, so that a namespace with a hundred
children draws one bundle and not a hundred lines. Same graph, same numbers: ties are broken by the order of nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, sqrt
from typing import TypeAlias

from planner.address import Address
from planner.dataclass import dataclass

NODE_WIDTH = 190
NODE_HEIGHT = 38
_COLUMN = 270  # from the left of one column to the left of the next
_GAP = 12
_LANE_HEIGHT = 4
_LEAST_ROWS = 12
_SWEEPS = 12

Point: TypeAlias = tuple[int, int]
Arrow: TypeAlias = tuple[Address, Address]
Cell: TypeAlias = tuple[int, int]  # (node, column): the node itself in its own column, its lane in a later one
Columns: TypeAlias = list[list[Cell]]


@dataclass(frozen=True, slots=True)
class GraphLayout:
    """The layout of a drawn graph: the upper left corner of each node, the points that each arrow passes, and the
    size of it all, in pixels."""

    corners: Mapping[Address, Point]
    routes: Mapping[Arrow, tuple[Point, ...]]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Net:
    """Which cells are joined to which, to the left and to the right."""

    left: Mapping[Cell, Sequence[Cell]]
    right: Mapping[Cell, Sequence[Cell]]


def layout_graph(nodes: Sequence[Address], arrows: Sequence[Arrow]) -> GraphLayout:
    """A layout of `nodes`, given in topological order, with every arrow going from left to right."""
    number = {address: at for at, address in enumerate(nodes)}
    pairs = [(number[before], number[after]) for before, after in arrows]
    home = _columns_of(_layers(len(nodes), pairs), nodes)
    columns, net = _cells(home, pairs)
    _order(columns, net)
    middle = _heights(columns, net, home)
    top = min((middle[cell] - _tall(cell, home) / 2 for column in columns for cell in column), default=0.0)
    centre = {cell: round(y - top) for cell, y in middle.items()}
    corners = {nodes[at]: (home[at] * _COLUMN, centre[at, home[at]] - NODE_HEIGHT // 2) for at in range(len(nodes))}
    routes = {arrow: _route(pair, home, centre) for arrow, pair in zip(arrows, pairs, strict=True)}
    bottom = max((y for _, y in corners.values()), default=0) + NODE_HEIGHT
    lowest = max((y for route in routes.values() for _, y in route), default=0)
    return GraphLayout(corners, routes, max(len(columns), 1) * _COLUMN - (_COLUMN - NODE_WIDTH), max(bottom, lowest))


def _layers(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """The length of the longest path to each node."""
    layer = [0] * count
    for before, after in sorted(pairs):
        layer[after] = max(layer[after], layer[before] + 1)
    return layer


def _columns_of(layer: Sequence[int], nodes: Sequence[Address]) -> list[int]:
    """The column of each node: its layer, too large layers taking several columns, namespaces together."""
    rows = max(_LEAST_ROWS, ceil(sqrt(len(nodes) * _COLUMN / (NODE_HEIGHT + _GAP) / 1.6)))
    column = [0] * len(nodes)
    first = 0
    for depth in range(max(layer, default=-1) + 1):
        members = [at for at in range(len(nodes)) if layer[at] == depth]
        members.sort(key=lambda at: (nodes[at].node_lane, nodes[at].namespace, at))
        wide = ceil(len(members) / rows)
        each = ceil(len(members) / wide)
        for index, at in enumerate(members):
            column[at] = first + index // each
        first += wide
    return column


def _cells(home: Sequence[int], pairs: Sequence[tuple[int, int]]) -> tuple[Columns, _Net]:
    """Nodes and lanes by column, and what is joined. A lane of a node is shared by all its arrows that go so far."""
    columns: Columns = [[] for _ in range(max(home, default=-1) + 1)]
    for at, column in enumerate(home):
        columns[column].append((at, column))
    joined = dict.fromkeys(
        pair for before, after in sorted(pairs) for pair in pairwise([*_way(before, after, home), (after, home[after])])
    )
    left: dict[Cell, list[Cell]] = {}
    right: dict[Cell, list[Cell]] = {}
    for one, other in joined:
        if other not in left and other[1] != home[other[0]]:
            columns[other[1]].append(other)
        left.setdefault(other, []).append(one)
        right.setdefault(one, []).append(other)
    return columns, _Net(left, right)


def _way(before: int, after: int, home: Sequence[int]) -> list[Cell]:
    """The cell of a node and its lanes up to the column left of `after`."""
    return [(before, column) for column in range(home[before], home[after])]


def _order(columns: Columns, net: _Net) -> None:
    """Sort every column by the mean position of its neighbours, to and fro, in place."""
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        joined = net.left if forth else net.right
        for at in range(1, len(columns)) if forth else range(len(columns) - 2, -1, -1):
            beside = columns[at - 1] if forth else columns[at + 1]
            share = {cell: (place + 0.5) / len(beside) for place, cell in enumerate(beside)}
            own = {cell: (place + 0.5) / len(columns[at]) for place, cell in enumerate(columns[at])}
            wanted = {cell: _mean(cell, joined, share, own[cell]) for cell in columns[at]}
            columns[at].sort(key=wanted.__getitem__)


def _mean(cell: Cell, joined: Mapping[Cell, Sequence[Cell]], where: Mapping[Cell, float], otherwise: float) -> float:
    found = [where[other] for other in joined.get(cell, ()) if other in where]
    return sum(found) / len(found) if found else otherwise


def _heights(columns: Columns, net: _Net, home: Sequence[int]) -> dict[Cell, float]:
    """The middle of every cell: as near to its neighbours as order and room allow."""
    middle: dict[Cell, float] = {}
    for column in columns:
        offsets = _offsets(column, home)
        middle |= {cell: offset - offsets[-1] / 2 for cell, offset in zip(column, offsets, strict=True)}
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        for column in columns if forth else columns[::-1]:
            joined = net.left if forth else net.right
            offsets = _offsets(column, home)
            wanted = [
                _mean(cell, joined, middle, middle[cell]) - offset for cell, offset in zip(column, offsets, strict=True)
            ]
            settled = zip(column, _rising(wanted), offsets, strict=True)
            middle |= {cell: base + offset for cell, base, offset in settled}
    return middle


def _offsets(column: Sequence[Cell], home: Sequence[int]) -> list[float]:
    """The least distance of each middle from that of the first cell."""
    offsets = [0.0]
    for one, other in pairwise(column):
        offsets.append(offsets[-1] + (_tall(one, home) + _tall(other, home)) / 2 + _GAP)
    return offsets


def _tall(cell: Cell, home: Sequence[int]) -> int:
    return NODE_HEIGHT if home[cell[0]] == cell[1] else _LANE_HEIGHT


def _rising(wanted: Sequence[float]) -> list[float]:
    """The closest sequence to `wanted` that never falls: neighbours in the wrong order meet at their mean."""
    blocks: list[tuple[float, int]] = []
    for value in wanted:
        block = (value, 1)
        while blocks and blocks[-1][0] >= block[0]:
            mean, count = blocks.pop()
            block = ((mean * count + block[0] * block[1]) / (count + block[1]), count + block[1])
        blocks.append(block)
    return [mean for mean, count in blocks for _ in range(count)]


def _route(pair: tuple[int, int], home: Sequence[int], centre: Mapping[Cell, int]) -> tuple[Point, ...]:
    """From the right side of one node through both ends of every lane to the left side of the other."""
    before, after = pair
    points = [(home[before] * _COLUMN + NODE_WIDTH, centre[before, home[before]])]
    for cell in _way(before, after, home)[1:]:
        points += [(cell[1] * _COLUMN, centre[cell]), (cell[1] * _COLUMN + NODE_WIDTH, centre[cell])]
    return (*points, (home[after] * _COLUMN, centre[after, home[after]]))
