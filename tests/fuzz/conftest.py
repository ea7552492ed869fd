"""What parsers of tokens are given here is no secret of any later test of the same process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planner.redaction.redactor import REDACTOR, Redactor


@pytest.fixture(autouse=True)
def redactor_of_this_test() -> Iterator[None]:
    """The redactor of the process knows nothing at first, and at the end what it knew before."""
    known = dict(vars(REDACTOR))
    vars(REDACTOR).update(vars(Redactor()))
    yield
    vars(REDACTOR).clear()
    vars(REDACTOR).update(known)
