"""The raw limit: server-side apply PATCHes of the same objects in a bare loop on 16 connections, nothing else.

Run as a process: `python -m bench.loop MANIFEST SERVER CA TOKEN [CONNECTIONS]`. It shares no code with hwplan.
"""

from __future__ import annotations

import http.client
import json
import queue
import ssl
import sys
import threading
import urllib.parse

from ruamel.yaml import YAML

_PLURAL = {"Deployment": "deployments", "Service": "services", "ConfigMap": "configmaps", "Secret": "secrets"}


def main() -> None:
    """Read, send, leave with 1 when an answer is not 200 or 201."""
    manifest, server, ca, token = sys.argv[1:5]
    connections = int(sys.argv[5]) if len(sys.argv) > 5 else 16
    with open(manifest, encoding="utf-8") as file:  # noqa: PTH123
        documents = list(YAML(typ="safe").load_all(file))
    jobs: queue.SimpleQueue[dict[str, object] | None] = queue.SimpleQueue()
    for document in documents:
        jobs.put(document)
    for _ in range(connections):
        jobs.put(None)
    bad: list[int] = []
    threads = [threading.Thread(target=_send, args=(server, ca, token, jobs, bad)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.exit(1 if bad else 0)


def _send(server: str, ca: str, token: str, jobs: queue.SimpleQueue, bad: list[int]) -> None:  # type: ignore[type-arg]
    url = urllib.parse.urlsplit(server)
    connection = http.client.HTTPSConnection(
        url.hostname or "", url.port, context=ssl.create_default_context(cafile=ca)
    )
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/apply-patch+yaml"}
    while (document := jobs.get()) is not None:
        connection.request("PATCH", _path(document), json.dumps(document), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status not in (200, 201):
            bad.append(answer.status)


def _path(document: dict) -> str:  # type: ignore[type-arg]
    group = f"/apis/{document['apiVersion']}" if "/" in document["apiVersion"] else f"/api/{document['apiVersion']}"
    metadata = document["metadata"]
    return (
        f"{group}/namespaces/{metadata['namespace']}/{_PLURAL[document['kind']]}/{metadata['name']}?fieldManager=loop"
    )


if __name__ == "__main__":
    main()
