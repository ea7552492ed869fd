"""`hwplan plan --pr` of a lane with a migration, and the callers of what its rollout restarts."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan
from tests.testbed.git_fixtures import BareRepository

LANE = ("--node", "D601", "--lane", "v03")
BEFORE = "      deploy:\n        port: 8080\n        replicas: 2\n"


def test_the_page_of_a_rollout_has_the_migration_and_the_known_callers(tmp_path: Path) -> None:
    """The API is rolled out once, then with a pull request that changes its sources: its pods restart."""
    for name in ("config", "templates"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    lanes = tmp_path / "config" / "hwlab-node-lanes.yaml"
    text = lanes.read_text()
    assert text.count(BEFORE) == 1
    lanes.write_text(text.replace(BEFORE, f"      migrate: {{command: [hwlab-migrate, up]}}\n{BEFORE}"))
    Hwplan(tmp_path, ())("sandbox", "create", "box", *LANE)
    box = Hwplan(tmp_path, ("--live", "box"))
    box("apply", *LANE, "--confirm", "-q")
    box("trigger", *LANE, "--confirm", "-q")
    upstream = BareRepository(tmp_path / "box" / "git" / "hwlab.git")
    upstream.write("refs/heads/example", {"services/cloud-api/main.py": "print(2)\n"}, "another api")
    stages = {one["stage"]: one["text"] for one in box("plan", *LANE, "--pr", "1", "--json").json["approval"]["way"]}
    assert stages["migration"].startswith(
        "after the sync, before the gate: hwlab-migrate up in Deployment.apps/hwlab-v03/hwlab-cloud-api hwlab-cloud-"
        "api, once for each image that really runs there (imageID)"
    )
    assert "hwlab-cloud-api: 2 pods restart" in stages["pods"]
    (callers,) = [one for one in stages["pods"].split("; ") if "hwlab-cloud-api, known callers: " in one]
    for name in ("hwlab-cloud-web", "hwlab-device-gateway", "hwlab-job-runner"):
        assert f"Deployment.apps/hwlab-v03/{name} (allowed by NetworkPolicy hwlab-cloud-api)" in callers, callers
