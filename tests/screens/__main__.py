"""`python -m tests.screens`: makes docs/screens/ anew from a sandbox. For people to look at; no test depends on it."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.screens.browser import Browser, browser
from tests.screens.comment import as_page

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "docs" / "screens"
LANE = ("--node", "D601", "--lane", "v03")
LIVE = ("--live", "lane")
COLUMNS = 118
MOST_BYTES = 300_000
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # rich names fonts on a server; a picture asks nobody

# What somebody else does to the lane after it was applied.
_OTHERS = (
    ("set", "Deployment.apps/hwlab-v03/openfga", "spec.replicas=7", "--manager", "kubectl-scale"),
    ("set", "ConfigMap/hwlab-v03/hwlab-cloud-api", "data.LOG_LEVEL=debug", "--manager", "night-shift"),
    ("set", "StatefulSet.apps/hwlab-v03/postgres", "spec.replicas=3", "--manager", "kubectl-edit"),
    ("set", "Service/hwlab-v03/postgres", "metadata.annotations[metallb.io/pool]=lan", "--manager", "metallb"),
    ("delete", "NetworkPolicy.networking.k8s.io/hwlab-v03/postgres"),
)
# What a pull request changes in the configuration: on many objects alike, one service gone.
_PULL_REQUEST = (
    (re.compile("LOG_LEVEL: info"), "LOG_LEVEL: debug"),
    (re.compile("timeout: 20m"), "timeout: 25m"),
    (re.compile(r"    hwlab-notifier:\n.*?\n\n", re.DOTALL), "\n"),
)


def main() -> None:
    """Make every picture; fails when one is larger than it may be."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, browser() as chromium:
        _fresh(Path(name), chromium)
        _drifted(Path(name), chromium)
        _changed(Path(name), chromium)
    for file in sorted(FOLDER.iterdir()):
        size = file.stat().st_size
        sys.stdout.write(f"{file.relative_to(REPOSITORY)}  {size // 1024} KiB\n")
        if size > MOST_BYTES:
            raise SystemExit(f"{file.name} is larger than {MOST_BYTES} bytes")


def _fresh(folder: Path, chromium: Browser) -> None:
    """An empty cluster: the plan."""
    _hwplan(folder, "sandbox", "create", "lane", *LANE)
    _terminal(folder, "fresh", "plan", *LANE, *LIVE)
    _report(folder, chromium, "fresh", "Pipeline.tekton.dev/hwlab-v03-ci/hwlab-v03", near=False)
    _hwplan(folder, "apply", *LANE, *LIVE, "--confirm")


def _drifted(folder: Path, chromium: Browser) -> None:
    """Somebody else was at it: the report, and the plan that puts it back."""
    for verb, *words in _OTHERS:
        _hwplan(folder, "sandbox", verb, "lane", *words)
    _terminal(folder, "drift", "drift", *LANE, *LIVE)
    _terminal(folder, "drifted", "plan", *LANE, *LIVE)
    _report(folder, chromium, "drifted", "StatefulSet.apps/hwlab-v03/postgres", near=True)
    _hwplan(folder, "apply", *LANE, *LIVE, "--confirm")


def _changed(folder: Path, chromium: Browser) -> None:
    """A pull request: its comment; and when it is applied, what takes it back."""
    shutil.copytree(REPOSITORY / "config", folder / "config")
    lanes = folder / "config" / "hwlab-node-lanes.yaml"
    for old, new in _PULL_REQUEST:
        lanes.write_text(old.sub(new, lanes.read_text()))
    secrets = folder / "lane" / "secrets" / "hwlab-v03.env"
    secrets.write_text(re.sub("=.*", "=rotated", secrets.read_text(), count=1))
    reported = _hwplan(folder, "plan", *LANE, *LIVE, "--config", "config", "--format", "markdown")
    (folder / "comment.html").write_text(as_page(reported))
    chromium.media()
    chromium.size(960, 900)
    chromium.open(folder / "comment.html")
    chromium.run("document.querySelectorAll('details').forEach((one, at) => { one.open = at < 2 })")
    (FOLDER / "comment.png").write_bytes(chromium.picture())


def _terminal(folder: Path, name: str, *words: str) -> None:
    """What a command shows on a terminal, as a drawing."""
    title = " ".join(word for word in ("hwplan", *words) if word not in LIVE)
    (FOLDER / f"{name}-terminal.svg").write_text(_svg(_on_terminal(folder, *words), title))


def _report(folder: Path, chromium: Browser, name: str, picked: str, *, near: bool) -> None:
    """The HTML report in both colours with one entry picked: with the whole graph, or from near."""
    (folder / "plan.html").write_text(_hwplan(folder, "plan", *LANE, *LIVE, "--out", "plan.json", "--format", "html"))
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


def _argv(words: tuple[str, ...]) -> list[str]:
    config = () if "--config" in words else ("--config", str(REPOSITORY / "config"))
    return [sys.executable, "-m", "planner", *words, *config]


def _hwplan(folder: Path, *words: str) -> str:
    plain = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(_argv(words), cwd=folder, env=plain, capture_output=True, text=True, check=False, timeout=240)
    if done.returncode:
        raise SystemExit(f"hwplan {' '.join(words)}: {done.stderr}")
    return done.stdout


def _on_terminal(folder: Path, *words: str) -> str:
    """The page that a command writes to a terminal of so many columns, in colour."""
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    environment |= {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    process = subprocess.Popen(_argv(words), cwd=folder, env=environment, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    found = b""
    with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123 - a descriptor
        while part := _some(terminal.fileno()):
            found += part
    process.wait(240)
    return found.decode().replace("\r\n", "\n")


def _some(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # Linux says so when the other side is closed
        return b""


def _svg(page: str, title: str) -> str:
    """A page in colour as a drawing, its first forty-odd lines and its end."""
    lines = page.splitlines()
    shown = lines if len(lines) <= 48 else [*lines[:40], f"      … {len(lines) - 44} more lines …", *lines[-4:]]
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115, PTH123
    console.print(Text.from_ansi("\n".join(shown)), soft_wrap=False)
    return _FONT.sub("", console.export_svg(title=title, unique_id="hwplan"))


if __name__ == "__main__":
    main()
