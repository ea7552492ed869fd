"""hwplan's own providers, judged by the suite that it publishes (planner.contract)."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.contract.suite import ProviderContract
from tests.contract.case import Case
from tests.contract.cases import CASES


class TestLocal(ProviderContract):
    @pytest.fixture(params=sorted(CASES))
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        return CASES[request.param](tmp_path)
