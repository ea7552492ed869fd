"""Playing somebody else in a sandbox: drift names him and when, and a plan puts everything back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan, change_of, changes

SETTINGS = "ConfigMap/shop/settings"
WEB = "Deployment.apps/shop/web"
LOGIN = "Secret/shop/login"


@pytest.fixture
def box(simulated: Hwplan) -> str:
    """The folder of the sandbox."""
    return simulated.where[-1]


@pytest.fixture
def words(simulated: Hwplan) -> tuple[str, ...]:
    """Words of an application that is live in the sandbox."""
    file = manifests.write(simulated.folder, "app.yaml", manifests.APP.format(ns="shop"))
    found = ("-f", file, "--name", "shop")
    simulated("apply", *found, "--confirm")
    return found


def play(simulated: Hwplan, *words: str, manager: str = "night-shift", code: int = 0) -> str:
    """`sandbox set`; what it says."""
    ran = Hwplan(simulated.folder, ())("sandbox", "set", *words, "--manager", manager, code=code)
    return ran.out + ran.err


def test_set_is_drift_with_manager_and_time_until_it_is_put_back(
    simulated: Hwplan, box: str, words: tuple[str, ...]
) -> None:
    said = play(simulated, box, WEB, "spec.replicas=7", "metadata.annotations[x/y]=1.5rc")
    assert said == f"night-shift changed spec.replicas, metadata.annotations[x/y] of {WEB} (simulated)\n"
    report = simulated("drift", *words, "--json", code=2).json
    (row,) = [row for row in report["objects"] if row["state"] != "in sync"]
    (field,) = row["fields"]
    assert (row["address"], field["path"], field["before"], field["after"]) == (WEB, "spec.replicas", 1, 7)
    assert field["manager"] == "night-shift" and field["time"].endswith("Z")
    assert [(one["path"], one["after"]) for one in row["undeclared"]] == [("metadata.annotations[x/y]", "1.5rc")]
    plan = simulated.plan(*words)
    assert changes(plan) == {WEB: "update"} and change_of(plan, WEB)["reason"] == "drifted"
    simulated("apply", *words, "--confirm")
    play(simulated, box, WEB, "metadata.annotations[x/y]=null")
    assert simulated("drift", *words).out.startswith("none of 4 objects drifted")


def test_a_condition_that_somebody_set_without_a_time_gets_one(
    simulated: Hwplan, box: str, words: tuple[str, ...]
) -> None:
    play(simulated, box, WEB, 'status.conditions=[{"type":"Available","status":"True"}]')
    simulated.empty(*words)


def test_delete_is_drift_and_the_plan_creates_it_again(simulated: Hwplan, box: str, words: tuple[str, ...]) -> None:
    ran = Hwplan(simulated.folder, ())("sandbox", "delete", box, SETTINGS)
    assert ran.out == f"{SETTINGS} was deleted (simulated)\n"
    assert "deleted since run 1" in simulated("drift", *words, code=2).out
    assert changes(simulated.plan(*words)) == {SETTINGS: "create"}
    simulated("apply", *words, "--confirm")
    simulated("drift", *words)


def test_a_value_of_a_secret_is_kept_as_a_fingerprint_only(simulated: Hwplan, box: str, words: tuple[str, ...]) -> None:
    play(simulated, box, LOGIN, "data.password=canary-31337")
    (change,) = simulated.plan(*words)["changes"]
    assert change["address"] == LOGIN and change["fields"][0]["manager"] == "night-shift"
    assert not any(b"canary-31337" in path.read_bytes() for path in Path(box).rglob("*") if path.is_file())
    play(simulated, box, LOGIN, "data.password=hunter2-canary")  # what was declared: the same fingerprint
    assert not any(change["fields"] for change in simulated.plan(*words)["changes"])


UNCLEAR = {
    (SETTINGS, "data.level=yes"): "data.level: this value is true or false to kubectl",
    (SETTINGS, "data.level=7"): "data.level: expected string",
    (SETTINGS, "data.level={"): "data.level: the value is not JSON",
    (SETTINGS, "data.level"): "is not PATH=VALUE",
    (SETTINGS, "data..level=x"): "is not a field path (at column 5)",
    (SETTINGS, "metadata.name=other"): "metadata.name is what the object is known by",
    (WEB, "spec.selector.matchLabels.app=x"): "`selector` does not match template `labels`",
    (LOGIN, "stringData.a=canary"): "set data.KEY to one text",
    ("ConfigMap/shop/nope", "data.a=x"): "ConfigMap/shop/nope: no such object",
    ("nonsense", "data.a=x"): "expected Kind[.group]/[namespace/]name",
}


def test_what_says_nothing_clear_is_refused_and_changes_nothing(
    simulated: Hwplan, box: str, words: tuple[str, ...]
) -> None:
    for assignment, said in UNCLEAR.items():
        assert said in play(simulated, box, *assignment, code=1)
    for manager in ("", "x" * 129, "a\x1b[2Jb"):
        assert "not a field manager" in play(simulated, box, SETTINGS, "data.level=x", manager=manager, code=1)
    simulated.empty(*words)


def test_acknowledged_drift_does_not_count_until_its_day(simulated: Hwplan, box: str, words: tuple[str, ...]) -> None:
    play(simulated, box, WEB, "spec.replicas=7", "spec.minReadySeconds=5")
    play(simulated, box, SETTINGS, "data.level=debug")
    entry = "- address: '%s'\n  %s\n  reason: %s\n  expires: '%s'\n"
    some = entry % (WEB, "fields: [spec.replicas]", "a trial", "2999-12-31")
    every = entry % ("*/shop/*", "fields: []", "the night shift is at it", "2999-12-31")
    file = simulated.folder / "acks.yaml"

    file.write_text(some)
    ran = simulated("drift", *words, "--ack", "acks.yaml", code=2)
    assert "accepted until 2999-12-31: a trial" in ran.out and ran.out.startswith("2 of 4 objects drifted")
    file.write_text(every)
    ran = simulated("drift", *words, "--ack", "acks.yaml")
    assert ran.out.startswith("none of 4 objects drifted, 2 accepted")
    file.write_text(every.replace("2999-12-31", "2026-01-31"))
    ran = simulated("drift", *words, "--ack", "acks.yaml", code=2)
    assert "expired on 2026-01-31: the night shift is at it" in ran.out and "acks.yaml:1" in ran.out

    (simulated.folder / "conf").mkdir()
    (simulated.folder / "conf" / "drift-acknowledgements.yaml").write_text(every)
    simulated("drift", *words, "--config", "conf")
    file.write_text("- address: x/y\n  reson: z\n  expires: 2999-12-31\n")
    ran = simulated("drift", *words, "--ack", "acks.yaml", code=1)
    assert "acks.yaml:3:12: this unquoted value is a date" in ran.err


def test_formats_and_a_file_that_is_whole(simulated: Hwplan, box: str, words: tuple[str, ...]) -> None:
    play(simulated, box, WEB, "spec.replicas=7")
    ran = simulated("drift", *words, "--format", "prometheus", "--out", "hwplan.prom", code=2)
    assert ran.out == ""
    text = (simulated.folder / "hwplan.prom").read_text()
    assert 'state="drifted"} 1\n' in text and f'object="{WEB}"' in text
    assert [path.name for path in simulated.folder.glob(".hwplan.prom*")] == []
    assert "spec.replicas 1 -> 7" in simulated("drift", *words, "--format", "markdown", code=2).out
    ran = simulated("drift", *words, "--format", "prometheus", "--out", "no/such/folder.prom", code=1)
    assert "no/such/folder.prom" in ran.err


def test_a_secret_that_we_rotated_is_pending_and_one_that_somebody_changed_is_drift(
    simulated: Hwplan, box: str, words: tuple[str, ...]
) -> None:
    """No value enters the digest of what was applied: who set the live one distinguishes the two."""
    path = simulated.folder / words[1]
    path.write_text(path.read_text().replace("hunter2-canary", "hunter3-canary"))
    assert change_of(simulated.plan(*words), LOGIN)["reason"] == "declared"
    report = simulated("drift", *words, "--json").json
    (row,) = [row for row in report["objects"] if row["state"] != "in sync"]
    assert (row["address"], row["state"], row["fields"]) == (LOGIN, "pending", [])
    assert simulated.plan(*words)["drift"] == []
    play(simulated, box, LOGIN, "data.password=other")
    assert change_of(simulated.plan(*words), LOGIN)["reason"] == "drifted"
    simulated("drift", *words, code=2)


def test_a_rule_that_only_a_server_evaluates_is_said(simulated: Hwplan) -> None:
    """A URL is one of the types of CEL that Kubernetes adds: nothing here knows it."""
    rule = {"rule": "isURL(self.u)", "message": "u is a URL"}
    spec = {"type": "object", "properties": {"u": {"type": "string"}}, "x-kubernetes-validations": [rule]}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "links.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": {"kind": "Link", "plural": "links"},
            "versions": [version],
        },
    }
    link = {"apiVersion": "example.com/v1", "kind": "Link", "metadata": {"name": "a"}, "spec": {"u": "no URL"}}
    (simulated.folder / "link.json").write_text(json.dumps(crd) + json.dumps(link))
    planned = simulated.plan("-f", "link.json", "--name", "links")
    assert [one["verified"] for one in planned["changes"]] == ["schema", "no"]
    assert planned["warnings"] == [
        "Link.example.com/a: not verified: rules of its definition that only the server evaluates (spec)"
    ]
