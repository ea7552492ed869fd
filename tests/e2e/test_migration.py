"""A migration runs once for each image (S18, B14): what needs it waits, and a second apply runs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.e2e.manifests import write

STACK = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api, namespace: {ns}}}
spec:
  selector: {{matchLabels: {{app: api}}}}
  template:
    metadata: {{labels: {{app: api}}}}
    spec: {{containers: [{{name: main, image: "registry.test/api@sha256:{digest}"}}]}}
---
apiVersion: hwplan.dev/v1
kind: PodExec
metadata: {{name: migrate}}
spec: {{target: Deployment.apps/{ns}/api, container: main, command: [migrate, up], oncePerImage: true}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: after, namespace: {ns}, annotations: {{hwplan.dev/depends-on: PodExec/migrate}}}}
data: {{digest: "{digest}"}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: {ns}}}
"""
FAILS = "execs: [{command: [migrate, up], exitCode: 3, output: no table}]\n"
EXEC = "PodExec/migrate"


def _words(box: Hwplan, ns: str, digit: int) -> tuple[str, ...]:
    text = STACK.format(ns=ns, digest=f"{digit:064}")
    return ("-f", write(box.folder, "stack.yaml", text), "--name", ns)


def test_s18_once_for_each_image(simulated: Hwplan, unique: str) -> None:
    words = _words(simulated, unique, 1)
    assert changes(simulated.plan(*words))[EXEC] == "run"
    simulated("apply", *words, "--confirm")
    simulated.empty(*words)
    assert simulated("apply", *words, "--confirm").out.endswith("nothing to do\n")

    words = _words(simulated, unique, 2)
    plan = simulated.plan(*words)
    assert changes(plan)[EXEC] == "run" and f"Deployment.apps/{unique}/api" in change_of(plan, EXEC)["needs"]
    answers = simulated.folder / "box" / "probes.yaml"
    well = answers.read_text()
    answers.write_text(well + FAILS)
    failed = simulated("apply", *words, "--confirm", code=1)
    assert "simulated: exit code 3" in failed.out
    left = changes(simulated.plan(*words))
    assert left == {EXEC: "run", f"ConfigMap/{unique}/after": "update"}, "what needs it was not made"

    answers.write_text(well)
    simulated("apply", *words, "--confirm")
    simulated.empty(*words)
    words = _words(simulated, unique, 1)
    done = simulated("apply", *words, "--confirm", "--json").json
    (row,) = [one for one in done["nodes"] if one["address"] == EXEC]
    assert row["result"] == "unchanged", "the image before was migrated already"
    simulated.empty(*words)


@pytest.mark.timeout(300)
def test_b14_it_is_a_node_of_the_lane_between_sync_and_gate(tmp_path: Path) -> None:
    lane = ("--config", str(REPOSITORY / "config"), "--node", "G14", "--lane", "v02")
    Hwplan(tmp_path, ())("sandbox", "create", "box", *lane)
    box = Hwplan(tmp_path, ("--live", "box"))
    box("apply", *lane, "--confirm", "-q")
    assert "PodExec" not in box.plan(*lane), "a plain apply runs nothing (B1)"
    change = change_of(box.plan(*lane, "--scope", "rollout"), "PodExec/v02-migrate-hwlab-cloud-api")
    assert change["action"] == "run" and "ArgoSync/hwlab-v02-ci-poll" in change["needs"]
    page = box("trigger", *lane).out
    assert "once for each image that the container hwlab-cloud-api really runs" in " ".join(page.split())
    assert "data loss" in page and "neither undo nor an older image restores it" in " ".join(page.split())
    done = box("trigger", *lane, "--confirm", "--wait")
    assert "PodExec/v02-migrate-hwlab-cloud-api" in done.out
    assert box("trigger", *lane, "--confirm").out.endswith("nothing to do\n")
    assert changes(box.plan(*lane, "--scope", "migration")) == {}
