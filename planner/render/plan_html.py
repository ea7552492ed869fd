"""A plan as one HTML file that needs nothing else: no network, no server, no font; style and script by their digest.

All of the page is made here, by a template with autoescape; the script only filters, moves and selects what stands in
it. A policy in the page forbids everything but the one style and the one script, so that a value that got through as
markup would still be dead.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from planner.address import Address
from planner.graph import ResourceGraph
from planner.plan import Plan
from planner.render.git_change_under_review import NO_CHANGE_UNDER_REVIEW, GitChangeUnderReview
from planner.render.html_view import make_html_report
from planner.shipped_files import TEMPLATES

_FOLDER = TEMPLATES / "report"


def render_plan_html(
    plan: Plan,
    graph: ResourceGraph | None = None,
    *,
    command: str = "",
    notes: Mapping[Address, str] | None = None,
    review: GitChangeUnderReview = NO_CHANGE_UNDER_REVIEW,
) -> str:
    """A plan as an HTML page, with one newline at its end. `graph` is known when the plan was just made, and None
    for a saved one."""
    template, style, script = _parts()
    page = template.render(
        report=make_html_report(plan, graph, command=command, notes=notes, review=review),
        style=Markup(style),  # noqa: S704 - our own files
        script=Markup(script),  # noqa: S704
        policy=_policy(style, script),
    )
    return page + "\n"


@cache
def _parts() -> tuple[Template, str, str]:
    """The template, the style and the script, read once."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,  # by name it would leave *.html.j2 alone
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (_FOLDER.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return environment.get_template("report.html.j2"), style, script


def _policy(style: str, script: str) -> str:
    """Nothing is allowed but these two texts; not even strings become markup (trusted types)."""
    return (
        f"default-src 'none'; style-src '{_source(style)}'; script-src '{_source(script)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _source(text: str) -> str:
    """The digest of an inline text as a source of the policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
