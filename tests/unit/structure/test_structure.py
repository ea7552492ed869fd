"""The lists of tests/structure are empty, but for exceptions with a reason; and no exception outlives its entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import pytest

from tests.structure import exceptions, listing

# Each is made in its test: every worker imports this module, and all of them together take 8 s.
LISTS: dict[str, tuple[Callable[[], Collection[str]], Mapping[str, str]]] = {
    "class names used twice": (listing.class_names_used_twice, exceptions.CLASS_NAMES),
    "modules in no import contract": (listing.modules_in_no_contract, exceptions.MODULES),
    "small modules with one importer": (listing.small_modules_with_one_importer, exceptions.SMALL_MODULES),
    "packages without __init__.py": (listing.packages_without_init, {}),
    "docstrings that name nothing": (listing.docstrings_that_name_nothing, {}),
}


@pytest.mark.parametrize("title", LISTS)
def test_every_entry_has_a_reason(title: str) -> None:
    entries, reasons = LISTS[title]
    assert set(entries()) == set(reasons) and all(reasons.values()), title
