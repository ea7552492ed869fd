"""Plain scalars: what kubectl and YAML 1.2 both read, and what only one of them does."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.loading.yaml.unambiguous_scalars import AmbiguousScalar, resolve_unambiguous_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False), ("0", 0), ("-5", -5), ("+5", 5),
        ("0o14", 12), ("0x1F", 31), ("1e3", 1000), ("1.0", 1), ("1.5", 1.5), (".5", 0.5), ("1.", 1),
        ("a", "a"), ("1.2.3", "1.2.3"), ("10m", "10m"), ("2Gi", "2Gi"), ("v1", "v1"), ("-", "-"), ("--flag", "--flag"),
        ("10.0.0.1/8", "10.0.0.1/8"), ("yesterday", "yesterday"), ("1a2b", "1a2b"), ("2_a", "2_a"),
        ("5432:5432x", "5432:5432x"), ("127.0.0.1:5000", "127.0.0.1:5000"), (".spec.x", ".spec.x"),
    ],
)  # fmt: skip
def test_agreed(text: str, value: object) -> None:
    found = resolve_unambiguous_scalar(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["on", "No", "YES", "y", "n", "014", "0644", "-07", "12:30:45", "190:20:30", "1_000", "0x_1F", "0b11",
     "2026-11-22", "2026-11-22T10:00:00Z", ".inf", "-.INF", ".NaN", "12345678901234567890", "1e999", "01.5"],
)  # fmt: skip
def test_ambiguous(text: str) -> None:
    with pytest.raises(AmbiguousScalar) as caught:
        resolve_unambiguous_scalar(text)
    assert text not in str(caught.value)


@given(st.text(alphabet="0123456789abcdefxo_:.+-eETZ", max_size=30))
def test_ends_in_a_value_or_in_ambiguous(text: str) -> None:
    with contextlib.suppress(AmbiguousScalar):
        assert isinstance(resolve_unambiguous_scalar(text), str | int | float | bool | None)


@pytest.mark.cpu(5)
@pytest.mark.parametrize("text", ["1_" * 20_000, "9" * 100_000, "1:" * 20_000, "-" * 100_000, "0" * 50_000 + "x"])
def test_long_scalars_are_fast(text: str) -> None:
    with contextlib.suppress(AmbiguousScalar):
        resolve_unambiguous_scalar(text)
