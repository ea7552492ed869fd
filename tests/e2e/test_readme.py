"""What README shows is what the command prints: its session is played in a sandbox and compared line by line.

Identities, digests and times are made at run time and compared by their form.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_MADE = (
    (re.compile(r"uid [0-9a-f]{8}"), "uid UID"),
    (re.compile(r"config [0-9a-f]{6}"), "config DIGEST"),
    (re.compile(r"sha256:[0-9a-f]{32,64}"), "sha256:ID"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "COMMIT"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
)


def session(page: str = "README.md") -> list[tuple[str, str]]:
    """The commands of a page that are shown with their output."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(\$ .*?)^```$", text, re.MULTILINE | re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if part]
    return [(command, shown.strip()) for command, _, shown in (part.partition("\n") for part in parts)]


def formed(text: str) -> str:
    """The text with everything that is made at run time by its form; blanks at the end of a line are none."""
    for pattern, form in _MADE:
        text = pattern.sub(form, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def said(folder: Path, command: str) -> str:
    words = shlex.split(command)
    assert words[0] == "hwplan"
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "HWPLAN_CONFIG": str(REPOSITORY / "config")}
    argv = [sys.executable, "-m", "planner", *words[1:]]
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode in (0, 2), done.stderr  # 2: `drift` found some
    return done.stdout


def test_the_session_of_readme(tmp_path: Path) -> None:
    said(tmp_path, "hwplan sandbox create .sandbox --node D601 --lane v03")
    said(tmp_path, "hwplan apply --node D601 --lane v03 --live .sandbox --confirm")
    played = session()
    assert [command.split()[1] for command, _ in played] == ["sandbox", "sandbox", "plan", "mirror", "trigger", "drift"]
    for command, shown in played:
        reported = said(tmp_path, command)
        if shown:
            assert formed(reported) == formed(shown), command


def test_the_session_of_the_page_about_pull_requests(tmp_path: Path) -> None:
    """A lane's pull request is merged, rolled out and reported without a network."""
    played = session("docs/monitor.md")
    assert [command.split()[1] for command, _ in played] == ["sandbox", "apply", "prs", "prs", "prs"]
    for command, shown in played:
        reported = said(tmp_path, command)
        if shown:
            assert formed(reported) == formed(shown), command
