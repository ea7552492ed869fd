"""An admission webhook of somebody else that denies what it is asked about, while a block lasts."""

from __future__ import annotations

import http.server
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.testbed import listening
from tests.testbed.cluster import TestCluster

_PATH = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/denies.testbed.hwplan"


@contextmanager
def denying(cluster: TestCluster, folder: Path, rule: dict[str, Any], message: str) -> Iterator[None]:
    """Deny what `rule` of a webhook configuration matches, with `message`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            response = {"uid": asked["request"]["uid"], "allowed": False, "status": {"code": 403, "message": message}}
            body = json.dumps({"apiVersion": asked["apiVersion"], "kind": asked["kind"], "response": response}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    folder.mkdir(parents=True, exist_ok=True)
    pair = cluster.authority.server(folder, "denies")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with listening.running(listening.HttpServer(Handler, context, lasting=True)) as port:
        cluster.api().apply(_PATH, _configuration(cluster, port, rule))
        try:
            yield
        finally:
            cluster.api().delete(_PATH)


def _configuration(cluster: TestCluster, port: int, rule: dict[str, Any]) -> dict[str, Any]:
    name = _PATH.rpartition("/")[2]
    webhook = {
        "name": name,
        "clientConfig": {"url": f"https://127.0.0.1:{port}/", "caBundle": cluster.authority.bundle_base64()},
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [webhook],
    }
