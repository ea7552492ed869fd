"""Canonical quantities. The expected spellings are those that an API server stored."""

from __future__ import annotations

import pytest

from planner.values import Json
from providers.kubernetes.ssa.quantity import canonical_quantity


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1.5Gi", "1536Mi"),
        ("1024Mi", "1Gi"),
        ("1500Mi", "1500Mi"),
        ("512", "512"),
        ("0.5Ki", "512"),
        ("1023", "1023"),
        ("1e3", "1e3"),
        ("1000e0", "1e3"),
        ("2k", "2k"),
        ("2000", "2k"),
        ("0", "0"),
        ("0Gi", "0"),
        ("-1000m", "-1"),
        ("0.1n", "1n"),
        ("100u", "100u"),
        (1, "1"),
        (0.25, "250m"),
        ("1E", "1E"),
        ("+5", "5"),
    ],
)
def test_spelling(given: Json, stored: str) -> None:
    assert canonical_quantity(given) == stored


@pytest.mark.parametrize("given", ["", "x", "1 Gi", "1gi", True])
def test_what_is_no_quantity_is_left_alone(given: Json) -> None:
    assert canonical_quantity(given) is given
