"""A reference to an output that its kind does not have is an error of the load, with line and suggestion."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from planner.errors import ConfigError
from planner.spec.kinds import TABLE, builtin_model_of_kind
from planner.spec.kinds.envelope import KindModel
from tests.unit.loading.fakes import manifests

HEAD = """\
apiVersion: hwplan.dev/v1
kind: GitHead
metadata: {name: source}
spec: {remote: https://git.example/a.git, branch: main}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  rest: x
"""


def load(tmp_path: Path, *lines: str) -> list[str]:
    try:
        manifests(HEAD + "".join(f"  {line}\n" for line in lines), tmp_path)
    except ConfigError as error:
        return [f"{one.source.line}: {one.message} | {one.suggestion}" for one in error.problems]
    return []


def test_outputs_of_the_kind_are_taken(tmp_path: Path) -> None:
    assert load(tmp_path, "a: !ref GitHead/source#commit", 'b: !sub "x-${GitHead/source#short}"') == []


def test_another_name_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    assert load(tmp_path, "a: !ref GitHead/source#comit", 'b: !sub "x-${GitHead/source#zzz}"') == [
        '11: GitHead has no output comit | did you mean "commit"?',
        "12: GitHead has no output zzz | known here: commit, short",
    ]


def test_what_depends_on_the_effect_is_left_to_the_plan(tmp_path: Path) -> None:
    assert load(tmp_path, "a: !ref ConfigMap/b#status.any") == []


@pytest.mark.parametrize("kind", sorted(TABLE))
def test_what_the_documentation_of_a_kind_names_is_declared(kind: str) -> None:
    model = builtin_model_of_kind(kind)
    assert model is not None and issubclass(model, KindModel)
    text = " ".join((model.__doc__ or "").split()).partition("Output")[2]
    for name in model.OUTPUTS or ():
        assert f"`{name}`" in text, f"{kind} does not say what `{name}` is"
    assert import_module(model.__module__).__doc__
