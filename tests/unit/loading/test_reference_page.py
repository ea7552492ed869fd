"""docs/reference.md names every annotation, guard, exit code, sign, template variable and filter, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from planner import resource
from planner.cli.main import INTERRUPTED
from planner.errors import HwplanError, LockedError, RefusedError
from planner.jinja_templating import _FILTERS, _OWN_FILTERS
from planner.loading import annotation_options, template_context
from planner.plan import Action
from planner.planning.plan_guards import NAMES
from planner.render.symbols import action_symbol

PAGE = (Path(__file__).parents[3] / "docs" / "reference.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(title: str) -> set[str]:
    """The first cell of every row of the tables of a section."""
    rows = (line for line in section(title).splitlines() if line.startswith("| "))
    return {row.split("|")[1].strip().strip("`").partition("(")[0] for row in rows} - {
        title.lower().rstrip("s"),
        "name",
    }


def test_annotations() -> None:
    text = section("Annotations")
    assert first_cells("Annotations") == set(annotation_options._KNOWN)
    for written in (resource.SET_LABEL, *annotation_options._WRITTEN):
        assert f"`{written}`" in text
    roles = next(line for line in text.splitlines() if resource.ROLE in line).split("|")[2]
    assert set(re.findall(r"`(\w+)`", roles)) == set(annotation_options.ROLES)


def test_guards_and_exit_codes() -> None:
    assert first_cells("Guards") == set(NAMES)
    codes = {HwplanError.exit_code, RefusedError.exit_code, LockedError.exit_code, INTERRUPTED, 0, 2, 4}
    assert {int(cell) for cell in first_cells("Exit codes") - {"exit"}} == codes


def test_signs() -> None:
    rows = dict(re.findall(r"^\| `(.)` \| ([a-z-]+) \|", section("Signs"), re.MULTILINE))
    assert rows == {action_symbol(action): str(action) for action in Action}


def test_templates() -> None:
    text = section("Templates")
    listed = text.partition("Filters of Jinja2")[2].partition(".\n")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == set(_FILTERS)
    own = {name for name in _OWN_FILTERS if not name.startswith("_")}
    variables = {"product", "node", "lane", "lanes", "scope", "values"}
    assert first_cells("Templates") - {"filter"} == own | variables
    code = Path(str(template_context.__file__)).read_text(encoding="utf-8")
    assert set(re.findall(r'^            "(\w+)": ', code.partition("def context")[2].partition("return context")[0],
                          re.MULTILINE)) | {"lane"} == variables  # fmt: skip
