"""One edge of the graph: which resource stands before which other, by which rule, said in which field."""

from __future__ import annotations

from planner.address import Address
from planner.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Edge:
    """`before` is applied before `after`. `field` is the field of `after` that says so, `rule` the name of the rule.

    `explicit` edges were written for hwplan (`depends-on`, `!ref`); all others were found in ordinary fields.
    """

    before: Address
    after: Address
    rule: str
    field: str
    explicit: bool = False
