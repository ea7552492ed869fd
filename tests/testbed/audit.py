"""Reads the audit log of an API server, so that tests can count what was asked of it, and by whom.

Owns the marks and the decoding. The server writes a line when a request arrives and another when it is answered, both
before it goes on, so a request that a client has seen answered can be waited for exactly. Bodies are not in the log:
a DELETE whose dry run is asked for in its body, not in its query, is not seen to be one.
"""

import json
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.testbed.cluster import TestCluster
from tests.testbed.errors import TestbedError

_LONGEST_LINE = 1024 * 1024
_LASTING = ("watch", "connect", "proxy")


@dataclass(frozen=True)
class Mark:
    """A place in the audit log between two requests."""

    offset: int


@dataclass(frozen=True)
class Request:
    """One request as the API server saw it; `code` is None while it lasts (a watch)."""

    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    user: str
    user_agent: str
    code: int | None
    dry_run: bool
    uri: str


def mark(cluster: TestCluster) -> Mark:
    """Return the present end of the log."""
    size = cluster.audit_log.stat().st_size
    with cluster.audit_log.open("rb") as log:
        start = max(0, size - _LONGEST_LINE)
        log.seek(start)
        return Mark(start + log.read(size - start).rfind(b"\n") + 1)


def requests(
    cluster: TestCluster, since: Mark, until: Mark | None = None, user_agent: str = "", deadline: float = 10.0
) -> list[Request]:
    """Return the requests that arrived after `since` (and before `until`), in the order of arrival.

    Only those whose user agent contains `user_agent`. Waits until each of them is answered, watches aside.
    """
    end = time.monotonic() + deadline
    while True:
        found = _decode(cluster, since, until, user_agent)
        open_ones = [request for request in found if request.code is None and request.verb not in _LASTING]
        if not open_ones:
            return found
        if time.monotonic() > end:
            raise TestbedError(f"not answered within {deadline:.0f} s: {open_ones[0].verb} {open_ones[0].uri}")
        time.sleep(0.01)


def count(found: Iterable[Request]) -> Counter[str]:
    """Count requests as `verb resource` (or `verb path` where there is no resource), ` dry-run` added for those."""
    return Counter(
        f"{request.verb} {request.resource or urllib.parse.urlsplit(request.uri).path}"
        f"{'/' + request.subresource if request.subresource else ''}{' dry-run' if request.dry_run else ''}"
        for request in found
    )


def _decode(cluster: TestCluster, since: Mark, until: Mark | None, user_agent: str) -> list[Request]:
    """Read the arrivals between the marks, and the answers up to the end of the log."""
    with cluster.audit_log.open("rb") as log:
        log.seek(since.offset)
        text = log.read()
    border = len(text) if until is None else until.offset - since.offset
    arrived: dict[str, dict[str, Any]] = {}
    answered: dict[str, int] = {}
    position = 0
    for line in text[: text.rfind(b"\n") + 1].splitlines(keepends=True):
        event = json.loads(line)
        if event["stage"] == "RequestReceived":
            if position < border and user_agent in event.get("userAgent", ""):
                arrived[event["auditID"]] = event
        elif event["stage"] in ("ResponseComplete", "Panic"):
            answered[event["auditID"]] = event.get("responseStatus", {}).get("code", 0)
            _learn_name(arrived, event)
        position += len(line)
    return [_request(event, answered.get(identity)) for identity, event in arrived.items()]


def _learn_name(arrived: dict[str, dict[str, Any]], event: dict[str, Any]) -> None:
    """Take the object's name from the answer: at the arrival of a create it is not known yet."""
    if event["auditID"] in arrived and "objectRef" in event:
        arrived[event["auditID"]]["objectRef"] = event["objectRef"]


def _request(event: dict[str, Any], code: int | None) -> Request:
    target = event.get("objectRef", {})
    uri = event["requestURI"]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)
    return Request(
        verb=event["verb"],
        group=target.get("apiGroup", ""),
        resource=target.get("resource", ""),
        subresource=target.get("subresource", ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        user=event["user"].get("username", ""),
        user_agent=event.get("userAgent", ""),
        code=code,
        dry_run="All" in query.get("dryRun", []),
        uri=uri,
    )
