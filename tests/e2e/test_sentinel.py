"""The web-probe sentinel (S15, A11, B18): a product of its own, whose rollout goes on from what was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan, changes

LANE = (
    "--config",
    str(REPOSITORY / "config"),
    "--product",
    "web-probe-sentinel",
    "--node",
    "D601",
    "--lane",
    "hwlab-v03",
)
NAME = "sentinel-hwlab-v03"


@pytest.fixture
def box(tmp_path: Path) -> Hwplan:
    """A sandbox with the sentinel's ground; Argo CD's namespace is there, made by somebody else."""
    where = tmp_path / "box"
    Hwplan(tmp_path, ())("sandbox", "create", str(where), *LANE)
    hwplan, argo = Hwplan(tmp_path, ("--live", str(where))), tmp_path / "argocd.yaml"
    argo.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: argocd}\n")
    hwplan("apply", "-f", str(argo), "--name", "argocd", "--confirm", "-q")
    hwplan("apply", *LANE, "--confirm", "-q")
    return hwplan


def _runs(hwplan: Hwplan) -> list[Path]:
    found = (Path(hwplan.where[-1]) / "cluster").rglob(f"{NAME}-*.yaml")
    return [one for one in found if "\nkind: PipelineRun\n" in one.read_text()]


def test_s15_a_wait_that_ran_out_is_no_failure_and_the_next_one_goes_on(box: Hwplan) -> None:
    """A11: source, registry and GitOps have advanced, the runtime has not: the next apply syncs, nothing runs again.
    The closeout names each identity by itself."""
    assert not [one for one in changes(box.plan(*LANE)) if one.startswith(("PipelineRun/", "ArgoSync/"))], "B1"
    box("apply", *LANE, "--scope", "rollout", "--target", "PipelineRun/*", "--confirm", "-q")
    (run,) = _runs(box)
    waiting = box("status", *LANE, code=None)
    assert waiting.code != 0 and "aligned=false" in waiting.out
    left = changes(box("trigger", *LANE, "--json").json)
    assert f"ArgoSync/{NAME}" in left and f"PipelineRun/{NAME}" not in left
    box("trigger", *LANE, "--confirm", "-q")
    assert _runs(box) == [run]
    record = box("status", *LANE, "--closeout").out
    for identity in ("source commit", "image hwlab-v03", "GitOps revision", f"Argo CD {NAME}"):
        assert identity in record
    assert "registry digest of hwlab-v03 = built digest" in record


def test_s15_a_run_that_failed_is_not_run_again_blindly(box: Hwplan) -> None:
    """A11: where the digest is absent the run's own log is shown, and only --rerun runs it again."""
    Hwplan(box.folder, ())("sandbox", "fail", box.where[-1], f"PipelineRun/{NAME}", "--task", "build-hwlab-v03")
    box("trigger", *LANE, "--confirm", code=1)
    Hwplan(box.folder, ())("sandbox", "fail", box.where[-1], f"PipelineRun/{NAME}", "--undo")
    again = box("trigger", *LANE, "--confirm", code=1)
    assert "the run of this name failed" in again.out and len(_runs(box)) == 1
    (run,) = _runs(box)
    assert "build-hwlab-v03" in box("status", *LANE, "--pipeline-run", run.stem.split("_")[-1], "--logs").out
    box("trigger", *LANE, "--rerun", "--confirm")
    assert len(_runs(box)) == 1


def test_a_node_with_several_products_is_told_apart_by_their_words(tmp_path: Path) -> None:
    """Without --product the only one that has the words, else the one that the configuration calls the default."""
    hwplan = Hwplan(tmp_path, ("--config", LANE[1]))
    assert "valid" in hwplan("validate", "--node", "D601", "--lane", "hwlab-v03", "--scope", "source").out
    assert "valid" in hwplan("validate", "--node", "D601", "--scope", "wechat-archive").out
    assert "no lane v33" in hwplan("validate", "--node", "D601", "--lane", "v33", code=1).err
