"""`hwplan trigger --rebuild`: an image that has left the registry after its run is built again."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan

_IMAGE = "hwlab-notifier"


def _forget_image(folder: Path) -> None:
    """Somebody cleans the registry up: the tag of the image is gone."""
    index = folder / "registry" / "index.json"
    document = json.loads(index.read_text())
    kept = [one for one in document["manifests"] if _IMAGE not in json.dumps(one.get("annotations") or {})]
    assert len(kept) == len(document["manifests"]) - 1
    index.write_text(json.dumps({**document, "manifests": kept}))


def test_an_image_that_is_gone_is_built_again_once(lane_box: Hwplan) -> None:
    lane_box("apply", *LANE, "--confirm", "-q")
    lane_box("trigger", *LANE, "--confirm", "-q")
    run = lane_box("status", *LANE, "--json").json
    assert run["aligned"] is True
    _forget_image(Path(lane_box.where[1]))
    said = lane_box("status", *LANE, code=2).out
    assert "image-missing" in said and "hwplan trigger --rebuild builds it again" in said
    assert lane_box("trigger", *LANE, "--confirm").out.endswith("nothing to do\n"), (
        "a run that succeeded is not made again"
    )

    shown = lane_box("trigger", *LANE, "--rebuild", "--json").json
    (one,) = [change for change in shown["changes"] if change["kind"] == "PipelineRun"]
    assert one["action"] == "run"
    params = {each["name"]: each["value"] for each in one["desired"]["spec"]["manifest"]["spec"]["params"]}
    assert params["build-cache-mode"] == "disabled" and params["hold"].startswith("after:")
    done = lane_box("trigger", *LANE, "--rebuild", "--plan-id", shown["id"], "--confirm", "--json").json
    assert done["targetValidation"]["state"] == "passed"
    assert lane_box("status", *LANE, "--json").json["aligned"] is True
    assert lane_box("trigger", *LANE, "--confirm").out.endswith("nothing to do\n"), "the new run is taken up"

    again = lane_box("trigger", *LANE, "--rebuild", "--json").json
    assert [change["action"] for change in again["changes"] if change["kind"] == "PipelineRun"] == ["run"]
    assert again["id"] != shown["id"], "asked for again it builds again"
