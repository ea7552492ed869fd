"""Values that stand in YAML only, changed live by hand: each is drift with a name and a time, one apply returns it, and
`drift --adopt` writes it to the key that feeds it, or says which line of a template does."""

from __future__ import annotations

import json
import shutil
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan
from tests.testbed import audit
from tests.testbed import cluster as clusters
from tests.testbed.cluster import TestCluster
from tests.testbed.fixtures import part

SHIFT = "night-shift"
EGRESS = tuple(f"ConfigMap/{namespace}/node-egress" for namespace in ("devops-infra", "hwlab-v03", "hwlab-v03-ci"))
NO_PROXY = "127.0.0.1,localhost,.svc,10.99.0.0/16"
QUOTA = "ResourceQuota/hwlab-v03/bounds"
STORE = "StatefulSet.apps/hwlab-v03/postgres"
IMAGE = "127.0.0.1:5000/hwlab/postgres:16.11-bookworm"
BY_HAND = {
    **dict.fromkeys(EGRESS, ("data.NO_PROXY", NO_PROXY)),
    "ConfigMap/hwlab-v03/hwlab-runtime": ("data.PUBLIC_URL", "https://elsewhere.example"),
    QUOTA: ("spec.hard.persistentvolumeclaims", '"12"'),
    "ConfigMap/hwlab-v03/hwlab-notifier": ("data.LOG_LEVEL", "debug"),
    STORE: ("spec.template.spec.containers[name=postgres].image", IMAGE),
    "Deployment.apps/hwlab-v03/openfga": ("spec.replicas", "7"),
}


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Hwplan:
    """The lane, applied once in a sandbox, with a configuration of its own. Each test changes objects of its own."""
    tmp_path = tmp_path_factory.mktemp("adopt")
    for folder in ("config", "templates"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    words = ("--config", "config", "--node", "D601", "--lane", "v03")
    Hwplan(tmp_path, ())("sandbox", "create", "box", *words)
    found = Hwplan(tmp_path, (*words, "--live", "box"))
    found("apply", "--confirm", "--no-wait", "-q")
    return found


def set_by_hand(lane: Hwplan, address: str, path: str, value: str) -> None:
    Hwplan(lane.folder, ())("sandbox", "set", "box", address, f"{path}={value}", "--manager", SHIFT)


def files(lane: Hwplan) -> dict[str, str]:
    return {file.name: file.read_text() for file in (lane.folder / "config").glob("*.yaml")}


def values_left(plan: Any) -> list[tuple[str, str]]:
    """What an apply would change but for our own stamp."""
    fields = ((change["address"], one["path"]) for change in plan["changes"] for one in change["fields"])
    return [(address, path) for address, path in fields if "hwplan.dev/applied" not in path]


@pytest.mark.timeout(900)
def test_values_of_the_configuration_changed_by_hand(lane: Hwplan) -> None:
    """S32: each is drift with manager and time, and one apply returns it. B23: a diff, written with --confirm."""
    for address, (path, value) in BY_HAND.items():
        set_by_hand(lane, address, path, value)
    rows = {row["address"]: row for row in lane("drift", "--json", code=2).json["objects"]}
    for address, (path, _) in BY_HAND.items():
        (field,) = rows[address]["fields"]
        assert field["path"] == path and field["manager"] == SHIFT and field["time"], rows[address]

    before = files(lane)
    shown = lane("drift", "--adopt", QUOTA)
    assert '+            persistentvolumeclaims: "12"' in shown.out and files(lane) == before
    lane("drift", "--adopt", QUOTA, "--confirm")
    lane("drift", "--adopt", "ConfigMap/*/node-egress", "--confirm")
    after = files(lane)
    assert "noProxy: [127.0.0.1, localhost, .svc, 10.99.0.0/16]" in after["hwlab-node-control-plane.yaml"]
    old, new = (side["hwlab-node-lanes.yaml"].splitlines() for side in (before, after))
    assert {tag for tag, *_ in SequenceMatcher(None, old, new, False).get_opcodes()} == {"equal", "insert"}

    alone = lane("drift", "--adopt", "Deployment.apps/hwlab-v03/openfga", "--confirm", code=1)
    assert "no single key of the configuration feeds it (templates/hwlab/runtime/20-openfga.yaml.j2:23)" in alone.out
    several = lane("drift", "--adopt", STORE, "--confirm", "--json", code=1).json
    (refused,) = several["refused"]
    assert "cannot have that value" in refused["reason"] and refused["source"]["line"], refused
    assert not several["patch"] and files(lane) == after

    left = dict(values_left(lane.plan()))
    assert left.keys() == BY_HAND.keys() - {*EGRESS, QUOTA}
    lane("apply", "--confirm", "--no-wait", "-q")
    lane.empty()


def test_a_secret_gets_neither_into_yaml_nor_into_a_patch(lane: Hwplan) -> None:
    set_by_hand(lane, "Secret/hwlab-v03/hwlab-v03-cloud-api", "data.DATABASE_URL", "postgres://u:sEcReT-77@db/x")
    set_by_hand(lane, "ConfigMap/hwlab-v03/hwlab-cloud-web", "data.LOG_LEVEL", "http://u:sEcReT-78@db/x")
    before = files(lane)
    for address in ("Secret/hwlab-v03/hwlab-v03-cloud-api", "ConfigMap/hwlab-v03/hwlab-cloud-web"):
        ran = lane("drift", "--adopt", address, "--confirm", "--json", code=1)
        assert ran.json["refused"] and not ran.json["patch"] and "sEcReT" not in ran.out + ran.err
    assert files(lane) == before


def test_what_cannot_be_adopted_is_said(lane: Hwplan) -> None:
    assert "nothing to adopt" in lane("drift", "--adopt", "ConfigMap/hwlab-v03/hwlab-job-runner").out
    assert "matches" in lane("drift", "--adopt", "ConfigMap/hwlab-v03/nobody", code=1).err
    assert "--adopt" in lane("drift", "--confirm", code=1).err
    Hwplan(lane.folder, ())("sandbox", "delete", "box", "ConfigMap/hwlab-v03/hwlab-job-runner")
    gone = lane("drift", "--adopt", "ConfigMap/hwlab-v03/hwlab-job-runner", code=1)
    assert ": no value of a key says that (templates/hwlab/runtime/30-services.yaml.j2:" in gone.out


def asked(real: Hwplan, cluster: TestCluster, *words: str) -> int:
    """How many lists a plan asks the API server for."""
    mark = audit.mark(cluster)
    real("plan", *words, "-q")
    return sum(one.verb == "list" for one in audit.requests(cluster, mark, user_agent="hwplan/"))


@pytest.mark.timeout(900)
def test_a_real_server_over_all_products_of_a_node(tmp_path: Path) -> None:
    """What kubectl set on objects of several products is drift with its manager, gets into the keys that feed it, and
    a plan of the whole node has nothing left; what other products render stays as it was."""
    for folder in ("config", "templates"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    with part(), clusters.running(controllers=False) as running:
        cluster = running.value
        context = cluster.run_kubectl("config", "current-context").stdout.strip()
        node = ("--config", "config", "--product", "all", "--node", "D601")
        where = ("--kubeconfig", str(cluster.kubeconfig), "--context", context, "--state", str(tmp_path / "state.db"))
        kinds = [
            word for kind in ("ConfigMap", "ResourceQuota", "NetworkPolicy*") for word in ("--target", f"{kind}/*")
        ]
        real = Hwplan(tmp_path, (*node, *where))
        real("apply", *kinds, "--confirm", "--no-wait", "-q")
        empty = asked(real, cluster, *kinds)
        before = files(real)
        by_hand = {
            ("hwlab-v03", "configmap/hwlab-notifier"): ("data", {"LOG_LEVEL": "debug"}),
            ("hwlab-v03", "resourcequota/bounds"): ("spec", {"hard": {"persistentvolumeclaims": "12"}}),
            ("devops-infra", "resourcequota/bounds"): ("spec", {"hard": {"persistentvolumeclaims": "13"}}),
            ("platform-infra", "configmap/wechat-archive"): ("data", {"WCF_PORT": "10099"}),
        }
        for (namespace, what), (part_of, value) in by_hand.items():
            patch = json.dumps({part_of: value})
            done = cluster.run_kubectl("-n", namespace, "patch", *what.split("/"), "--type=merge", "-p", patch)
            assert done.returncode == 0, done.stderr
        extra = asked(real, cluster, *kinds) - empty
        print(f"{extra} lists more where ConfigMaps of two namespaces change")
        assert 0 < extra <= 20, "ten kinds, and only in the namespaces of what changes"
        rows = {row["address"]: row for row in real("drift", *kinds, "--json", code=2).json["objects"]}
        found = {address: row["fields"][0] for address, row in rows.items() if row["state"] == "drifted"}
        assert len(found) == 4 and {one["manager"] for one in found.values()} == {"kubectl-patch"}
        refused: dict[str, str] = {}
        for address in found:
            ran = real("drift", *kinds, "--adopt", address, "--confirm", "--json", code=None)
            assert ran.code in (0, 1) and bool(ran.json["patch"]) == (ran.code == 0), ran.out
            if ran.code:
                refused[address] = ran.json["refused"][0]["reason"]
        print(f"{len(found) - len(refused)} adopted; refused: {refused}")
        assert len(refused) < len(found) and files(real) != before and all(refused.values())
        left = {address for address, _ in values_left(real.plan(*kinds))}
        assert left == set(refused), "what was adopted is as it lives, and nothing else is another one"
        real("apply", *kinds, "--confirm", "--no-wait", "-q")
        real.empty(*kinds)
