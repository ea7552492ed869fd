"""`python -m tests.screens`: makes docs/screens/ anew from a sandbox. For people to look at; no test depends on it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from planner.plan_document import load
from planner.render.terminal import render_plan
from tests.screens.browser import Browser, browser

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screens"
LANE = ("--node", "D601", "--lane", "v03")
COLUMNS = 118
MOST_BYTES = 300_000
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # rich names fonts on a server; a picture asks nobody

# What somebody else does to the lane after it was applied.
_OTHERS = (
    ("set", "Deployment.apps/hwlab-v03/openfga", "spec.replicas=7", "--manager", "kubectl-scale"),
    ("set", "ConfigMap/hwlab-v03/hwlab-cloud-api", "data.LOG_LEVEL=debug", "--manager", "night-shift"),
    ("set", "StatefulSet.apps/hwlab-v03/postgres", "spec.replicas=3", "--manager", "kubectl-edit"),
    ("delete", "NetworkPolicy.networking.k8s.io/hwlab-v03/postgres"),
)


def main() -> None:
    """Make every picture; fails when one is larger than it may be."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, browser() as chromium:
        folder = Path(name)
        _hwplan(folder, "sandbox", "create", "lane", *LANE)
        _pictures(folder, chromium, "fresh", "Pipeline.tekton.dev/hwlab-v03-ci/hwlab-v03", near=False)
        _hwplan(folder, "apply", *LANE, "--live", "lane", "--confirm")
        for verb, *words in _OTHERS:
            _hwplan(folder, "sandbox", verb, "lane", *words)
        _pictures(folder, chromium, "drifted", "StatefulSet.apps/hwlab-v03/postgres", near=True)
    for file in sorted(FOLDER.iterdir()):
        size = file.stat().st_size
        sys.stdout.write(f"{file.relative_to(FOLDER.parents[1])}  {size // 1024} KiB\n")
        if size > MOST_BYTES:
            raise SystemExit(f"{file.name} is larger than {MOST_BYTES} bytes")


def _pictures(folder: Path, chromium: Browser, name: str, picked: str, *, near: bool) -> None:
    """One plan on a terminal, and its report in both colours with one entry picked: the whole graph, or from near."""
    told = _hwplan(folder, "plan", *LANE, "--live", "lane", "--out", "plan.json", "--format", "html")
    (folder / "plan.html").write_text(told)
    page = render_plan(load((folder / "plan.json").read_bytes()), width=COLUMNS, colour=True)
    (FOLDER / f"{name}-terminal.svg").write_text(_svg(page, f"hwplan plan {' '.join(LANE)}"))
    for scheme in ("light", "dark"):
        chromium.size(1280, 760)
        chromium.media(scheme=scheme)
        chromium.open(folder / "plan.html")
        chromium.run(
            "const entry = [...document.querySelectorAll('article')].find(one => "
            "one.querySelector('.address').textContent === arguments[0]);"
            "const node = document.getElementById('n-' + entry.id);"
            "const target = arguments[1] ? entry.querySelector('.head') : node;"
            "target.dispatchEvent(new MouseEvent('click', {bubbles: true}));",
            picked,
            near,
        )
        (FOLDER / f"{name}-{scheme}.png").write_bytes(chromium.picture())


def _hwplan(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "planner", *words, "--config", str(FOLDER.parents[1] / "config")],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if done.returncode:
        raise SystemExit(f"hwplan {' '.join(words)}: {done.stderr}")
    return done.stdout


def _svg(page: str, title: str) -> str:
    """A page in colour as a drawing, its first forty-odd lines and its end."""
    lines = page.splitlines()
    shown = lines if len(lines) <= 48 else [*lines[:40], f"      … {len(lines) - 44} more lines …", *lines[-4:]]
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115, PTH123
    console.print(Text.from_ansi("\n".join(shown)), soft_wrap=False)
    return _FONT.sub("", console.export_svg(title=title, unique_id="hwplan"))


if __name__ == "__main__":
    main()
