"""Kinds of other distributions: what an entry point may lead to, and what is said of one that leads elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from planner import plugins
from planner.errors import PermanentError
from planner.spec.kinds import TABLE

CANARY = "a-value-that-nobody-shows"
GOOD = """\
from typing import Any, Literal
from planner.plugins import Plugin
from planner.spec.kinds.envelope import KindModel
class Memo(KindModel):
    "A memo."
    kind: Literal["Memo"]
    spec: dict[str, Any]
"""
PLUGIN = GOOD + "memo = Plugin(Memo, print)\n"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs distributions as an installer leaves them: a name, its entries, and the module that has its name."""

    def forget() -> None:
        plugins.plugin_of_kind.cache_clear()
        plugins._claims.cache_clear()

    def make(name: str, entries: str, code: str) -> None:
        meta = tmp_path / f"{name}-2.1.dist-info"
        meta.mkdir()
        (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.1\n")
        (meta / "entry_points.txt").write_text(f"[hwplan.providers]\n{entries}\n")
        (tmp_path / f"{name}.py").write_text(code)
        forget()

    monkeypatch.syspath_prepend(tmp_path)
    yield make
    for name in [name for name, module in sys.modules.items() if str(tmp_path) in str(module.__dict__.get("__file__"))]:
        del sys.modules[name]
    forget()


def test_a_plugin_brings_its_model(install: Callable[..., None]) -> None:
    install("notes", "Memo = notes:memo", PLUGIN)
    found = plugins.plugin_of_kind("Memo")
    assert found is not None and found.origin == "notes 2.1"
    assert plugins.model_of_kind("Memo") is found.plugin.model
    assert set(plugins.all_kind_names()) == {*TABLE, "Memo"}
    assert plugins.plugin_of_kind("GitRef") is None and plugins.model_of_kind("Nobodys") is None


@pytest.mark.parametrize(
    ("entry", "code", "words"),
    [
        ("Memo = gone:memo", "", "cannot be imported: no module gone"),
        ("Memo = notes:memo", "", "cannot be imported: AttributeError"),
        ("Memo = notes:memo", "import sys\nsys.exit(4)", "cannot be imported: SystemExit at notes.py:2"),
        ("Memo = notes:memo", f"raise ValueError('{CANARY}')", "cannot be imported: ValueError at notes.py:1"),
        ("Memo = notes:memo", "def memo(tools): ...", "no plug-in: it is a function, not a planner.plugins.Plugin"),
        ("Memo = notes:memo", GOOD + "memo = Plugin(Memo, None)", "it has no factory"),
        ("Memo = notes:memo", GOOD + "memo = Plugin(dict, print)", "its model is no"),
        ("Memo = notes:memo", PLUGIN.replace('["Memo"]', '["Other"]'), "needs the fields"),
        ("Memo = notes:memo", PLUGIN.replace("    spec: dict[str, Any]\n", ""), "needs the fields"),
    ],
)
def test_what_is_no_plugin_is_named(install: Callable[..., None], entry: str, code: str, words: str) -> None:
    install("notes", entry, code)
    with pytest.raises(PermanentError) as refused:
        plugins.model_of_kind("Memo")
    assert refused.value.message.startswith("the kind Memo comes from the distribution notes 2.1, and its entry point")
    assert words in refused.value.message and CANARY not in refused.value.message + refused.value.remedy


def test_a_name_that_could_lead_out_of_a_folder_is_no_kind(install: Callable[..., None]) -> None:
    install("notes", "../Memo = notes:memo", PLUGIN)
    with pytest.raises(PermanentError, match="a kind is named by letters and digits"):
        plugins.model_of_kind("../Memo")


def test_two_distributions_of_one_kind_are_both_named(install: Callable[..., None]) -> None:
    install("notes", "Memo = notes:memo", PLUGIN)
    install("jottings", "Memo = jottings:memo", PLUGIN)
    with pytest.raises(PermanentError, match=r"distributions jottings 2\.1 and notes 2\.1 claim the same kind Memo"):
        plugins.model_of_kind("Memo")
    assert "jottings" not in sys.modules and "notes" not in sys.modules


def test_a_kind_of_hwplan_is_not_given_away(install: Callable[..., None]) -> None:
    install("notes", "GitRef = notes:memo", PLUGIN)
    with pytest.raises(PermanentError, match=r"notes 2\.1 claims the kind GitRef, which hwplan has itself"):
        plugins.model_of_kind("GitRef")
    assert plugins.model_of_kind("GitHead") is not None, "only the kind in question"
    assert "notes" not in sys.modules
