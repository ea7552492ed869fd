"""The prediction of a promotion against the shipped scripts themselves: what is built, and which files are committed.

The steps of D601/v03 run as they are rendered, with the real git and node, commit after commit of a drawn history.
`HWPLAN_PREDICTIONS` is the number of commits.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from planner.app.load_desired import load_desired_offline
from planner.app.request import Request
from planner.rollout.promotion_commit_prediction import (
    PredictedPromotionCommit,
    parse_promotable_services,
    predict_promotion_commit,
)
from tests.testbed.errors import PartMissing
from tests.testbed.fixtures import part
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.lane_scripts import LaneScripts
from tests.testbed.tekton_references import Values, filled
from tests.testbed.tekton_steps import Outcome, Step

pytestmark = pytest.mark.timeout(6 * 3600)
_REPOSITORY = Path(__file__).parent.parent.parent
_COMMITS = int(os.environ.get("HWPLAN_PREDICTIONS", "6"))
_FOLDER = "deploy/gitops/v03"
_SOURCE, _GITOPS = "refs/heads/v0.3", "refs/heads/v0.3-gitops"
_PATHS = (
    "services/cloud-api/a", "services/cloud-web/b/c", "services/device-gateway/a", "services/job-runner/a",
    "services/artifact-store/a", "services/notifier/a", "packages/shared/x", "packages/protocol/x", "packages/ui/x",
    "packages/toolchains/x", "docs/\u00fcber.md", "README.md",
)  # fmt: skip


@dataclass
class Pipeline:
    """The tasks of the lane, run one after the other."""

    scripts: LaneScripts
    tasks: Mapping[str, Any]
    maps: Mapping[str, Mapping[str, str]]
    number: int = 0
    params: dict[str, str] = field(default_factory=dict)

    def task(self, name: str) -> Outcome:
        """Run one. Fails the test when it fails."""
        given = Values({f"params.{key}": value for key, value in self.params.items()})
        spec = {**self.tasks[name], "steps": filled(self.tasks[name]["steps"], given)}
        results = tuple(one["name"] for one in spec.get("results") or ())
        step = Step(name, "run", "ci", self.params, results, threading.Event(), spec, f"run-{self.number}")
        outcome = self.scripts(step)
        assert outcome.exit_code == 0, outcome.log
        return outcome

    def work(self, name: str) -> Path:
        """A file of the workspace."""
        return self.scripts.folder / f"run-{self.number}" / "work" / name


@pytest.fixture
def mirror(tmp_path: Path) -> BareRepository:
    made = BareRepository.create(tmp_path / "mirror" / "hwlab.git")
    made.put(_GITOPS, made.commit("first"))
    return made


@pytest.fixture
def pipeline(tmp_path: Path, mirror: BareRepository) -> Pipeline:
    with part():
        if shutil.which("node") is None:
            raise PartMissing("node is not installed (Debian package nodejs)")
    stack = load_desired_offline(Request(config=_REPOSITORY / "config", nodes=("D601",), lanes=("v03",)))
    maps = {one.address.name: one.manifest["data"] for one in stack.resources if one.address.kind == "ConfigMap"}
    tasks = {one.address.name: one.manifest["spec"] for one in stack.resources if one.address.kind == "Task"}
    hosts = {"http://git-mirror.devops-infra.svc:8080/": f"file://{mirror.path.parent}/"}
    return Pipeline(LaneScripts(lambda _, name: maps[name], tmp_path / "steps", hosts), tasks, maps)


def test_b4_b14_the_scripts_build_and_commit_what_was_predicted(pipeline: Pipeline, mirror: BareRepository) -> None:
    draw = random.Random(1)
    counts = []
    for number in range(_COMMITS):
        files = dict.fromkeys(draw.sample(_PATHS, draw.randint(1, 3)), f"{number}\n")
        commit = mirror.write(_SOURCE, files)
        if draw.random() < 0.2:
            mirror.write(_GITOPS, {f"{_FOLDER}/by-hand.yaml": f"# {number}\n"})
        predicted = _predict(pipeline, mirror, commit)
        built = _roll_out(pipeline, mirror, commit, number)
        assert sorted(built) == sorted(predicted.builds), f"commit {number}: {files}"
        assert _committed(mirror) == _with_digests(predicted, built), f"commit {number}: {files}"
        counts.append(len(built))
    print(f"{_COMMITS} commits, {sum(counts)} builds, all as predicted")
    assert counts[0] == 6 and (len(counts) < 3 or min(counts) < 6)


def _predict(pipeline: Pipeline, mirror: BareRepository, commit: str) -> PredictedPromotionCommit:
    def listing(path: str) -> str:
        text = mirror.git("ls-tree", "-r", commit, "--", path)
        return f"{text}\n" if text else ""

    services = parse_promotable_services(pipeline.maps["hwlab-v03-services"]["services.json"])
    return predict_promotion_commit(services, pipeline.maps["hwlab-v03-gitops"], _all(mirror), listing)


def _roll_out(pipeline: Pipeline, mirror: BareRepository, commit: str, number: int) -> dict[str, str]:
    """Run the tasks; a build is a digest in the workspace. Gives the digest of each service that was built."""
    mirror.put(f"refs/unidesk/snapshots/hwlab-node-runtime/v0.3/{commit}", commit)
    catalog = f"{_FOLDER}/catalog.json"
    pipeline.number = number
    pipeline.params = {
        "source-commit": commit, "source-branch": "v0.3", "catalog-path": catalog, "build-cache-mode": "enabled",
        "gitops-branch": "v0.3-gitops",
    }  # fmt: skip
    pipeline.task("source-fetch")
    built = json.loads(pipeline.task("plan-artifacts").results["buildServices"])
    digests = {name: f"sha256:{number:032x}{at:032x}" for at, name in enumerate(built)}
    for name, digest in digests.items():
        pipeline.work(f"digest-{name}").write_text(digest)
    revision = pipeline.task("gitops-promote").results["gitopsRevision"]
    assert revision == mirror.at(_GITOPS)
    return digests


def _all(mirror: BareRepository) -> dict[str, str]:
    """Files in the folder of the GitOps branch, as they are."""
    names = mirror.git("ls-tree", "--name-only", _GITOPS, "--", f"{_FOLDER}/").splitlines()
    return {name.rpartition("/")[2]: f"{mirror.read(_GITOPS, name)}\n" for name in names}


def _committed(mirror: BareRepository) -> dict[str, str]:
    return {name: text for name, text in _all(mirror).items() if name != "catalog.json"}


def _with_digests(predicted: PredictedPromotionCommit, built: Mapping[str, str]) -> dict[str, str]:
    """The predicted files, the unknown digests put in."""
    found = dict(predicted.files)
    for name, image in predicted.builds.items():
        found[f"{name}.yaml"] = found[f"{name}.yaml"].replace(f"image: {image}\n", f"image: {image}@{built[name]}\n")
    return found
