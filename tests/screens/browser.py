"""Headless Chromium, driven over WebDriver: plain HTTP and JSON, so that no library is needed.

Owns the life of one chromedriver process and one session with a profile of its own; nothing of it goes over the
network but to the driver on the loopback address. Knows nothing of what it looks at.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.testbed.errors import PartMissing, StartFailed

KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015"}
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--no-default-browser-check", "--disable-extensions", "--force-device-scale-factor=1"),
)
_START = 60.0  # seconds, on a loaded machine
_ANSWER = 120.0


@dataclass(frozen=True)
class Browser:
    """One session. All scripts are expressions of a test, never of the page."""

    port: int
    session: str

    def open(self, file: Path) -> None:
        """Load a page from disk and wait until it is there."""
        self.ask("POST", "/url", {"url": file.resolve().as_uri()})

    def run(self, script: str, *words: object) -> Any:
        """What the body of a function gives (`return …`) when it is called with `words`."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(words)})

    def until(self, script: str, *words: object, seconds: float = 30.0) -> Any:
        """Wait until the script gives something true."""
        end = time.monotonic() + seconds
        while not (found := self.run(script, *words)):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.05)
        return found

    def click(self, selector: str) -> None:
        """A real click into the middle of the first element that fits."""
        found = self.ask("POST", "/element", {"using": "css selector", "value": selector})
        self.ask("POST", f"/element/{next(iter(found.values()))}/click", {})

    def press(self, *keys: str) -> None:
        """Press keys, by name or by character, where the focus is."""
        strokes = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})

    def size(self, width: int, height: int) -> None:
        """Make the page so large, in pixels."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def media(self, kind: str = "screen", scheme: str = "light") -> None:
        """Look at the page as a screen or as paper, light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", media=kind, features=features)

    def picture(self) -> bytes:
        """The visible part as PNG."""
        return base64.b64decode(self.ask("GET", "/screenshot"))

    def complaints(self) -> list[str]:
        """What stands in the console since the last call."""
        return [entry["message"] for entry in self.ask("POST", "/se/log", {"type": "browser"})]

    def devtools(self, method: str, **words: object) -> Any:
        """One command of the DevTools protocol."""
        return self.ask("POST", "/goog/cdp/execute", {"cmd": method, "params": words})

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """One WebDriver command of this session."""
        return _ask(self.port, method, f"/session/{self.session}{path}", body)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with an empty profile. Raises PartMissing where Chromium or its driver is not installed."""
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if not driver or not chromium:
        raise PartMissing("the browser (Debian packages chromium and chromium-driver)")
    with tempfile.TemporaryDirectory(prefix="hwplan-browser-", ignore_cleanup_errors=True) as folder:
        output = Path(folder, "driver.log")
        with output.open("wb") as log:
            process = subprocess.Popen([driver, "--port=0"], stdout=log, stderr=log)
        try:
            port = _port(process, output)
            options = {"binary": chromium, "args": [*_FLAGS, f"--user-data-dir={folder}/profile"]}
            wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            made = _ask(port, "POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            session = Browser(port, made["sessionId"])
            try:
                yield session
            finally:
                session.ask("DELETE", "")
        finally:
            process.terminate()
            process.wait(30)


def _port(process: subprocess.Popen[bytes], output: Path) -> int:
    end = time.monotonic() + _START
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"started successfully on port (\d+)", output.read_text(errors="replace")):
            return int(found[1])
        time.sleep(0.05)
    raise StartFailed("chromedriver did not start: " + output.read_text(errors="replace")[-400:])


def _ask(port: int, method: str, path: str, body: object) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json"})
        value = json.loads(connection.getresponse().read())["value"]
    finally:
        connection.close()
    if isinstance(value, dict) and "error" in value:
        raise RuntimeError(f"{method} {path}: {value['error']}: {value['message'][:500]}")
    return value
