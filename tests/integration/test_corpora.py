"""A few published sets through their whole life on the real server; `HWPLAN_CORPORA=FOLDER:FOLDER` takes more.

`python -m tests.corpora FOLDER` is the same as a command.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.corpora.manifest_sets import ManifestSet, sets_below
from tests.corpora.reasons import reason_of
from tests.corpora.story import Where, tell
from tests.testbed import binaries
from tests.testbed.cluster import TestCluster

MORE = [Path(one) for one in os.environ.get("HWPLAN_CORPORA", "").split(":") if one]
FEW = ("base/redis", "base/config", "base/repo-server/argocd-repo-server-service.yaml")

GROUPS, RAN = 4, 2  # of the sets of each group, so many at least run


def _sets() -> list[ManifestSet]:
    folders = [*(binaries.argocd_module() / "manifests" / one for one in FEW), *MORE]
    return [one for folder in folders for one in sets_below(folder)]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("group", range(GROUPS))
def test_every_set_lives_and_is_taken_over_without_an_exception(cluster: TestCluster, group: int) -> None:
    """The sets are dealt out to groups, so that several workers share them, each with its own cluster."""
    where = Where(cluster.kubeconfig, cluster.kubectl)
    outcomes = [tell(one, where, number) for number, one in list(enumerate(_sets()))[group::GROUPS]]
    assert sum(not one.skipped for one in outcomes) >= RAN
    unnamed = [
        f"{outcome.file.name}: {one}"
        for outcome in outcomes
        for one in outcome.exceptions
        if not reason_of(outcome.file, one)
    ]
    assert not unnamed, "\n".join(unnamed)
