"""Tekton's admission as the API server meets it: a webhook that fills in defaults and one that refuses.

Owns the HTTPS server and the two webhook configurations, which look at marked namespaces only, so that other tests may
write what they like. What is added and refused is decided by `tekton_defaults.py` and `tekton_validation.py`.
"""

import base64
import http.server
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.testbed import listening
from tests.testbed.cluster import TestCluster
from tests.testbed.tekton_defaults import defaulted
from tests.testbed.tekton_validation import problems

NAMESPACE_LABEL = "testbed.hwplan/tekton"
_REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
_MUTATING = "webhook.pipeline.tekton.dev"
_VALIDATING = "validation.webhook.pipeline.tekton.dev"


def review(path: str, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one admission request; the path says which of the two webhooks is asked."""
    response: dict[str, Any] = {"uid": request["uid"], "allowed": True}
    document, old = request["object"], request.get("oldObject")
    if path == "/defaulting":
        patch = [{"op": "replace", "path": "/spec", "value": defaulted(document)["spec"]}]
        if "spec" not in document:
            patch[0]["op"] = "add"
        response["patchType"], response["patch"] = "JSONPatch", base64.b64encode(json.dumps(patch).encode()).decode()
    elif found := problems(document, old):
        message = "validation failed: " + "\n".join(found)
        response |= {"allowed": False, "status": {"code": 400, "reason": "BadRequest", "message": message}}
    return response


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer one AdmissionReview."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.partition("?")[0]
        answer = {"apiVersion": asked["apiVersion"], "kind": asked["kind"], "response": review(path, asked["request"])}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no log."""


@contextmanager
def serving(cluster: TestCluster, folder: Path) -> Iterator[None]:
    """Tekton's admission for all namespaces of `cluster` with NAMESPACE_LABEL, while the block lasts."""
    pair = cluster.authority.server(folder, "tekton-webhook")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    server = listening.HttpServer(_Handler, context, lasting=True)
    with listening.running(server) as port:
        documents = _configurations(cluster, port)
        try:
            for plural, document in documents.items():
                cluster.api().apply(f"{_REGISTRATION}/{plural}/{document['metadata']['name']}", document)
            yield
        finally:
            for plural, document in documents.items():
                cluster.api().delete(f"{_REGISTRATION}/{plural}/{document['metadata']['name']}")


def _configurations(cluster: TestCluster, port: int) -> dict[str, dict[str, Any]]:
    """By plural name."""
    found = {}
    for kind, name, path in (
        ("MutatingWebhookConfiguration", _MUTATING, "defaulting"),
        ("ValidatingWebhookConfiguration", _VALIDATING, "resource-validation"),
    ):
        rule = {"apiGroups": ["tekton.dev"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"]}
        webhook = {
            "name": name,
            "clientConfig": {
                "url": f"https://127.0.0.1:{port}/{path}",
                "caBundle": cluster.authority.bundle_base64(),
            },
            "rules": [{**rule, "resources": ["tasks", "pipelines", "taskruns", "pipelineruns"]}],
            "namespaceSelector": {"matchExpressions": [{"key": NAMESPACE_LABEL, "operator": "Exists"}]},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 10,
        }
        metadata = {"name": name}
        document = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": metadata}
        found[f"{kind.lower()}s"] = {**document, "webhooks": [webhook]}
    return found
