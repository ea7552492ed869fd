"""A simulated sync brings what was promoted: the objects of the GitOps branch are in the sandbox, as predicted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan
from tests.testbed.git_fixtures import BareRepository

LANE = ("--node", "D601", "--lane", "v03")
GITOPS, SOURCE = "refs/heads/v0.3-gitops", "refs/heads/v0.3"
RUNTIME = "hwlab-v03"


class Box:
    """The lane in a sandbox, applied."""

    def __init__(self, folder: Path, *words: str) -> None:
        Hwplan(folder, ())("sandbox", "create", "box", *LANE, *words)
        self.folder, self.here = folder / "box", Hwplan(folder, ("--live", "box", *words))
        self.here("apply", *LANE, "--confirm", "-q")
        self.mirror = BareRepository(self.folder / "git" / "git-mirror-hwlab.git")
        self.upstream = BareRepository(self.folder / "git" / "hwlab.git")

    def objects(self, kind: str) -> dict[str, str]:
        """The texts of the live objects of a kind that carry Argo CD's mark, by address."""
        folder = self.folder / "cluster" / RUNTIME / kind
        texts = {path.stem: path.read_text() for path in folder.glob("*.yaml")}
        return {f"{kind}/{RUNTIME}/{name}": text for name, text in texts.items() if "tracking-id" in text}

    def roll_out(self, code: int = 0) -> tuple[dict[str, str], dict[str, str], Any]:
        """What was predicted of the sync, what it did, and the document of the rollout."""
        predicted = self.here("trigger", *LANE, "--json").json["argo"]
        assert predicted["problem"] is None, predicted
        before = self._all()
        done = self.here("trigger", *LANE, "--confirm", "--json", code=code).json
        after = self._all()
        happened = {
            **dict.fromkeys(after.keys() - before.keys(), "create"),
            **dict.fromkeys(before.keys() - after.keys(), "delete"),
            **{name: "update" for name in before.keys() & after.keys() if before[name] != after[name]},
        }
        return {one["address"]: one["action"] for one in predicted["changes"]}, happened, done

    def _all(self) -> dict[str, str]:
        return {**self.objects("Deployment.apps"), **self.objects("ConfigMap"), **self.objects("Job.batch")}

    def by_hand(self, name: str, document: dict[str, Any] | None) -> None:
        """Somebody commits a manifest beside those that are promoted, or takes it away."""
        text = json.dumps(document) if document else "# nothing\n"
        self.mirror.write(GITOPS, {f"deploy/gitops/v03/{name}.yaml": text}, "by hand")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_s24_what_was_promoted_runs_as_it_was_predicted(box: Box) -> None:
    """From nothing; then one service of a commit; then a hook and a manifest beside them; then one that goes."""
    predicted, happened, _ = box.roll_out()
    assert predicted == happened and len(happened) == 6 and set(happened.values()) == {"create"}
    catalog = json.loads(box.mirror.read(GITOPS, "deploy/gitops/v03/catalog.json"))["services"]
    deployments = box.objects("Deployment.apps")
    for name, service in catalog.items():
        assert f"image: {service['image']}" in deployments[f"Deployment.apps/{RUNTIME}/{name}"], name
    assert "manager: argocd-controller" in deployments[f"Deployment.apps/{RUNTIME}/hwlab-notifier"]
    status = box.here("status", *LANE, "--json").json
    assert status["aligned"] is True
    assert "8 of 8 ready" in box.here("status", *LANE).out

    box.upstream.write(SOURCE, {"services/notifier/main.go": "changed\n"}, "Change the notifier")
    predicted, happened, done = box.roll_out()
    assert predicted == happened == {f"Deployment.apps/{RUNTIME}/hwlab-notifier": "update"}
    assert done["targetValidation"]["state"] == "passed"

    hook = {"argocd.argoproj.io/hook": "PreSync", "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation"}
    container = {"name": "migrate", "image": "registry.example/migrate:1"}
    pod = {"restartPolicy": "Never", "containers": [container]}
    metadata = {"name": "migrate", "annotations": hook}
    box.by_hand(
        "job", {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}}}
    )
    box.by_hand("extra", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}, "data": {"a": "1"}})
    box.upstream.write(SOURCE, {"docs/notes.md": "changed\n"}, "Change the notes")
    predicted, happened, _ = box.roll_out()
    job, extra = f"Job.batch/{RUNTIME}/migrate", f"ConfigMap/{RUNTIME}/extra"
    assert predicted == {job: "run", extra: "create"} and happened == {job: "create", extra: "create"}
    assert "type: Complete" in box.objects("Job.batch")[job]

    box.by_hand("extra", None)
    box.by_hand("job", None)
    box.upstream.write(SOURCE, {"docs/notes.md": "changed again\n"}, "Change the notes again")
    predicted, happened, _ = box.roll_out()
    assert predicted == happened == {extra: "delete"}, "a hook that ended stays"
    assert box.here("drift", *LANE).out.startswith("none of 116 objects drifted")


def test_what_is_no_manifest_fails_the_sync_with_its_path(box: Box) -> None:
    box.here("trigger", *LANE, "--confirm", "-q")
    box.mirror.write(GITOPS, {"deploy/gitops/v03/odd.yaml": "services: {}\n"}, "by hand")
    box.upstream.write(SOURCE, {"services/notifier/main.go": "changed\n"}, "Change the notifier")
    failed = box.here("trigger", *LANE, "--confirm", code=1)
    assert "it is no manifest, and Argo CD reads it as one" in failed.out
    box.by_hand("odd", None)


def test_a_mirror_that_is_reached_at_another_address_from_here(tmp_path: Path) -> None:
    """Argo CD knows it by its Service, hwplan by a forwarded port: both are the repository of the sandbox."""
    for name in ("config", "templates"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    for path in (tmp_path / "config").glob("*.yaml"):
        path.write_text(path.read_text().replace("http://git-mirror.devops-infra.svc:8080", "http://127.0.0.1:9418"))
    box = Box(tmp_path, "--config", "config")
    foretold, happened, _ = box.roll_out()
    assert foretold == happened and len(happened) == 6


def test_a_gate_with_provenance_answers_with_what_the_sync_deployed(tmp_path: Path) -> None:
    """The health endpoint reports the commit that runs: it passes after a rollout, and not for another commit."""
    for name in ("config", "templates"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    lanes = tmp_path / "config" / "hwlab-node-lanes.yaml"
    gate = "          - url: https://hwlab.pikapython.com/health\n"
    assert lanes.read_text().count(gate) == 1
    lanes.write_text(lanes.read_text().replace(gate, f"{gate}            provenance: build.commit\n"))
    box = Box(tmp_path)
    answers = tmp_path / "box" / "probes.yaml"
    assert 'commit: {"field": "build.commit", "application": "hwlab-v03"}' in answers.read_text()
    _, _, done = box.roll_out()
    first = box.upstream.at(SOURCE)
    assert done["targetValidation"]["state"] == "passed"
    assert json.loads((tmp_path / "box" / "deployed.json").read_text()) == {"hwlab-v03": first}
    assert f"build.commit {first[:12]}" in box.here("status", *LANE, "--full").out

    Hwplan(tmp_path, ())("sandbox", "fail", "box", "ArgoSync/hwlab-v03-ci-poll")
    box.upstream.write(SOURCE, {"services/notifier/main.go": "changed\n"}, "Change the notifier")
    box.here("trigger", *LANE, "--confirm", "--json", code=1)
    said = box.here("status", *LANE, code=2).out
    assert "build.commit = source: the answer comes from another build" in said
    assert json.loads((tmp_path / "box" / "deployed.json").read_text()) == {"hwlab-v03": first}, said
    answers.write_text(answers.read_text().replace('"application": "hwlab-v03"', '"application": "another"'))
    Hwplan(tmp_path, ())("sandbox", "fail", "box", "ArgoSync/hwlab-v03-ci-poll", "--undo")
    failed = box.here("trigger", *LANE, "--confirm", code=1).out
    assert "build.commit is absent, expected " in failed
