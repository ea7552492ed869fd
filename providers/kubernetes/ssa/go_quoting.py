"""Texts as the API server's messages spell values. Pure."""

from __future__ import annotations

import json

from planner.values import Json


def go_quoted(value: Json) -> str:
    """A text in quotation marks, as Go's `%q` writes it."""
    return json.dumps(str(value), ensure_ascii=False)
