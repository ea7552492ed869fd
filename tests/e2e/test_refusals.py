"""`apply` refuses with exit 3, before anything is written, what is not the plan that was looked at."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e import manifests
from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan
from tests.testbed.cluster import TestCluster


@pytest.fixture
def changed(real: Hwplan, unique: str) -> tuple[str, ...]:
    """Words of an application that is live, and whose file has changed since."""
    file = manifests.write(real.folder, "app.yaml", manifests.APP.format(ns=unique))
    words = ("-f", file, "--name", unique)
    real("apply", *words, "--confirm")
    manifests.write(real.folder, "app.yaml", manifests.APP.format(ns=unique).replace("level: info", "level: warn"))
    return words


def _level(api_server: TestCluster, unique: str) -> str:
    found = api_server.api().find(f"/api/v1/namespaces/{unique}/configmaps/settings")
    return "" if found is None else str(found["data"]["level"])


@pytest.mark.parametrize("moved", ["changed", "deleted", "recreated"])
def test_a_stale_plan(real: Hwplan, api_server: TestCluster, unique: str, changed: tuple[str, ...], moved: str) -> None:
    real("plan", *changed, "--out", "plan.json")
    if moved == "changed":
        api_server.run_kubectl(
            "-n", unique, "patch", "configmap", "settings", "--type=merge", "-p", '{"data":{"x":"y"}}'
        )
    else:
        api_server.run_kubectl("-n", unique, "delete", "configmap", "settings")
    if moved == "recreated":
        api_server.run_kubectl("-n", unique, "create", "configmap", "settings", "--from-literal=level=info")
    before = _level(api_server, unique)
    refused = real("apply", "plan.json", "--confirm", code=3)
    assert f"ConfigMap/{unique}/settings" in refused.err
    assert _level(api_server, unique) == before


def test_status_alone_makes_no_plan_stale(real: Hwplan, api_server: TestCluster, unique: str) -> None:
    file = manifests.write(real.folder, "app.yaml", manifests.APP.format(ns=unique))
    words = ("-f", file, "--name", unique)
    real("apply", *words, "--confirm")
    manifests.write(real.folder, "app.yaml", manifests.APP.format(ns=unique).replace("web:1", "web:2"))
    real("plan", *words, "--out", "plan.json")
    done = api_server.run_kubectl(
        "-n",
        unique,
        "patch",
        "deployment",
        "web",
        "--subresource=status",
        "--type=merge",
        "-p",
        '{"status":{"replicas":1}}',
    )
    assert done.returncode == 0, done.stderr
    real("apply", "plan.json", "--confirm")
    real.empty(*words)


def test_one_byte_of_the_file(real: Hwplan, api_server: TestCluster, unique: str, changed: tuple[str, ...]) -> None:
    real("plan", *changed, "--out", "plan.json")
    path = real.folder / "plan.json"
    data = path.read_bytes()
    step = max(1, len(data) // 12)
    for position in range(0, len(data), step):
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        real("apply", "plan.json", "--confirm", code=3)
    assert _level(api_server, unique) == "info"
    path.write_bytes(data)
    real("apply", "plan.json", "--confirm")
    assert _level(api_server, unique) == "warn"


def test_another_cluster(real: Hwplan, simulated: Hwplan, unique: str, changed: tuple[str, ...]) -> None:
    real("plan", *changed, "--out", "plan.json")
    refused = simulated("apply", "plan.json", "--confirm", code=3)
    assert "cluster" in refused.err


def test_another_plan_than_the_approved_one(real: Hwplan, unique: str, changed: tuple[str, ...]) -> None:
    approved = real.plan(*changed)["id"]
    assert approved == real.plan(*changed)["id"]
    manifests.write(real.folder, "app.yaml", manifests.APP.format(ns=unique).replace("level: info", "level: other"))
    real("apply", *changed, "--plan-id", approved, "--confirm", code=3)
    manifests.write(real.folder, "app.yaml", manifests.APP.format(ns=unique).replace("level: info", "level: warn"))
    real("apply", *changed, "--plan-id", approved, "--confirm")


def test_missing_state_and_mass_delete(real: Hwplan, unique: str) -> None:
    many = "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}, namespace: {unique}}}\n"
        f"data: {{number: '{n}'}}\n"
        for n in range(12)
    )
    head = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {unique}}}\n"
    file = manifests.write(real.folder, "many.yaml", head + many)
    words = ("-f", file, "--name", unique)
    real("apply", *words, "--confirm")
    manifests.write(real.folder, "many.yaml", head + many[: len(many) // 2].rpartition("---")[0])
    shown = real("plan", *words).out
    assert "refused without --allow mass-delete" in shown and "--allow mass-delete --confirm" in shown
    assert [one["name"] for one in real("plan", *words, "--json").json["guards"]] == ["mass-delete"]
    assert "without --allow" not in real("apply", *words, "--allow", "mass-delete").out
    assert "mass-delete" in real("apply", *words, "--confirm", code=3).err
    lost = Hwplan(real.folder, (*real.where[:-1], str(real.folder / "other.db")))
    assert "missing-state" in lost("apply", *words, "--confirm", "--allow", "mass-delete", code=3).err
    real("apply", *words, "--confirm", "--allow", "mass-delete")
    real.empty(*words)


def test_the_same_bytes_whatever_the_hash_seed(lane_box: Hwplan) -> None:
    words = ("plan", *LANE, "--json")
    runs = 100 if os.environ.get("CI") else 10
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = set(pool.map(lambda seed: lane_box(*words, env={"PYTHONHASHSEED": str(seed)}).out, range(runs)))
    assert len(seen) == 1


def test_an_approval_that_no_longer_fits_says_what_is_different(simulated: Hwplan, unique: str) -> None:
    file = manifests.write(simulated.folder, "app.yaml", manifests.APP.format(ns=unique))
    words = ("-f", file, "--name", unique)
    approved = simulated.plan(*words)["id"]
    manifests.write(simulated.folder, "app.yaml", manifests.APP.format(ns=unique).replace("level: info", "level: warn"))
    refused = simulated("apply", *words, "--plan-id", approved, "--confirm", code=3)
    assert f'ConfigMap/{unique}/settings: data: approved was add {{"level": "info"' in refused.err
    elsewhere = simulated("apply", *words, "--plan-id", "0" * 64, "--confirm", code=3)
    assert "approved was" not in elsewhere.err


def test_a_url_as_state_is_refused_and_not_repeated(simulated: Hwplan) -> None:
    """As a path it made a folder of that name, with the password in it."""
    url = "postgresql://hwplan:correct-horse@db.test/hwplan"
    before = {one.name for one in simulated.folder.iterdir()}
    for words, env in ((("state", "list"), {"HWPLAN_STATE": url}), (("state", "history", "--state", url), {})):
        ran = simulated(*words, code=1, env=env)
        assert "a URL of a database is not supported" in ran.err and "correct-horse" not in ran.err
    assert {one.name for one in simulated.folder.iterdir()} == before
