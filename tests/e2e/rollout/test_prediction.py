"""What Argo CD will change is known before a rollout begins: each object that it changed was predicted, and none more.

`HWPLAN_PREDICTIONS` is the number of random commits (and twice that of pull requests), `HWPLAN_SEED` where they begin.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.hwplan import Hwplan
from tests.e2e.rollout.lane_on_github import lane_on_github
from tests.e2e.rollout.real_lane import RUNTIME, RealLane

pytestmark = pytest.mark.timeout(6 * 3600)
_COMMITS = int(os.environ.get("HWPLAN_PREDICTIONS", "4"))
_PULLS = max(2, _COMMITS // 2)
_SEED = int(os.environ.get("HWPLAN_SEED", "1"))
_PATHS = (
    *(f"services/{name}/main.go" for name in ("cloud-api", "cloud-web", "device-gateway", "job-runner", "notifier")),
    "services/artifact-store/main.go", "packages/protocol/a.ts", "packages/ui/a.ts", "packages/toolchains/a.txt",
    "docs/notes.md", "README.md",
)  # fmt: skip
_KINDS = {"Deployment": "/apis/apps/v1", "ConfigMap": "/api/v1", "Service": "/api/v1"}
_OF_CONTROLLERS = ("deployment.kubernetes.io/revision",)


def _content(lane: RealLane) -> dict[str, Any]:
    """Everything that Argo CD has brought to the namespace, without status and what servers and controllers count."""
    found = {}
    for kind, api in _KINDS.items():
        for one in lane.api.get(f"{api}/namespaces/{RUNTIME}/{kind.lower()}s")["items"]:
            metadata = one["metadata"]
            annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in _OF_CONTROLLERS}
            if not any(name.startswith("argocd.argoproj.io/") for name in annotations):
                continue
            group = ".apps" if kind == "Deployment" else ""
            rest = {key: value for key, value in one.items() if key not in ("status", "metadata")}
            named = {"uid": metadata["uid"], "labels": metadata.get("labels"), "annotations": annotations}
            found[f"{kind}{group}/{RUNTIME}/{metadata['name']}"] = {**rest, **named}
    return found


def _changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    made = dict.fromkeys(after.keys() - before.keys(), "create")
    gone = dict.fromkeys(before.keys() - after.keys(), "delete")
    return {**made, **gone, **{name: "update" for name in before.keys() & after.keys() if before[name] != after[name]}}


def _random_commit(lane: RealLane, draw: random.Random) -> str:
    """A commit of some files; now and then the declared workloads change with it, or somebody commits a manifest."""
    words = []
    if draw.random() < 0.3:
        words.append(f"replicas {lane.scale(draw.choice(lane.services()), draw.randint(1, 3))}")
    if draw.random() < 0.25:
        name = f"extra-{draw.randint(1, 3)}"
        there = draw.random() < 0.7
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"x": str(draw.random())}}
        lane.by_hand({f"{name}.yaml": json.dumps(body) if there else ""})
        words.append(f"{name} {'set' if there else 'gone'}")
    paths = draw.sample(_PATHS, draw.randint(1, 3))
    lane.grow(*paths)
    return ", ".join([*words, *paths])


def test_every_object_that_argo_cd_changes_was_predicted_and_none_more(settled: RealLane) -> None:
    """B4, B14: digests of what is built are the only unknowns."""
    lane, draw = settled, random.Random(_SEED)
    seen = 0
    for number in range(_COMMITS):
        what = _random_commit(lane, draw)
        shown = lane.trigger("--json").json["argo"]
        assert shown["problem"] is None, shown
        before = _content(lane)
        lane.trigger("--confirm", "-q")
        after = _content(lane)
        predicted = {one["address"]: one["action"] for one in shown["changes"]}
        assert predicted == _changed(before, after), (number, what)
        _fields_are_right(shown["changes"], after, shown["unknownDigests"], what)
        seen += len(predicted)
        print(
            f"commit {number + 1} of {_COMMITS}: {len(predicted)} changed objects, {seen} in all, each predicted",
            flush=True,
        )
        lane.forget_old_runs()
    print(f"{_COMMITS} commits from seed {_SEED}: {seen} changed objects, each predicted, and none more")
    assert seen
    lane.aligned()


def _fields_are_right(changes: list[Any], after: dict[str, Any], unknown: list[str], what: str) -> None:
    """Each unknown value is a digest of a service that was built, and each known one is what came."""
    open_ones = set()
    for change in changes:
        for field in change["fields"]:
            value = str(field.get("after"))
            if value.endswith("@(known after the build)"):
                open_ones.add(change["address"].rpartition("/")[2])
            elif field["path"].endswith("image"):
                containers = after[change["address"]]["spec"]["template"]["spec"]["containers"]
                assert value == containers[0]["image"], what
            elif field["path"] == "spec.replicas":
                assert field["after"] == after[change["address"]]["spec"]["replicas"], what
    assert open_ones <= set(unknown), what


def test_f09_the_page_of_a_pull_request_foretells_what_its_merge_and_rollout_change(settled: RealLane) -> None:
    """`plan --pr`, before anything is merged, against what Argo CD did after `prs` merged and rolled out.
    The id is the same for the commit that the merge made."""
    lane, draw, seen = settled, random.Random(_SEED + 1), 0
    with lane_on_github(lane) as on_github:
        for number in range(_PULLS):
            paths = draw.sample(_PATHS, draw.randint(1, 3))
            pull = on_github.pull(*paths)
            shown = lane.hwplan("plan", "--pr", str(pull), *lane.words, "--format", "json").json
            assert shown["argo"]["problem"] is None, shown["argo"]
            tree = next(one for one in shown["approval"]["way"] if one["stage"] == "merge")["text"]
            before = _content(lane)
            done = lane.hwplan("prs", *lane.words, "--once", "--json").json
            after = _content(lane)
            predicted = {one["address"]: one["action"] for one in shown["argo"]["changes"]}
            assert predicted == _changed(before, after), (number, paths)
            _fields_are_right(shown["argo"]["changes"], after, shown["argo"]["unknownDigests"], str(paths))
            assert lane.upstream.git("rev-parse", f"{lane.tip()}^{{tree}}")[:12] in tree
            assert [one["outcome"] for one in done["deliveries"]] == ["passed"]
            again = lane.hwplan("plan", "--pr", str(pull), *lane.words, "--format", "json").json["approval"]["id"]
            assert again == shown["approval"]["id"], "one id before the merge and after it"
            seen += len(predicted)
            lane.forget_old_runs()
        print(f"{_PULLS} pull requests from seed {_SEED + 1}: {seen} changed objects, each predicted, and none more")
    assert seen
    lane.aligned()


def test_a_sandbox_brings_what_argo_cd_brings(settled: RealLane, tmp_path: Path) -> None:
    """The same configuration rolled out in a sandbox: the same objects, each with the same fields, managed by the same
    name. Digests aside: its images are made up."""
    lane = settled
    shutil.copytree(lane.words[1], tmp_path / "config")
    lanes = tmp_path / "config" / "hwlab-node-lanes.yaml"
    lanes.write_text(lanes.read_text().replace("            provenance: commit\n", ""))  # nobody answers with a commit
    words = ("--config", str(tmp_path / "config"), *lane.words[2:])
    Hwplan(tmp_path, (), lane.hwplan.env)("sandbox", "create", "box", *words)
    box = Hwplan(tmp_path, ("--live", "box"), lane.hwplan.env)
    box("apply", *words, "--confirm", "-q")
    box("trigger", *words, "--confirm", "-q")
    real, made = _content(lane), {}
    for path in sorted((tmp_path / "box" / "cluster" / RUNTIME).glob("*/*.yaml")):
        one = yaml.safe_load(path.read_text())
        if any(name.startswith("argocd.argoproj.io/") for name in one["metadata"].get("annotations") or ()):
            made[f"{path.parent.name}/{RUNTIME}/{path.stem}"] = one
    extra = {name for name in real if name.split("/")[-1].startswith("extra-")}  # what other tests committed by hand
    assert made.keys() == real.keys() - extra and made
    for name, one in made.items():
        live = real[name]
        assert one["metadata"]["labels"] == live["labels"] and one["metadata"]["annotations"] == live["annotations"]
        rest = {key: value for key, value in one.items() if key not in ("apiVersion", "kind", "metadata", "status")}
        wanted = {key: value for key, value in live.items() if key not in ("uid", "labels", "annotations")}
        assert _without_digests(rest) == _without_digests(wanted), name
        managers = {entry["manager"] for entry in one["metadata"]["managedFields"]}
        assert "argocd-controller" in managers
    print(f"{len(made)} objects, each as the real Argo CD made it")


def _without_digests(document: Any) -> Any:
    return json.loads(re.sub(r"@sha256:[0-9a-f]{64}", "@", json.dumps(document, sort_keys=True)))
