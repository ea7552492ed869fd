"""What a registry's answers mean: its error documents, what 404 says, what was stored. Sends nothing."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from planner.errors import PermanentError, ProviderError, TemporaryError
from providers.http.read_answer import HttpAnswer
from providers.http.retries import BUSY, retry_after_seconds
from providers.images.image_reference import is_digest
from providers.json_answer import parse_json_answer

MOVED = frozenset({301, 302, 303, 307, 308})
_API_VERSION = "docker-distribution-api-version"  # the header by which a registry says that it is one


def is_registry_404(answer: HttpAnswer) -> bool:
    """Whether a 404 comes from a registry. Any web server answers 404 to what it does not know."""
    return _API_VERSION in answer.headers or bool(_errors(answer.body))


def not_a_registry_error(where: str) -> PermanentError:
    """The error for a 404 of which nothing says that a registry gave it: unreadable is not absent."""
    remedy = "check the host: what answers there is no registry"
    return PermanentError("the answer 404 is not that of a registry", where=where, remedy=remedy)


def check_digest_reported_by_registry(answer: HttpAnswer, digest: str, where: str) -> None:
    """Raises PermanentError when a registry says that it stored something else than was sent."""
    reported = answer.headers.get("docker-content-digest", "")
    if is_digest(reported) and reported != digest:
        raise PermanentError(f"the registry stored something else than was sent: {reported}", where=where)


def registry_refusal_error(answer: HttpAnswer, where: str) -> ProviderError:
    """The error for an answer that is none of those that were hoped for."""
    if answer.status in BUSY:
        return TemporaryError(
            f"the registry answers {answer.status}", where=where, retry_after=retry_after_seconds(answer.headers)
        )
    code = _code(answer.body)
    said = f"the registry answers {answer.status}" + (f" {code}" if code else "")
    remedy = "check the rights of the account that logged in" if answer.status in (401, 403) else ""
    return PermanentError(said, where=where, remedy=remedy)


def refuse_internal_address(address: str) -> None:
    """Raise when a public registry redirects to an internal address: it has no business to send us to this machine, to
    the link or to a metadata address."""
    number = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(number, "ipv4_mapped", None) or number
    if mapped.is_loopback or mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast:
        raise PermanentError("a redirect leads to an inner address, and nothing was sent there")


def _code(body: bytes) -> str:
    """The registry's own error code (`MANIFEST_UNKNOWN`), "" when there is no proper one."""
    match _errors(body):
        case [{"code": str(code)}, *_] if re.fullmatch(r"[A-Z_]{1,64}", code):
            return code
    return ""


def _errors(body: bytes) -> list[Any]:
    """The errors of a registry's error document, empty when this is none."""
    try:
        found = parse_json_answer(body)["errors"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return found if isinstance(found, list) else []
