"""What a sandbox accepts, refuses and stores of the built-in kinds, held against the dry run of a real API server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.fidelity.builtins_compared import Case, cases
from tests.fidelity.published_objects import published_cases
from tests.fidelity.server import Server
from tests.testbed.cluster import TestCluster

COUNT = 40  # objects of each of thirty kinds
PUBLISHED = 2000  # mutations of published objects
# docs/sandbox.md, "Differences": what the server refuses, and a sandbox does not.
_NAMED = (
    "illegal base64 data",
    "must not be specified when serviceAccountName is not set",
    "failed to allocate IP",
    "not in the valid range",
    "not configured on this cluster",
    "looking for beginning of value",  # .dockerconfigjson
    "unsupported pod version",
)
_STATUS = ".status."  # what an API server writes there at once, a sandbox leaves to its controllers


@pytest.fixture
def server(api_server: TestCluster) -> Iterator[Server]:
    with Server(api_server.server, api_server.token, api_server.ca) as client:
        yield client


def _is_named(case: Case) -> bool:
    return isinstance(case.server, str) and any(words in case.server for words in _NAMED)


def test_a_sandbox_answers_as_the_server_does(server: Server, tmp_path: Path) -> None:
    create_empty_snapshot(tmp_path, name="sandbox")
    totals: Counter[str] = Counter()
    wrong: list[str] = []
    for case in cases(server, open_snapshot(tmp_path), COUNT, seed=1):
        totals["refused" if isinstance(case.server, str) else "accepted"] += 1
        if not case.agrees and not _is_named(case):
            wrong.append(str(case))
        wrong += [f"{case}\n  {words}" for words in case.different() if not words.startswith(_STATUS)]
    assert not wrong, f"{len(wrong)} of {totals}\n" + "\n".join(wrong[:10])
    assert min(totals["accepted"], totals["refused"]) > sum(totals.values()) / 4


def test_published_objects_with_one_field_changed(server: Server, tmp_path: Path) -> None:
    create_empty_snapshot(tmp_path, name="sandbox")
    totals: Counter[str] = Counter()
    wrong: list[str] = []
    for case in published_cases(server, open_snapshot(tmp_path), PUBLISHED, seed=1):
        totals["refused" if isinstance(case.server, str) else "accepted"] += 1
        if not case.agrees and not _is_named(case):
            wrong.append(str(case))
        wrong += [f"{case}\n  {words}" for words in case.different() if not words.startswith(_STATUS)]
    assert not wrong, f"{len(wrong)} of {totals}\n" + "\n".join(wrong[:20])
    assert min(totals["accepted"], totals["refused"]) > sum(totals.values()) / 6
