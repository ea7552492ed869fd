"""`hwplan validate`: everything that can be checked without a network, every problem at once. Exit 0 or 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.cli.common_options import selection_options
from planner.cli.output_formats import format_options
from planner.cli.terminal_output import print_document, print_page

if TYPE_CHECKING:
    from planner.app.validation import ValidationResult
    from planner.errors import ConfigError

SCHEMA_VERSION = 1


@click.command()
@selection_options
@format_options("text", "json", "yaml")
def validate(request: Request, form: str) -> int:
    """Check configuration, templates, references, cycles and policies; no network.

    Without --node and --lane every lane of every node is checked. The JSON form holds the problems too.
    """
    from planner.app.validation import validate_configuration as check
    from planner.errors import ConfigError

    try:
        checked = check(request)
    except ConfigError as error:
        if form == "text":
            raise
        print_document(form, _problems(error))
        return 1
    if form == "text":
        print_page(_text(checked))
    else:
        print_document(form, _document(checked))
    return 0


def _text(checked: ValidationResult) -> str:
    from planner.text_safe import safe_text

    first, *rest = checked.resources or (("", 0),)
    lines = [f"valid: {first[1]} resources"] if not first[0] and not rest else ["valid"]
    lines += [f"  {safe_text(name)}: {count} resources" for name, count in checked.resources if name]
    return "\n".join([*lines, *(f"warning: {safe_text(warning)}" for warning in checked.warnings)])


def _document(checked: ValidationResult) -> dict[str, object]:
    counts = [{"selection": name, "resources": count} for name, count in checked.resources]
    return {
        "schemaVersion": SCHEMA_VERSION,
        "valid": True,
        "resources": sum(count for _, count in checked.resources),
        "selections": counts,
        "warnings": list(checked.warnings),
        "problems": [],
    }


def _problems(error: ConfigError) -> dict[str, object]:
    found = [
        {
            "file": one.source.file,
            "line": one.source.line,
            "column": one.source.column,
            "message": one.message,
            "suggestion": one.suggestion,
        }
        for one in error.problems
    ]
    return {"schemaVersion": SCHEMA_VERSION, "valid": False, "warnings": [], "problems": found}
