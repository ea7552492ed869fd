"""`hwplan undo`: what a run did is taken back, as a plan like any other; what cannot be is named."""

from __future__ import annotations

from tests.e2e import manifests
from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, change_of, changes

_MORE = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: extra, namespace: {ns}}}
data: {{a: "1"}}
"""


def _write(hwplan: Hwplan, ns: str, *, level: str = "info", extra: bool = False) -> tuple[str, ...]:
    text = manifests.APP.format(ns=ns).replace("info", level) + ("---" + _MORE.format(ns=ns) if extra else "")
    return ("-f", manifests.write(hwplan.folder, "app.yaml", text), "--name", ns)


def _run(hwplan: Hwplan) -> int:
    return int(hwplan("state", "history", "--json").json["runs"][0]["run"])


def test_an_update_and_a_create_are_taken_back(hwplan: Hwplan, unique: str) -> None:
    words = _write(hwplan, unique)
    hwplan("apply", *words, "--no-wait", "--confirm")
    words = _write(hwplan, unique, level="debug", extra=True)
    hwplan("apply", *words, "--no-wait", "--confirm")
    run = str(_run(hwplan))
    plan = hwplan("undo", run, "--json").json
    settings, extra = f"ConfigMap/{unique}/settings", f"ConfigMap/{unique}/extra"
    assert changes(plan) == {settings: "update", extra: "delete"}
    (field,) = change_of(plan, settings)["fields"]
    assert (field["path"], field["before"], field["after"]) == ("data.level", "debug", "info")
    assert hwplan("undo", run, "--json").json["id"] == plan["id"], "the same bytes again"
    hwplan("undo", run, "--plan-id", plan["id"], "--no-wait", "--confirm")
    hwplan.empty(*_write(hwplan, unique))


def test_a_delete_is_taken_back(hwplan: Hwplan, unique: str) -> None:
    hwplan("apply", *_write(hwplan, unique, extra=True), "--no-wait", "--confirm")
    hwplan("apply", *_write(hwplan, unique), "--no-wait", "--confirm")
    run = str(_run(hwplan))
    assert changes(hwplan("undo", run, "--json").json) == {f"ConfigMap/{unique}/extra": "create"}
    hwplan("undo", run, "--no-wait", "--confirm")
    hwplan.empty(*_write(hwplan, unique, extra=True))


def test_what_a_later_run_changed_again_is_not_touched(hwplan: Hwplan, unique: str) -> None:
    hwplan("apply", *_write(hwplan, unique), "--no-wait", "--confirm")
    for level in ("debug", "trace"):
        hwplan("apply", *_write(hwplan, unique, level=level), "--no-wait", "--confirm")
    last = _run(hwplan)
    plan = hwplan("undo", str(last - 1), "--json", code=1).json
    assert plan["changes"] == []
    (blocked,) = plan["blocked"]
    assert blocked["reason"] == f"changed again by run {last}: undo that one first"


def test_a_run_that_never_was(hwplan: Hwplan) -> None:
    ran = hwplan("undo", "77", code=1)
    assert "there is no run 77" in ran.err and "state history" in ran.err


def test_a_rotated_secret_is_not_taken_back_by_guessing(simulated: Hwplan, unique: str) -> None:
    words = _write(simulated, unique)
    simulated("apply", *words, "--confirm")
    path = simulated.folder / words[1]
    path.write_text(path.read_text().replace("hunter2", "hunter3"))
    simulated("apply", *words, "--confirm")
    plan = simulated("undo", str(_run(simulated)), "--json", code=1).json
    assert plan["changes"] == []
    assert "a secret value before the run is not retained" in plan["blocked"][0]["reason"]


def test_a_replace_is_taken_back_by_a_replace(hwplan: Hwplan, unique: str) -> None:
    words = _write(hwplan, unique)
    hwplan("apply", *words, "--no-wait", "--confirm")
    path = hwplan.folder / words[1]
    before = path.read_text()
    more = before.replace("wait: none", "wait: none, hwplan.dev/replace: allow")
    more = more.replace("matchLabels: {app: web}", "matchLabels: {app: web, tier: front}")
    path.write_text(more.replace("metadata: {labels: {app: web}}", "metadata: {labels: {app: web, tier: front}}"))
    plan = hwplan("plan", *words, "--json").json
    assert changes(plan) == {f"Deployment.apps/{unique}/web": "replace"}
    hwplan("apply", *words, "--no-wait", "--confirm")
    plan = hwplan("undo", str(_run(hwplan)), "--json").json
    assert (changes(plan), plan["blocked"]) == ({f"Deployment.apps/{unique}/web": "replace"}, [])
    hwplan("undo", str(_run(hwplan)), "--plan-id", plan["id"], "--no-wait", "--confirm")
    path.write_text(before)
    hwplan.empty(*words)


def test_what_stays_is_not_taken_along_with_its_namespace(hwplan: Hwplan, unique: str) -> None:
    hwplan("apply", *_write(hwplan, unique), "--no-wait", "--confirm")
    first = str(_run(hwplan))
    hwplan("apply", *_write(hwplan, unique, level="debug"), "--no-wait", "--confirm")
    plan = hwplan("undo", first, "--json", code=1).json
    reasons = {one["address"]: one["reason"] for one in plan["blocked"]}
    settings = f"ConfigMap/{unique}/settings"
    assert reasons[f"Namespace/{unique}"] == f"{settings} stays, and would go with it"
    assert f"Namespace/{unique}" not in changes(plan) and settings not in changes(plan)
    assert {one["reason"] for one in plan["changes"]} == {f"made by run {first}"}


def test_a_run_over_several_systems_is_taken_back_as_far_as_it_can_be(lane_box: Hwplan) -> None:
    """Git refs, images and checks stay and are named; what they name in the cluster is planned and goes."""
    lane_box("apply", *LANE, "--confirm")
    plan = lane_box("undo", "1", "--json", code=1).json
    stuck = {one["address"].split("/")[0]: one["reason"] for one in plan["blocked"]}
    assert stuck.keys() == {"GitRef", "HttpProbe", "RegistryImage"}
    assert all("outside the cluster" in reason for reason in stuck.values())
    planned = changes(plan)
    assert planned["Deployment.apps/hwlab-v03/openfga"] == "delete"
    assert planned["Deployment.apps/devops-infra/git-mirror"] == "forget", "the mirror is the node's"
    assert planned["PersistentVolumeClaim/hwlab-v03/postgres-backup"] == "forget"
    words = ("--plan-id", plan["id"], "--allow", "mass-delete", "--confirm")
    done = lane_box("undo", "1", *words, "--json", code=1).json
    assert len(done["nodes"]) == len(plan["changes"])
    assert {one["result"] for one in done["nodes"]} == {"done"}


_PAIR = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: first, namespace: default}}
data: {{a: "{first}"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: second, namespace: default, annotations: {{hwplan.dev/depends-on: ConfigMap/default/first}}}}
data: {{a: "{second}"}}
"""


def test_what_needs_something_that_stays_is_taken_back_all_the_same(simulated: Hwplan) -> None:
    for first, second in ((1, 1), (2, 2), (3, 2)):
        path = manifests.write(simulated.folder, "app.yaml", _PAIR.format(first=first, second=second))
        simulated("apply", "-f", path, "--name", "u", "--confirm")
    plan = simulated("undo", "2", "--json", code=1).json
    assert changes(plan) == {"ConfigMap/default/second": "update"}
    assert [one["address"] for one in plan["blocked"]] == ["ConfigMap/default/first"]


_ORPHAN = "annotations: {hwplan.dev/on-delete: orphan}"


def test_what_was_given_up_is_ours_again(hwplan: Hwplan, unique: str) -> None:
    words = _write(hwplan, unique, extra=True)
    path = hwplan.folder / words[1]
    path.write_text(path.read_text().replace("name: extra,", f"name: extra, {_ORPHAN},"))
    hwplan("apply", *words, "--no-wait", "--confirm")
    hwplan("apply", *_write(hwplan, unique), "--no-wait", "--confirm")
    plan = hwplan("undo", str(_run(hwplan)), "--json").json
    assert changes(plan) == {f"ConfigMap/{unique}/extra": "adopt"}
    hwplan("undo", str(_run(hwplan)), "--no-wait", "--confirm")
