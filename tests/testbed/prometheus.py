"""A real Prometheus for tests, scraping once a second what the test exports.

Owns its process, port and folder, and the exporter: a thread that answers with the text the test has set.
"""

import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.testbed import processes
from tests.testbed.errors import PartMissing

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

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    exporter.port = server.server_address[1]
    try:
        yield exporter
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def running(folder: Path) -> Iterator[Prometheus]:
    """A Prometheus with its data below `folder`. Raises PartMissing where it is not installed."""
    program = shutil.which("prometheus")
    if program is None:
        raise PartMissing("prometheus is not installed (Debian package prometheus)")
    folder.mkdir(parents=True, exist_ok=True)
    with exporting() as exporter:
        (port,) = processes.free_ports(1)
        config = folder / "prometheus.yml"
        config.write_text(_CONFIG.format(port=exporter.port))
        argv = [program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
        process = processes.start("prometheus", argv, folder / "log")
        try:
            processes.wait_until("prometheus listens", lambda: processes.listens(port), process)
            yield Prometheus(f"http://127.0.0.1:{port}", exporter)
        finally:
            processes.stop(process)
