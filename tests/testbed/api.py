"""A small client of the API server, for the testbed and for tests that look at the world past hwplan.

Owns one request at a time over HTTPS, with a deadline. It shares no code with the project on purpose: what a test
checks hwplan against must not be hwplan. Its user agent is its own, so that audit counts can leave it out.
"""

import http.client
import json
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.testbed.errors import TestbedError

USER_AGENT = "hwplan-testbed"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
_JSON = "application/json"


class ApiError(TestbedError):
    """The API server answered with an error: its code and reason."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Api:
    """Where the API server is, and who asks."""

    server: str
    ca: Path
    token: str
    user_agent: str = USER_AGENT
    timeout: float = 30.0

    def get(self, path: str) -> Any:
        """Return the object or list at `path`."""
        return self.request("GET", path)

    def find(self, path: str) -> Any | None:
        """Return the object at `path`, or None if there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.code == http.client.NOT_FOUND:
                return None
            raise

    def create(self, path: str, body: Mapping[str, Any]) -> Any:
        """Create `body` in the collection at `path`."""
        return self.request("POST", path, body)

    def apply(self, path: str, body: Mapping[str, Any], manager: str = USER_AGENT) -> Any:
        """Apply `body` at `path` on the server's side, taking what others own."""
        query = urllib.parse.urlencode({"fieldManager": manager, "force": "true"})
        return self.request("PATCH", f"{path}?{query}", body, APPLY)

    def merge(self, path: str, body: Mapping[str, Any]) -> Any:
        """Merge `body` into the object at `path`."""
        return self.request("PATCH", path, body, MERGE)

    def delete(self, path: str, uid: str | None = None) -> Any:
        """Delete the object at `path`, in the background; with `uid` that one alone, and not one made since."""
        preconditions = {} if uid is None else {"preconditions": {"uid": uid}}
        return self.request("DELETE", path, {"propagationPolicy": "Background", **preconditions})

    def request(self, method: str, path: str, body: Any = None, content_type: str = _JSON) -> Any:
        """Send one request and return its decoded answer; an error answer is an `ApiError`."""
        code, text = self.raw(method, path, None if body is None else json.dumps(body).encode(), content_type)
        decoded = json.loads(text) if text[:1] in (b"{", b"[") else text.decode(errors="replace")
        if code >= http.client.BAD_REQUEST:
            status = decoded if isinstance(decoded, dict) else {"message": decoded}
            raise ApiError(code, str(status.get("reason", "")), str(status.get("message", "")))
        return decoded

    def raw(self, method: str, path: str, body: bytes | None = None, content_type: str = _JSON) -> tuple[int, bytes]:
        """Send one request and return the code and the bytes of its answer, whatever they are."""
        headers = self.headers()
        if body is not None:
            headers["Content-Type"] = content_type
        connection = self.connect(self.timeout)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def wait(self, path: str, deadline: float = 30.0) -> Any:
        """Wait until there is an object at `path`, and return it."""
        end = time.monotonic() + deadline
        while (found := self.find(path)) is None:
            if time.monotonic() > end:
                raise TestbedError(f"{path} did not appear within {deadline:.0f} s")
            time.sleep(0.05)
        return found

    def headers(self) -> dict[str, str]:
        """Who asks, and in which form the answer is wanted."""
        return {"Authorization": f"Bearer {self.token}", "User-Agent": self.user_agent, "Accept": _JSON}

    def connect(self, timeout: float | None) -> http.client.HTTPSConnection:
        """A connection for one request, which the caller closes; None waits for ever, as a watch does."""
        url = urllib.parse.urlsplit(self.server)
        context = ssl.create_default_context(cafile=str(self.ca))
        return http.client.HTTPSConnection(url.hostname or "", url.port, timeout=timeout, context=context)
