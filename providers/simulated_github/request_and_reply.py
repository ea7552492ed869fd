"""One request to the simulated GitHub and its reply, and the ways in which a request is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from planner.dataclass import dataclass
from planner.values import Json, JsonObject

_DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True, slots=True)
class SimulatedRequest:
    """A request: the path without host and query, its words, the query, the JSON body, and who asks."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject = field(default_factory=dict)
    login: str = "hwplan"

    def text(self, name: str) -> str:
        """A field of the body that has to be a text. Raises RequestRefused (422)."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise invalid_body_reply(name)
        return value


@dataclass(frozen=True, slots=True)
class SimulatedReply:
    """A reply. `items` is a list that is still to be cut into pages; then `body` is what stands beside it."""

    status: int
    body: Json = None
    items: list[JsonObject] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class RequestRefused(Exception):
    """A request that is not done; `reply` says so as GitHub does."""

    def __init__(self, status: int, message: str, **more: Json) -> None:
        super().__init__(message)
        self.reply = SimulatedReply(
            status, {"message": message, "documentation_url": _DOCS, "status": str(status), **more}
        )


def not_found_reply() -> RequestRefused:
    """What GitHub says of anything that is not there or may not be seen."""
    return RequestRefused(404, "Not Found")


def invalid_body_reply(name: str) -> RequestRefused:
    """A body that does not hold what it has to."""
    return RequestRefused(422, "Validation Failed", errors=[{"resource": "Request", "field": name, "code": "invalid"}])
