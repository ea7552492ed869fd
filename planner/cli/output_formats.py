"""The forms of an answer: `--format`, kubectl's `-o`, `--json`; and a JSON document as YAML."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def format_options(*names: str) -> Callable[[_F], _F]:
    """Add `--format`, `-o` with these choices, the first one by default, and `--json`; the function gets `form`."""

    def decorate(function: _F) -> _F:
        shown = click.option(
            "--format",
            "-o",
            "--output",
            "form",
            type=click.Choice(names),
            default=names[0],
            help="How to show it.",
        )
        as_json = click.option(
            "--json", "form", flag_value="json", type=click.Choice(names), help="Same as --format json."
        )
        return shown(as_json(function))

    return decorate


def as_yaml(text: str) -> str:
    """A JSON document as YAML, its keys in the same order."""
    import io

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel has no types for it
    yaml.width = 10_000
    yaml.allow_unicode = text.replace("\n", "").isprintable()  # else escapes: a terminal could obey what is invisible
    out = io.StringIO()
    yaml.dump(json.loads(text), out)
    return out.getvalue()
