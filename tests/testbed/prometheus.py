"""A real Prometheus for tests, scraping once a second what the test exports.

Owns its process, port and folder, and the exporter: a thread that answers with the text the test has set.
"""

import http.server
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
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
    """A Prometheus with its data below `folder`, and its exporter. Raises PartMissing where it is not installed."""
    (port,) = processes.free_ports(1)
    with exporting() as exporter, running_with(folder, _CONFIG.format(port=exporter.port), port) as url:
        yield Prometheus(url, exporter)


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
        processes.wait_until("prometheus listens", lambda: processes.listens(port), process)
        yield f"http://127.0.0.1:{port}"
    finally:
        processes.stop(process)
