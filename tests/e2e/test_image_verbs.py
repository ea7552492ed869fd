"""`hwplan image` as its users run it: in the sandbox of a lane, and against two real registries."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, changes
from tests.testbed import image_registry
from tests.testbed.errors import PartMissing
from tests.testbed.fixtures import part
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.proxy import FaultProxy, Faults
from tests.testbed.small_image import push_small_image

COUNT = 50


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    with part(), image_registry.running(tmp_path_factory.mktemp("public")) as registry:
        yield registry


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    with part(), image_registry.running(tmp_path_factory.mktemp("local")) as registry:
        yield registry


@pytest.fixture
def ours(real: Hwplan, tmp_path: Path) -> Hwplan:
    """The command with a cache of its own."""
    return Hwplan(real.folder, real.where, {"XDG_CACHE_HOME": str(tmp_path / "cache")})


def image(name: str, **spec: Any) -> str:
    return json.dumps(
        {"apiVersion": "hwplan.dev/v1", "kind": "RegistryImage", "metadata": {"name": name}, "spec": spec}
    )


def written(folder: Path, *documents: str) -> str:
    file = folder / "images.yaml"
    file.write_text("".join(f"---\n{document}\n" for document in documents))
    return str(file)


def test_the_verbs_in_the_sandbox_of_a_lane(lane_box: Hwplan) -> None:
    before = lane_box("image", "status", *LANE, "--json").json
    targets = [row["target"] for row in before["images"]]
    tools = next(row["target"] for row in before["images"] if row["address"] == "RegistryImage/ci-node-tools")
    assert before["simulated"] is True and len(targets) == 5
    assert before["next"]["blockers"] == targets
    assert [command.split()[:3] for command in before["next"]["commands"]] == [
        ["hwplan", "image", "preload"],
        ["hwplan", "image", "build"],
    ]
    assert all(row["registryTagPresent"] is False and row["digest"] is None for row in before["images"])
    shown = lane_box("image", "preload", *LANE, "--json").json
    assert set(changes(shown).values()) == {"create"} and len(shown["changes"]) == 4
    lane_box("image", "preload", *LANE, "--plan-id", shown["id"], "--confirm")
    after = lane_box("image", "status", *LANE, "--json").json
    assert after["next"]["blockers"] == [tools] and len(after["next"]["commands"]) == 1
    said = lane_box("image", "status", *LANE).out
    assert "absent -> known after the build" in said and "4 of 5 images as declared" in said
    lane_box("image", "build", *LANE, "--confirm")
    done = lane_box("image", "status", *LANE, "--json").json
    assert done["next"] == {"blockers": [], "commands": []}
    assert all(row["registryTagPresent"] and row["digest"] == row["wanted"] for row in done["images"])
    assert "done" in lane_box("image", "logs", "ci-node-tools", *LANE).out


def test_fifty_images_with_nothing_to_do_cost_one_head_each(
    ours: Hwplan, public: ImageRegistry, local: ImageRegistry, tmp_path: Path
) -> None:
    for number in range(COUNT):
        push_small_image(public, f"app/i{number}", "1")
    file = written(
        tmp_path,
        *(
            image(f"i{number}", source=f"{public.host}/app/i{number}:1", target=f"{local.host}/own/i{number}:1")
            for number in range(COUNT)
        ),
    )
    words = ("-f", file, "--name", "fifty")
    ours("apply", *words, "--confirm")
    before = len(public.requests()), len(local.requests())
    ours.empty(*words)
    for registry, since in zip((public, local), before, strict=True):
        asked = registry.requests(since)
        assert {method for method, _, _ in asked} == {"HEAD"}
        assert len(asked) == len({path for _, path, _ in asked}) == COUNT


def test_what_nobody_can_read_is_not_called_missing(ours: Hwplan, public: ImageRegistry, tmp_path: Path) -> None:
    push_small_image(public, "app/one", "1")
    source = f"{public.host}/app/one:1"
    file = written(tmp_path, image("one", source=source, target="127.0.0.1:1/own/one:1"))
    ran = ours("image", "status", "-f", file, "--name", "gone", "--json", code=1).json
    (row,) = ran["images"]
    assert row["registryTagPresent"] is None and "unreadable" in row["problem"]
    assert ran["next"]["blockers"] == []
    assert "unknown" in ours("image", "status", "-f", file, "--name", "gone", code=1).out


def test_killed_while_it_copies_the_next_run_converges(
    ours: Hwplan, public: ImageRegistry, local: ImageRegistry, tmp_path: Path
) -> None:
    """The registry swallows what it is sent, in the middle of a blob; the command is killed; then all is well again."""
    digest = push_small_image(public, "app/killed", "1")
    with FaultProxy("127.0.0.1", local.port) as proxy:
        target = f"127.0.0.1:{proxy.port}/own/killed:1"
        file = written(tmp_path, image("killed", source=f"{public.host}/app/killed:1", target=target))
        words = ("-f", file, "--name", "killed")
        proxy.faults = Faults(latency=0.2)
        argv = [sys.executable, "-m", "planner", "apply", *words, "--confirm", *ours.where]
        since = len(local.requests())
        with subprocess.Popen(argv, cwd=ours.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            wait(lambda: any(method == "POST" for method, _, _ in local.requests(since)))
            child.send_signal(signal.SIGKILL)
        assert not [path for method, path, _ in local.requests(since) if method == "PUT" and "/manifests/" in path]
        proxy.faults = Faults()
        ours("apply", *words, "--confirm", "--resume")
        ours.empty(*words)
        status = ours("image", "status", *words, "--json").json
    assert status["images"][0]["digest"] == digest
    puts = [path for method, path, code in local.requests(since) if method == "PUT" and "/manifests/" in path]
    assert len(puts) == 1, "the tag was written once"


def wait(found: Any) -> None:
    deadline = time.monotonic() + 60
    while not found():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def test_a_failed_build_names_the_step_and_keeps_the_output(ours: Hwplan, local: ImageRegistry, tmp_path: Path) -> None:
    with part():
        if shutil.which("buildah") is None:
            raise PartMissing("buildah is not installed (Debian package buildah)")
    context = tmp_path / "config" / "ctx"
    context.mkdir(parents=True)
    (context / "Dockerfile").write_text("FROM scratch\nCOPY missing /x\n")
    build = {"context": "ctx", "dockerfile": "Dockerfile"}
    file = written(tmp_path, image("broken", target=f"{local.host}/own/broken:1", build=build))
    words = ("-f", file, "--name", "broken", "--config", str(tmp_path / "config"))
    ran = ours("image", "build", *words, "--confirm", code=1)
    assert "STEP 2/2: COPY missing" in ran.out
    said = ours("image", "logs", "broken", *words).out
    assert "failed" in said and "STEP 2/2" in said and str(tmp_path / "cache") in said
