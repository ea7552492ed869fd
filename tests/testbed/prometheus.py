"""A real Prometheus for tests, scraping once a second what the test exports.

Owns its process, port and folder, and the exporter: a thread that answers with the text the test has set.
"""

import http.client
import http.server
import json
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.testbed import processes
from tests.testbed.errors import PartMissing
from tests.testbed.listening import http_listening

_CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: test
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@dataclass
class Exporter:
    """What is exported, in the text format; the test changes it."""

    text: str = ""
    port: int = 0


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus and what it scrapes."""

    url: str
    exporter: Exporter


@contextmanager
def exporting() -> Iterator[Exporter]:
    """Serve an exporter on 127.0.0.1."""
    exporter = Exporter()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = exporter.text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with http_listening(Handler) as exporter.port:
        yield exporter


@contextmanager
def running(folder: Path) -> Iterator[Prometheus]:
    """A Prometheus that has scraped its exporter once, with its data below `folder`.

    Raises PartMissing where it is not installed.
    """
    (port,) = processes.free_ports(1)
    with exporting() as exporter, running_with(folder, _CONFIG.format(port=exporter.port), port) as url:
        # It listens before it knows its targets: the first test of a worker would see none.
        processes.wait_until("prometheus has scraped", lambda: _target_is_up(url))
        yield Prometheus(url, exporter)


def _target_is_up(url: str) -> bool:
    with _answer(f"{url}/api/v1/targets?state=active") as answer:
        targets = json.load(answer)["data"]["activeTargets"]
    return [target["health"] for target in targets] == ["up"]


def _is_ready(url: str) -> bool:
    # It accepts connections, and answers 503, while it still reads its storage.
    with suppress(OSError), _answer(f"{url}/-/ready"):
        return True
    return False


def _answer(url: str) -> http.client.HTTPResponse:
    answer: http.client.HTTPResponse = urllib.request.urlopen(url, timeout=5)
    return answer


@contextmanager
def running_with(folder: Path, text: str, port: int) -> Iterator[str]:
    """A Prometheus with this configuration on this port; its URL. Raises PartMissing where it is not installed."""
    program = shutil.which("prometheus")
    if program is None:
        raise PartMissing("prometheus is not installed (Debian package prometheus)")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "prometheus.yml"
    config.write_text(text)
    argv = [program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    process = processes.start("prometheus", argv, folder / "log")
    try:
        url = f"http://127.0.0.1:{port}"
        processes.wait_until("prometheus is ready", lambda: _is_ready(url), process)
        yield url
    finally:
        processes.stop(process)
