"""What every provider promises (planner.ports.Provider and spec 04, "What a plan promises")."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.contract.suite import ProviderContract
from tests.contract.case import StateCase
from tests.contract.cases import CASES


class TestLocal(ProviderContract):
    @pytest.fixture(params=sorted(CASES))
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateCase]:
        made = CASES[request.param](tmp_path)
        yield made
        getattr(made, "close", lambda: None)()
