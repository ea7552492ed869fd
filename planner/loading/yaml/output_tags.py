"""The two tags of our own, `!ref` and `!sub`: their text becomes an OutputRef or an OutputTemplate."""

from __future__ import annotations

import re
from typing import Final

from planner.values import OutputRef, OutputTemplate, parse_output_ref

_SUB_PART: Final = re.compile(r"\$\$\{|\$\{([^{}]*)\}")


def parse_output_tag(tag: str, text: str) -> OutputRef | OutputTemplate:
    """The value of `!ref TEXT` or `!sub TEXT`. Raises ValueError saying what was expected."""
    if tag == "!ref":
        return parse_output_ref(text)
    parts: list[str | OutputRef] = []
    position = 0
    for match in _SUB_PART.finditer(text):
        parts.append(text[position : match.start()])
        parts.append("${" if match[1] is None else parse_output_ref(match[1]))
        position = match.end()
    parts.append(text[position:])
    return OutputTemplate(_joined(parts))


def _joined(parts: list[str | OutputRef]) -> tuple[str | OutputRef, ...]:
    out: list[str | OutputRef] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] += part
        elif part != "":
            out.append(part)
    return tuple(out)
