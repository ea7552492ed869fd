"""Single mutations of a closeout record and of the world that it is about: each is rejected, and its edge is named."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any

from planner.rollout.closeout_record import (
    closeout_record,
    closeout_record_bytes,
    closeout_record_digest,
    evidence_entry_digest,
)
from planner.rollout.lane_evidence import EvidenceReading
from planner.rollout.verify_closeout import (
    check_closeout_facts,
    check_closeout_file_is_canonical,
    check_closeout_record,
)
from planner.values import canonical_bytes, document_digest, value_leaves
from tests.unit.rollout.lanes import lane

SEED = 20261130
MUTATIONS = int(os.environ.get("HWPLAN_MUTATIONS", "2000"))  # `HWPLAN_MUTATIONS=10000` for all of them


def _other(value: Any, rng: random.Random) -> Any:
    """Another value than this one."""
    choices: list[Any] = [None, True, False, 0, rng.randrange(1, 99), "", "x", [], {}, [value], {"a": value}]
    if isinstance(value, str) and value:
        at = rng.randrange(len(value))
        choices += [value[:at] + chr(rng.randrange(33, 126)) + value[at + 1 :], value[:-1], value + " ", value.upper()]
    if isinstance(value, int | float) and not isinstance(value, bool):
        choices += [value + 1, -value - 1]
    different = [one for one in choices if canonical_bytes(one) != canonical_bytes(value)]
    return rng.choice(different)


def _mutate(document: Any, path: tuple[str | int, ...], rng: random.Random) -> Any:
    """A copy with one leaf changed, taken away, or joined by another."""
    copy = json.loads(canonical_bytes(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    last = path[-1]
    match rng.randrange(4), inner:
        case 0, dict():
            del inner[last]
        case 1, dict():
            inner[f"{last}2"] = inner[last]
        case 0, list():
            del inner[int(last)]
        case _:
            inner[last] = _other(inner[last], rng)
    return copy


def _paths(document: Any, rng: random.Random) -> Iterator[tuple[str | int, ...]]:
    known = [path for path, _ in value_leaves(document) if path]
    while True:
        yield rng.choice(known)


def test_every_single_mutation_of_a_record_is_rejected_with_its_edge() -> None:
    """C5, C9: whatever is changed, and whoever forgets the digests."""
    rng = random.Random(SEED)
    record = json.loads(closeout_record_bytes(closeout_record(lane())))
    paths = _paths(record, rng)
    for number in range(MUTATIONS):
        path = next(paths)
        mutated = _mutate(record, path, rng)
        broken = check_closeout_record(mutated)
        assert broken, (number, path)
        assert all(one.edge and one.reason for one in broken), (number, path)
        if path[0] == "evidence" and len(path) > 3 and path[2] == "value":
            assert any(one.edge == f"evidence {path[1]}" for one in broken) or broken[0].edge == "structure", (
                number,
                path,
            )


def test_a_forger_who_makes_all_digests_again_is_caught_by_the_facts() -> None:
    """C3, C5: a value of the evidence is changed and every digest computed again; what the systems say says."""
    rng = random.Random(SEED + 1)
    evidence = lane()
    record = json.loads(closeout_record_bytes(closeout_record(evidence)))
    compared = ("tip", "snapshot", "image/", "registry/", "gitops", "contains/", "mirror/")
    names = [name for name in evidence.readings if name.startswith(compared)]
    for number in range(MUTATIONS // 4):
        name = rng.choice(names)
        value = record["evidence"][name]["value"]
        inner = [path for path, _ in value_leaves(value) if path]
        forged_value = _mutate(value, rng.choice(inner), rng) if inner else _other(value, rng)
        if canonical_bytes(forged_value) == canonical_bytes(value):
            continue
        forged = _forged(record, name, forged_value)
        edges = {one.edge for one in (*check_closeout_record(forged), *check_closeout_facts(forged, evidence.readings))}
        assert name in edges or any(name in edge for edge in edges), (number, name, forged_value, edges)


def _forged(record: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    forged = json.loads(canonical_bytes(record))
    entry = forged["evidence"][name]
    entry["value"] = value
    entry["digest"] = evidence_entry_digest(entry)
    forged["digest"] = closeout_record_digest(forged)
    forged.pop("checksum")
    return {**forged, "checksum": document_digest(forged)}


def test_every_single_mutation_of_the_world_is_rejected_with_its_edge() -> None:
    """The record is as it was; what is read again is not."""
    rng = random.Random(SEED + 2)
    evidence = lane()
    record = closeout_record(evidence)
    compared = [
        name
        for name in evidence.readings
        if name not in ("tasks",) and not name.startswith(("probe/", "workload/", "argo/", "run"))
    ]
    for number in range(MUTATIONS // 4):
        name = rng.choice(compared)
        now = EvidenceReading(_other(evidence.readings[name].value, rng), "the world")
        broken = check_closeout_facts(record, {**evidence.readings, name: now})
        assert [one.edge for one in broken] == [name], (number, name)


def test_every_single_byte_of_a_record_counts() -> None:
    """C9: a flipped byte anywhere in the file."""
    rng = random.Random(SEED + 3)
    content = closeout_record_bytes(closeout_record(lane()))
    for _ in range(min(MUTATIONS, 500)):
        at = rng.randrange(len(content))
        changed = bytes([*content[:at], content[at] ^ (1 << rng.randrange(7)), *content[at + 1 :]])
        try:
            document = json.loads(changed)
        except ValueError:
            continue
        assert (
            not isinstance(document, dict)
            or check_closeout_record(document)
            or check_closeout_file_is_canonical(changed, document)
        ), at
