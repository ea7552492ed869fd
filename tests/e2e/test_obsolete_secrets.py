"""A Secret whose rule is obsolete: listed, and deleted when it is named, also where hwplan did not make it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan, changes
from tests.testbed.cluster import TestCluster

_SECRET = """\
apiVersion: v1
kind: Namespace
metadata: {name: hwlab-v03}
---
apiVersion: v1
kind: Secret
metadata: {name: legacy-token, namespace: hwlab-v03}
stringData: {token: canary-of-another-tool}
"""
_RULE = """\
      legacy-token:
        obsolete: true
        sources: [{file: {path: hwlab-v03.env}}]
        keyMapping: {token: LEGACY_TOKEN}
"""
_ADDRESS = "Secret/hwlab-v03/legacy-token"


@pytest.fixture
def lane(tmp_path: Path) -> tuple[str, ...]:
    """The words that select lane v03 of a configuration in which one Secret is obsolete."""
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    shutil.copytree(REPOSITORY / "templates", tmp_path / "templates")
    lanes = config / "hwlab-node-lanes.yaml"
    head, mark, tail = lanes.read_text().partition("      postgres-bootstrap:\n")
    assert mark
    lanes.write_text(head + _RULE + mark + tail)
    return ("--config", str(config), "--node", "D601", "--lane", "v03", "--scope", "secrets")


def _foreign_secret(hwplan: Hwplan) -> None:
    """Make it as another tool does: there without our label."""
    file = hwplan.folder / "foreign.yaml"
    file.write_text(_SECRET)
    hwplan("apply", "-f", file.name, "--name", "foreign", "--confirm", "--no-wait")


@pytest.mark.timeout(300)
def test_a_foreign_one_is_listed_and_goes_when_named(
    real: Hwplan, api_server: TestCluster, lane: tuple[str, ...]
) -> None:
    lane = (*lane, "--context", api_server.run_kubectl("config", "current-context").stdout.strip())
    api_server.run_kubectl("create", "namespace", "hwlab-v03")
    made = _SECRET.partition("---\n")[2].replace("{name: legacy-token", '{name: legacy-token, labels: {by: "other"}')
    assert api_server.run_kubectl("create", "-f", "-", stdin=made).returncode == 0
    found = real("secret", "status", *lane, "--json", code=None).json
    assert found["obsolete"] == [_ADDRESS] and found["obsoleteNotOurs"] == [_ADDRESS]
    page = real("secret", "status", *lane, code=None).out
    assert "obsolete, not made by hwplan: Secret/hwlab-v03/legacy-token" in page
    assert "--name hwlab-v03/legacy-token" in page and "no longer declared" not in page
    assert changes(real("secret", "delete", *lane, "--json").json) == {}, "it is not ours: only by its name"
    everything = real.plan(*lane)
    assert _ADDRESS not in changes(everything)
    assert any("is obsolete, and not made by hwplan" in warning for warning in everything["warnings"])
    plan = real("secret", "delete", *lane, "--name", "legacy-token", "--json").json
    assert changes(plan) == {_ADDRESS: "delete"}
    assert "adopted by this deletion" in plan["changes"][0]["reason"] and "no longer declared" not in json.dumps(plan)
    assert api_server.run_kubectl("label", "-n", "hwlab-v03", "secret", "legacy-token", "moved=on").returncode == 0
    stale = real("secret", "delete", *lane, "--name", "legacy-token", "--plan-id", plan["id"], "--confirm", code=None)
    assert stale.code != 0, "the approval was for another version of it"
    real("secret", "delete", *lane, "--name", "legacy-token", "--confirm", "--allow", "missing-state")
    assert real("secret", "status", *lane, "--json", code=None).json["obsolete"] == []
    real("secret", "delete", *lane, "--name", "legacy-token")


def test_a_name_that_is_declared_or_unknown_is_refused(simulated: Hwplan, lane: tuple[str, ...]) -> None:
    declared = simulated("secret", "delete", *lane, "--name", "hwlab-v03-cloud-api", code=None)
    assert declared.code not in (0, 2) and "is not obsolete" in declared.err
    assert (
        "is declared at templates/shared/secrets/10-secrets.yaml.j2" in declared.err
        and "obsolete: true" in declared.err
    )
    unknown = simulated("secret", "delete", *lane, "--name", "legacy-tokn", code=None)
    assert unknown.code and "did you mean Secret/hwlab-v03/legacy-token?" in unknown.err


def test_one_of_another_set_is_not_taken(simulated: Hwplan, lane: tuple[str, ...]) -> None:
    _foreign_secret(simulated)
    refused = simulated("secret", "delete", *lane, "--name", "legacy-token", code=None)
    assert refused.code and "belongs to the owned set foreign" in refused.err
