"""Values of secrets that declarations repeat in clear: written as declared, and in nothing that is shown.

A command that shows a saved plan never reads the secret itself, so that its redactor has nothing to look for.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.canaries.canary import canary, leaks
from tests.canaries.planting import KINDS
from tests.canaries.world import World
from tests.e2e.conftest import LANE, REPOSITORY
from tests.e2e.hwplan import Hwplan

FORMS = ("text", "wide", "json", "yaml", "markdown", "html", "mermaid", "dot", "svg")


def _repeats(world: World, more: str) -> None:
    """Add objects that repeat values of every kind of source: whole, in a URL, encoded, as a key, as an argument. Not
    that of a Secret that is not there yet: nobody here has read it."""
    values = {kind: canary(f"first {kind} 0") for kind in KINDS if kind not in ("generated", "copied")}
    data = {f"whole-{kind}": value for kind, value in values.items()}
    data |= {f"remote-{kind}": f"https://ci:{value}@git.test/app.git" for kind, value in values.items()}
    data |= {f"json-{kind}": json.dumps({"auth": {"token": value}}) for kind, value in values.items()}
    data |= {f"hex-{kind}": value.encode().hex() for kind, value in values.items()}
    objects: list[dict[str, object]] = [
        _object(world, "v1", "ConfigMap", "repeats", {"data": {**data, "more": more}}, {"note": values["plain"]}),
        _object(world, "v1", "ConfigMap", "keys", {"data": {values["json"]: "x", "more": more}}),
        _object(world, "batch/v1", "Job", "argument", {"spec": {"template": _pod(values["process"], more)}}),
    ]
    template = world.planted.folder / "templates" / "demo" / "app" / "35-repeats.yaml.j2"
    template.write_text("".join(f"---\n{json.dumps(one)}\n" for one in objects))


def _object(
    world: World, version: str, kind: str, name: str, body: dict[str, object], notes: dict[str, str] | None = None
) -> dict[str, object]:
    metadata = {"name": name, "namespace": world.planted.namespace, "annotations": notes or {}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **body}


def _pod(value: str, more: str) -> dict[str, object]:
    arguments = ["--token", value, "--header", f"Authorization: Bearer {value}", more]
    container = {"name": "c", "image": "registry.test/app:1", "args": arguments, "env": [{"name": "T", "value": value}]}
    return {"spec": {"restartPolicy": "Never", "containers": [container]}}


def _shown(world: World, name: str) -> None:
    """Every way to show what would be done now, and what a saved plan does."""
    run, file = world.run, str(world.work / f"{name}.json")
    for form in FORMS:
        run("plan", "--format", form, "-v", "--full")
    run("plan", "--out", file)
    for form in FORMS:
        run("show", file, "--format", form, select=False)
    for words in (["apply"], ["destroy"], ["secret", "ensure"], ["drift"]):
        run(*words)
        run(*words, "--json")
    for form in ("markdown", "html"):
        run("destroy", "--format", form)
    run("apply", file, select=False)
    run("apply", file, "--json", select=False)
    for other in (*world.work.glob("*.json"), *(("1",) if name != "first" else ())):
        run("plan", file, "--against", str(other), select=False)
        run("plan", file, "--against", str(other), "--json", select=False)
        run("plan", "--against", str(other), "--json")


def test_nothing_that_is_shown_holds_what_is_repeated(sandbox: World) -> None:
    _repeats(sandbox, "one")
    _shown(sandbox, "first")
    assert sandbox.run("apply", "--confirm", "--no-wait")[0] == 1, "the Secret that one is a copy of is not there"
    sandbox.run("apply", "--resume", select=False)
    sandbox.run("apply", "--resume", "--json", select=False)
    _repeats(sandbox, "two")
    _shown(sandbox, "second")
    sandbox.run("apply", "--confirm", "--no-wait", "--json")
    for words in (["undo", "2"], ["undo", "2", "--json"], ["undo", "1", "--json"], ["state", "list", "--json"],
                  ["state", "show", f"ConfigMap/{sandbox.planted.namespace}/repeats", "--json"]):  # fmt: skip
        sandbox.run(*words, select=False)
    sandbox.run("snapshot", str(sandbox.planted.folder / "saved.json"))
    assert not sandbox.found, "\n".join(sandbox.found)
    assert leaks((sandbox.work / "second.json").read_bytes()), "a saved plan is what will be written"


def test_a_shown_plan_with_a_mask_has_the_id_of_the_plan_and_is_no_file(sandbox: World) -> None:
    _repeats(sandbox, "one")
    saved, shown = sandbox.work / "saved.json", sandbox.planted.folder / "shown.json"
    sandbox.run("plan", "--out", str(saved))
    shown.write_text(sandbox.run("show", str(saved), "--json", select=False)[1])
    document, kept = json.loads(shown.read_bytes()), json.loads(saved.read_bytes())
    assert (document["id"], document["checksum"]) == (kept["id"], kept["checksum"])
    masked = {one["name"]: one.get("inClear", []) for one in document["changes"]}
    assert {"data.hex-pem", "data.whole-plain", "data.json-yaml"} <= set(masked["repeats"])
    assert "data" in masked["keys"] and "c-plain" not in {name for name, clear in masked.items() if clear}
    code, reported = sandbox.run("apply", str(shown), "--confirm", select=False)
    assert code == 3 and "shown and not saved" in reported and "--out FILE" in reported


_LANE_VERBS = (
    ("plan",), ("plan", "--pr", "1"), ("plan", "--against", "1"), ("apply",), ("destroy",), ("undo", "1"), ("drift",),
    ("trigger",), ("sync",), ("restart",), ("refresh",), ("cleanup", "runs"), ("cleanup", "pvs"),
    ("cleanup", "runners"), ("mirror", "sync"), ("mirror", "flush"), ("mirror", "status"), ("image", "preload"),
    ("image", "build"), ("image", "status"), ("secret", "ensure"), ("secret", "delete"), ("secret", "status"),
    ("status",), ("benchmark",), ("prs", "--once", "--dry-run"),
)  # fmt: skip


@pytest.mark.timeout(600)
def test_no_verb_about_a_lane_shows_what_is_repeated(tmp_path: Path) -> None:
    """Every verb and both forms of it, where each Secret of the lane stands once more in a ConfigMap."""
    for name in ("config", "templates"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    selection, env = LANE[2:], {"HWPLAN_CONFIG": str(tmp_path / "config")}
    box = tmp_path / "lane"
    Hwplan(tmp_path, (), env)("sandbox", "create", str(box), *selection)
    planted: dict[str, str] = {}
    for file in sorted((box / "secrets").glob("*.env")):
        lines = [line.partition("=") for line in file.read_text().splitlines() if "=" in line]
        planted |= {key: canary(f"{file.name} {key}") for key, _, _ in lines}
        file.write_text("".join(f"{key}={canary(f'{file.name} {key}')}\n" for key, _, _ in lines))
    assert len(planted) >= 5
    copy = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "repeats", "namespace": "hwlab-v03"},
        "data": {key: f"https://ci:{value}@git.test/{key}" for key, value in planted.items()},
    }
    (tmp_path / "templates" / "hwlab" / "runtime" / "99-repeats.yaml.j2").write_text(json.dumps(copy))
    hwplan = Hwplan(tmp_path, ("--live", str(box)), env)
    hwplan("apply", *selection, "--confirm", code=None)
    copy["data"] = {**copy["data"], "more": "y"}  # type: ignore[dict-item]  # the map of texts above
    (tmp_path / "templates" / "hwlab" / "runtime" / "99-repeats.yaml.j2").write_text(json.dumps(copy))
    found = []
    for words in _LANE_VERBS:
        for form in ((), ("--json",)):
            select = () if words[0] == "undo" else selection
            ran = hwplan(*words, *select, *form, code=None)
            assert "No such" not in ran.err and (ran.out or ran.err), words
            if forms := leaks((ran.out + ran.err).encode()):
                found.append(f"{' '.join((*words, *form))}: {forms}")
    assert not found, "\n".join(found)
