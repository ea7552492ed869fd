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
        ("1e20", "9223372036854775807"),  # no quantity is larger
        ("-1e20", "-9223372036854775807"),
        ("100Ei", "9223372036854775807"),
        ("1e999999999", "9223372036854775807"),
        ("1e-999999999", "1e-9"),
        ("0e999999999", "0"),
        ("0.0" + "0" * 3000 + "1", "1n"),
    ],
)
def test_spelling(given: Json, stored: str) -> None:
    assert canonical_quantity(given) == stored


@pytest.mark.parametrize("given", ["", "x", "1 Gi", "1gi", True, "\u0665", "1e" + "9" * 5000])
def test_what_is_no_quantity_is_left_alone(given: Json) -> None:
    assert canonical_quantity(given) is given
