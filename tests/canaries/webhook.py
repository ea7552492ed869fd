"""An admission webhook that says no and quotes the whole object that it was shown, in every form, and warns with it."""

from __future__ import annotations

import base64
import http.server
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.canaries.canary import encodings
from tests.testbed.cluster import TestCluster
from tests.testbed.listening import http_listening


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Deny."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review["request"]
        response: dict[str, Any] = {"uid": request["uid"], "allowed": False}
        response["status"] = {"code": 403, "message": f"not welcome: {json.dumps(request)} {_in_all_forms(request)}"}
        response["warnings"] = [_in_all_forms(request)[:200] or "nothing", json.dumps(request["object"])[-250:]]
        answer = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no log."""


def _in_all_forms(request: Any) -> str:
    values = [base64.b64decode(text) for text in ((request.get("object") or {}).get("data") or {}).values()]
    return " ".join(form for value in values[:2] if value.isascii() for form in encodings(value).values())


@contextmanager
def denying(cluster: TestCluster, namespace: str, folder: Path) -> Iterator[None]:
    """Deny every write of a Secret or a Deployment in a namespace for as long as the block lasts."""
    pair = cluster.authority.server(folder, "webhook")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    with http_listening(_Handler, context) as port:
        cluster.api().create(path, _configuration(cluster, namespace, port))
        try:
            yield
        finally:
            cluster.api().delete(f"{path}/deny-{namespace}")


def _configuration(cluster: TestCluster, namespace: str, port: int) -> dict[str, Any]:
    rule = {
        "apiGroups": ["", "apps"],
        "apiVersions": ["v1"],
        "resources": ["secrets", "deployments"],
        "operations": ["*"],
    }
    webhook = {
        "name": "deny.canaries.test",
        "clientConfig": {"url": f"https://127.0.0.1:{port}/", "caBundle": cluster.authority.bundle_base64()},
        "rules": [rule],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    return {**kind, "metadata": {"name": f"deny-{namespace}"}, "webhooks": [webhook]}
