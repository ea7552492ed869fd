"""Writing to the terminal: pages to stdout, errors to stderr. Everything from outside was made safe by its renderer,
and every word passes the redactor that the entry point puts before both streams (planner.redaction.redacted_stream)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from planner.errors import ConfigError, HwplanError
from planner.text_safe import safe_text


def wants_colour() -> bool:
    """Whether stdout wants colour: a terminal, and no NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def terminal_width() -> int:
    """Columns of the terminal, COLUMNS first; 100 where there is none."""
    import shutil  # it loads three compressors

    return shutil.get_terminal_size((100, 24)).columns


def print_page(text: str) -> None:
    """Write a rendered page, with exactly one newline at its end."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def write_page(text: str, out: Path | None) -> None:
    """Write a rendered page to standard output, or to the file `out`, which is there whole or not at all: a collector
    may read it at any moment. Raises HwplanError for a file that cannot be written."""
    if out is None:
        print_page(text)
        return
    from planner.disk_errors import disk_error_text
    from planner.redaction.redactor import REDACTOR
    from planner.whole_file import write_whole_file

    whole = REDACTOR.clean(text if text.endswith("\n") else text + "\n")
    try:
        write_whole_file(out, whole.encode())
    except OSError as error:
        reason = disk_error_text(error, "cannot be written")
        raise HwplanError(f"{out}: {reason}", where="--out", remedy="name a file that can be written") from None


def print_document(form: str, document: object) -> None:
    """Write a document for programs as `json` or `yaml`."""
    from planner.cli.output_formats import as_yaml

    if form == "json":
        print_json(document, indent=2, sort_keys=False)
    else:
        print_page(as_yaml(json.dumps(document, ensure_ascii=False)))


def print_json(document: object, *, indent: int | None = 1, sort_keys: bool = True) -> None:
    """Write a document for programs as JSON, with escapes where a terminal or a CI log could obey."""
    from planner.render.json_text import render_document_as_json

    print_page(render_document_as_json(document, indent=indent, sort_keys=sort_keys))


def show_error(error: HwplanError) -> None:
    """Write what is wrong, where, and what to do; all problems of a configuration at once."""
    if isinstance(error, ConfigError):
        from planner.loading.problems import render_problems

        click.echo(render_problems(error.problems).rstrip("\n"), err=True)
        return
    where = f"{safe_text(error.where)}: " if error.where else ""
    click.echo(f"error: {where}{safe_text(error.message)}", err=True)
    if error.remedy:
        click.echo(f"  {safe_text(error.remedy)}", err=True)


def show_traceback(error: BaseException) -> None:
    """What `--debug` adds: frames and types of errors. Messages of foreign errors may quote what they tripped over."""
    from planner.executor.crash_report import describe_traceback

    click.echo(describe_traceback(error).rstrip("\n"), err=True)
