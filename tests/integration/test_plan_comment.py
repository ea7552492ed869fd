"""docs/examples/plan-comment.sh against a small forge on loopback: one comment, updated in place, and nobody else's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from planner.plan_bytes import dump_plan
from planner.render.plan_html import render_plan_html
from planner.render.plan_markdown import render_plan_markdown
from tests.testbed.errors import PartMissing
from tests.testbed.fixtures import part
from tests.testbed.listening import http_listening
from tests.unit.render.sample_plans import mixed

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "plan-comment.sh"
MARKER = render_plan_markdown(mixed()).splitlines()[0]
TOKEN = "t0ken-canary"


@dataclass
class Forge:
    """Comments of one pull request, and what was asked."""

    port: int = 0
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def add(self, body: str, author: str) -> dict[str, Any]:
        made = {"id": len(self.comments) + 1, "body": body, "user": {"login": author}, "html_url": "https://forge/1"}
        self.comments.append(made)
        return made


@pytest.fixture
def forge() -> Iterator[Forge]:
    """A server that knows the three requests the script makes."""
    held = Forge()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = int(parse_qs(urlsplit(self.path).query)["page"][0])
            self.answer(held.comments[(page - 1) * 100 : page * 100])

        def do_POST(self) -> None:
            self.answer(held.add(self.body(), "github-actions[bot]"))

        def do_PATCH(self) -> None:
            found = held.comments[int(self.path.rpartition("/")[2]) - 1]
            found["body"] = self.body()
            self.answer(found)

        def body(self) -> str:
            text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
            assert isinstance(text, str)
            return text

        def answer(self, value: object) -> None:
            held.asked.append(self.command)
            held.tokens.add(self.headers["Authorization"])
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with http_listening(Handler) as held.port:
        yield held


@pytest.fixture
def run(forge: Forge, tmp_path: Path) -> Iterator[Any]:
    """The script, with a stand-in for hwplan that gives the pages of the sample plan."""
    with part():
        if missing := [name for name in ("curl", "jq") if not shutil.which(name)]:
            raise PartMissing(f"{' and '.join(missing)} (Debian packages of that name)")
    (tmp_path / "bin").mkdir()
    (tmp_path / "page.md").write_text(render_plan_markdown(mixed(), command="hwplan apply"))
    (tmp_path / "page.html").write_text(render_plan_html(mixed()))
    (tmp_path / "page.json").write_bytes(dump_plan(mixed()))
    stand_in = tmp_path / "bin" / "hwplan"
    stand_in.write_text(
        f'#!/bin/sh\nset -eu\nprintf "%s " "$@" >>"{tmp_path}/words"\n'
        f'case $1 in plan) cp "{tmp_path}/page.json" plan.json; cat "{tmp_path}/page.html" ;;'
        f' show) cat "{tmp_path}/page.md" ;; esac\n'
    )
    stand_in.chmod(0o755)

    def call() -> str:
        environment = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": f"http://127.0.0.1:{forge.port}",
            "HOME": str(tmp_path),
        }
        done = subprocess.run(
            [str(SCRIPT), "acme/lab", "17", "--node", "D601", "--lane", "v03"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert TOKEN not in done.stdout + done.stderr + (tmp_path / "words").read_text()
        return done.stdout

    yield call


def test_the_first_plan_makes_a_comment_and_the_next_one_replaces_it(forge: Forge, run: Any, tmp_path: Path) -> None:
    forge.add("a word of a person", "someone")
    assert run() == "https://forge/1\n"
    assert run() == "https://forge/1\n"
    assert forge.asked == ["GET", "POST", "GET", "PATCH"]
    assert [one["body"] for one in forge.comments] == ["a word of a person", (tmp_path / "page.md").read_text()]
    assert forge.tokens == {f"Bearer {TOKEN}"}
    assert "plan --node D601 --lane v03 --out ./plan.json" in (tmp_path / "words").read_text()


def test_a_marker_in_the_comment_of_somebody_else_is_left_alone(forge: Forge, run: Any) -> None:
    forge.add(f"{MARKER}\nplanted", "someone")
    run()
    assert forge.comments[0]["body"].endswith("planted")
    assert forge.asked == ["GET", "POST"]


def test_the_comment_is_found_behind_a_hundred_others(forge: Forge, run: Any) -> None:
    for _ in range(120):
        forge.add("talk", "someone")
    forge.add(f"{MARKER}\nold", "github-actions[bot]")
    run()
    assert forge.asked == ["GET", "GET", "PATCH"]
    assert len(forge.comments) == 121
