"""A plan of one product reads no schema of another; `validate` reads all (a second product cost every plan 30 ms)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from planner.errors import ConfigError
from planner.loading.config import load_config
from planner.loading.product_stack import load_product_stack
from planner.loading.selection import select_product
from planner.plan import Selection
from tests.unit.loading.fakes import ROOT, KeyedFingerprinter

HWLAB = Selection("", "", ("D601",), ("v03",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped products, of which agentrun has a schema that is none and a lane with a wrong field."""
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "templates/agentrun/schema.yaml").write_text("kind: [")
    return tmp_path


def test_other_products_are_not_read(folder: Path) -> None:
    with pytest.raises(ConfigError):
        load_config(folder / "config")
    found = load_config(folder / "config", selection=HWLAB)
    whole = load_config(ROOT / "config")
    assert set(found.products) == set(whole.products)
    assert found.sets_of("agentrun") == whole.sets_of("agentrun"), "what it owns is known: nothing of it is left over"
    stacks = [load_product_stack(one, HWLAB, KeyedFingerprinter(), environ={}) for one in (found, whole)]
    assert stacks[0].resources == stacks[1].resources and stacks[0].digest == stacks[1].digest
    with pytest.raises(ConfigError):
        load_config(folder / "config", selection=Selection("agentrun", "", ("D601",)))
    with pytest.raises(ConfigError):
        load_config(folder / "config", selection=Selection("all", "", ("D601",)))


WORDS = [
    Selection("", "", ("D601",)),
    Selection("", "", ("all",), ("v02",)),
    Selection("", "", (), ("wechat-archive",)),
    Selection("", "", ("D601",), (), ("runners",)),
    Selection("", "", (), (), ("observability",)),
    Selection("", "", ("G14",), ("v01",)),
    Selection("", "", ("D518",), ("v02",)),
]


@pytest.mark.parametrize("words", WORDS, ids=repr)
def test_what_is_read_is_what_is_meant(words: Selection) -> None:
    """The same product is meant, whether all are read or only those that could be."""
    whole = load_config(ROOT / "config")
    assert select_product(load_config(ROOT / "config", selection=words), words) == select_product(whole, words)
