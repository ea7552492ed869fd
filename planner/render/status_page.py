"""A status as a page: one line per resource, a verdict, the next command; shared by the parts that have a status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.plan import ClusterIdentity
from planner.render.style import cells, padded, paint
from planner.render.text_safe import safe

_STYLES = {"ok": "green", "to do": "yellow", "????": "red"}


@dataclass(frozen=True, slots=True)
class Line:
    """One resource: `state` is `ok`, `to do` or `????`, then its columns, then what is wrong ("" when nothing is)."""

    state: str
    columns: tuple[str, ...]
    problem: str = ""


def status_page(
    cluster: ClusterIdentity, lines: Sequence[Line], verdict: str, *, command: str = "", colour: bool = False
) -> str:
    """The page as text. Columns are as wide as their widest cell; everything from outside is made safe here."""
    rows = [(line, [safe(column) for column in line.columns]) for line in lines]
    widths = [max(cells(row[at]) for _, row in rows) for at in range(len(rows[0][1]))] if rows else []
    simulated = " · simulated" if cluster.simulated else ""
    out = [f"{safe(cluster.server)} (uid {safe(cluster.uid[:8])}){simulated}", ""]
    for line, row in rows:
        text = "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        out.append(f"  {paint(padded(line.state, 6), _STYLES[line.state], colour)}{text}")
        if line.problem:
            out.append(f"          {safe(line.problem)}")
    out += ["", verdict]
    return "\n".join([*out, *([f"  {command}"] if command else [])]) + "\n"
