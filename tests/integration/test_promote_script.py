"""The shipped `gitops-promote.mjs`, run by node on real repositories: what the branch left behind is not promoted (B3).

The same script runs in the lane's pipeline; here the files that the pod would mount lie in a folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.testbed.git_fixtures import BareRepository
from tests.unit.loading.fakes import shipped

SOURCE, GITOPS = "refs/heads/v0.3", "refs/heads/v0.3-gitops"
_CATALOG = "deploy/gitops/v03/catalog.json"
_SERVICES = "/services/services.json"  # where the pod has it
_IMAGE = "127.0.0.1:5000/hwlab/api"


@dataclass(frozen=True)
class Promotion:
    """A mirror, and the workspace of a run that built one service of one commit."""

    folder: Path
    mirror: BareRepository
    script: Path

    def run(self, commit: str, hold: str = "") -> subprocess.CompletedProcess[str]:
        """The step of the task, after the builds."""
        work = self.folder / f"work-{commit[:12]}-{len(hold)}"
        work.mkdir()
        (work / "digest-api").write_text(f"sha256:{commit:0<64.64}")
        (work / "inputs-api").write_text(f"inputs of {commit}")
        subprocess.run(["git", "clone", "-q", "-b", "v0.3-gitops", self.mirror.url, work / "gitops"], check=True)
        words: list[str | Path] = [
            work / "gitops",
            _CATALOG,
            commit,
            "v0.3-gitops",
            self.mirror.url,
            work,
            "v0.3",
            work / "revision",
        ]
        mounted = [self.folder / "services.json", self.folder]
        return subprocess.run(
            ["node", self.script, *words, *mounted], env={**os.environ, "HOLD": hold}, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    def promoted(self) -> str:
        """The commit that the catalog of the GitOps branch is about; "" before the first."""
        tip = self.mirror.at(GITOPS)
        listed = self.mirror.git("ls-tree", "-r", "--name-only", tip).splitlines()
        return str(json.loads(self.mirror.read(tip, _CATALOG))["sourceCommit"]) if _CATALOG in listed else ""


@pytest.fixture
def promotion(tmp_path: Path) -> Promotion:
    if shutil.which("node") is None:
        pytest.fail("node is needed (Debian package nodejs)")
    found = (one.manifest for one in shipped("D601", "v03").resources if one.address.kind == "ConfigMap")
    (text,) = (body["data"]["gitops-promote.mjs"] for body in found if "gitops-promote.mjs" in body.get("data", {}))
    script = tmp_path / "gitops-promote.mjs"
    script.write_text(text.replace(_SERVICES, str(tmp_path / "services.json")))
    (tmp_path / "services.json").write_text(json.dumps({"api": {"image": _IMAGE}}))
    (tmp_path / "api.yaml").write_text(f"image: {_IMAGE}\n")
    mirror = BareRepository.create(tmp_path / "mirror.git")
    mirror.write(GITOPS, {"README.md": "what is deployed\n"})
    return Promotion(tmp_path, mirror, script)


def test_b3_what_the_branch_has_left_behind_is_not_promoted(promotion: Promotion) -> None:
    """R7, B3: the branch is read right before the push; the end is `superseded`, and the GitOps branch stands still."""
    old = promotion.mirror.grow(SOURCE, "old")
    new = promotion.mirror.grow(SOURCE, "new")  # while the run of `old` was building
    ran = promotion.run(old)
    assert (ran.returncode, promotion.promoted()) == (3, "") and f"superseded: v0.3 is at {new}" in ran.stdout, ran
    ran = promotion.run(new)
    assert (ran.returncode, promotion.promoted()) == (0, new), ran.stderr


def test_b9_a_held_commit_is_promoted_although_the_branch_went_on(promotion: Promotion) -> None:
    """R9, B9: exempt from latest-only; the key of a run that is made anew is no exemption."""
    old = promotion.mirror.grow(SOURCE, "old")
    promotion.mirror.grow(SOURCE, "new")
    assert promotion.run(old, "after:12345678").returncode == 3 and promotion.promoted() == ""
    ran = promotion.run(old, "at:12345678x")
    assert (ran.returncode, promotion.promoted()) == (0, old), ran.stderr
