"""A few broken inputs for every parser; `HWPLAN_FUZZ` sets how many, `HWPLAN_FUZZ_SEED` which."""

from __future__ import annotations

import json
import os
import random

import pytest

from tests.fuzz.fuzz_target import FuzzTarget, fuzz_inputs, run_target
from tests.fuzz.mutation import mutate_document
from tests.fuzz.targets import TARGETS

COUNT = int(os.environ.get("HWPLAN_FUZZ", "200"))
SEED = int(os.environ.get("HWPLAN_FUZZ_SEED", "1"))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_error_but_ours(target: FuzzTarget) -> None:
    found = run_target(target, COUNT, SEED)
    assert not found.faults
    assert found.accepted, "a seed as it is must be read: else nothing but refusals is tested"


def test_names_are_unique() -> None:
    assert len({target.name for target in TARGETS}) == len(TARGETS)


@pytest.mark.parametrize(
    ("parse", "fault"),
    [
        (lambda data: json.loads(data)["missing"], "KeyError"),
        (lambda _: [0 for _ in iter(int, 1)], "HangError"),
        (lambda _: _MEMORY.append(bytearray(20 << 20)), "the process grew"),
    ],
)
def test_a_fault_is_found(parse: object, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.fuzz_target.SECONDS_EACH", 0.05)
    found = run_target(FuzzTarget("broken", ({"b": 1},), parse, (ValueError, TypeError)), 20)  # type: ignore[arg-type]
    _MEMORY.clear()
    assert any(place.startswith(fault) for place in found.faults)


def test_an_error_of_the_contract_is_none() -> None:
    assert not run_target(FuzzTarget("x", ("1",), int, (ValueError,)), 200).faults


def test_inputs_are_the_same_for_a_seed() -> None:
    for target in TARGETS[::10]:
        assert list(fuzz_inputs(target, 40, 3)) == list(fuzz_inputs(target, 40, 3)) != list(fuzz_inputs(target, 40, 4))


def test_a_document_stays_mostly_as_it_was() -> None:
    whole = {"a": [1, {"b": "c"}], "d": "e"}
    rng = random.Random(1)
    assert sum(mutate_document(rng, whole) == whole for _ in range(100)) < 20
    assert whole == {"a": [1, {"b": "c"}], "d": "e"}


_MEMORY: list[bytearray] = []
