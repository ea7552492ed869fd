"""A status as a page: one line per resource, a verdict, the next command; shared by the parts that have a status."""

from __future__ import annotations

from collections.abc import Sequence

from planner.dataclass import dataclass
from planner.plan import ClusterIdentity
from planner.render.terminal_style import column_count, pad_text, with_colour
from planner.text_safe import safe_text

_INDENT = " " * 10
_STYLES = {"ok": "green", "to do": "yellow", "????": "red", "": "dim"}


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The line of one resource on a status page: `state` is `ok`, `to do` or `????`, "" for a heading; then its
    columns, then what is wrong ("" when nothing is)."""

    state: str
    columns: tuple[str, ...]
    problem: str = ""


def render_status_page_as_text(
    cluster: ClusterIdentity,
    lines: Sequence[StatusLine],
    verdict: str,
    *,
    command: str = "",
    colour: bool = False,
    node_lane: str = "",
    about: str = "",
    width: int = 0,
) -> str:
    """The page as text. Columns are as wide as their widest cell; everything in `lines` is made safe here.

    `node_lane` stands before the cluster, `about` behind it. What is wrong is wrapped at `width`, if that is given.
    """
    rows = [(line, [safe_text(column) for column in line.columns]) for line in lines]
    widths = [max(column_count(row[at]) for _, row in rows) for at in range(len(rows[0][1]))] if rows else []
    more = [about] * bool(about) + ["simulated"] * cluster.simulated
    out = [" · ".join([f"{node_lane}{safe_text(cluster.server)} (uid {safe_text(cluster.uid[:8])})", *more]), ""]
    for line, row in rows:
        text = "  ".join(pad_text(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        out.append(f"  {with_colour(pad_text(line.state, 6), _STYLES[line.state], colour)}{text}")
        if line.problem:
            out += _wrapped(safe_text(line.problem), width)
    out += ["", verdict]
    return "\n".join([*out, *([f"  {command}"] if command else [])]) + "\n"


def _wrapped(text: str, width: int) -> list[str]:
    """Indented lines; words stay whole, so that a URL can be copied."""
    if width <= len(_INDENT) + 20 or len(_INDENT) + column_count(text) <= width:
        return [_INDENT + text]
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(_INDENT) + column_count(lines[-1]) + 1 + column_count(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return [_INDENT + line for line in lines]
