"""Authorization for one registry: reads its challenge, fetches tokens, and decides who may see credentials.

Credentials and token requests go to the registry's own host, or to a host that is configured as its token realm, and
nowhere else (oras-go CVE-2026-48978, Distribution CVE-2026-33540). Over plain HTTP they stay on this machine.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.redaction.redactor import REDACTOR
from providers.http.retries import DEFAULT_RETRIES, RetryLimits, call_with_retries
from providers.images.docker_config_credentials import DockerConfigFileCredentials
from providers.images.image_reference import is_loopback
from providers.json_answer import parse_json_answer
from providers.web.bounded_http_client import BoundedHttpClient, HttpClientLimits

# Token realms of public registries that are not the registry's own host.
KNOWN_REALMS: Mapping[str, frozenset[str]] = {
    "registry-1.docker.io": frozenset({"auth.docker.io"}),
    "registry.gitlab.com": frozenset({"gitlab.com"}),
}
_LIMITS = HttpClientLimits(total=60.0, max_body=1 << 20)
_PART = re.compile(r'(?<![a-zA-Z])([a-zA-Z]{1,32})=(?:"([^"\\]{0,2000})"|([^\s",]{1,2000}))')
_TOKEN = re.compile(r"[!-~]{1,32768}")
_SPARE = 5.0  # seconds before its end at which a token is not used any more
_SHORT, _LONG = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class AuthChallenge:
    """The parsed `WWW-Authenticate` header of a registry."""

    scheme: str
    realm: str
    service: str
    scope: str


class RegistryAuthorizer:
    """The Authorization headers for one registry, by repository and whether it is written to."""

    def __init__(
        self,
        web: BoundedHttpClient,
        origin: str,
        realms: frozenset[str] = frozenset(),
        credentials: DockerConfigFileCredentials | None = None,
        retries: RetryLimits = DEFAULT_RETRIES,
    ) -> None:
        self._web = web
        self._origin = urlsplit(origin)
        self._realms = realms | KNOWN_REALMS.get(self._origin.netloc, frozenset())
        self._credentials = credentials or DockerConfigFileCredentials()
        self._retries = retries
        self._lock = threading.Lock()
        self._headers: dict[tuple[str, bool], tuple[str, float]] = {}

    def header(self, path: str, *, write: bool) -> str:
        """The Authorization for a repository as far as it is known; "" to ask without one."""
        with self._lock:
            value, until = self._headers.get((path, write), ("", 0.0))
        return value if time.monotonic() < until else ""

    def answer(self, path: str, challenge: str, *, write: bool) -> str:
        """The Authorization that answers a 401. Raises PermanentError when there is none, or the realm is foreign."""
        with self._lock:
            self._headers.pop((path, write), None)
        asked = _parse(challenge)
        basic = self._basic()
        if asked.scheme == "basic":
            if not basic:
                raise self._refused("the registry wants a user and a password")
            value, seconds = basic, _LONG
        else:
            value, seconds = self._token(asked, basic)
        with self._lock:
            self._headers[path, write] = (value, time.monotonic() + seconds - _SPARE)
        return value

    def _basic(self) -> str:
        host = self._origin.netloc
        basic = self._credentials.basic(host)
        if basic and self._origin.scheme == "http" and not is_loopback(host):
            raise self._refused("credentials are not sent over plain HTTP to another machine")
        return basic

    def _token(self, asked: AuthChallenge, basic: str) -> tuple[str, float]:
        realm = self._checked_realm(asked.realm)
        query = [("service", asked.service)] if asked.service else []
        query += [("scope", scope) for scope in asked.scope.split()]
        url = realm + ("&" if "?" in realm else "?") + urlencode(query) if query else realm
        headers = {"Accept": "application/json"} | ({"Authorization": basic} if basic else {})
        where = urlsplit(realm).netloc
        answer = call_with_retries(lambda: self._web.request("GET", url, headers, limits=_LIMITS), where, self._retries)
        if answer.status != 200:
            raise self._refused(f"the token server answers {answer.status}")
        return _token(answer.body, where)

    def _checked_realm(self, realm: str) -> str:
        try:
            parts = urlsplit(realm)
            host = parts.netloc
        except ValueError:
            host, parts = "", self._origin
        own = (parts.scheme, host) == (self._origin.scheme, self._origin.netloc)
        configured = host in self._realms and (parts.scheme == "https" or is_loopback(host))
        if not own and not configured:
            shown = host if re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", host) else "another host"
            raise PermanentError(
                f"the registry sends its callers to {shown} for a token, and nothing was sent there",
                where=self._origin.netloc,
                remedy="if that host may see the credentials of this registry, name it in spec.tokenRealms",
            )
        return realm

    def _refused(self, message: str) -> PermanentError:
        host = self._origin.netloc
        helper = self._credentials.has_helper(host)
        remedy = (
            "its credentials are with a credential helper, which hwplan does not run: put them into `auths`"
            if helper
            else "log in, so that docker's config.json has this registry in `auths`"
        )
        return PermanentError(message, where=host, remedy=remedy)


def _parse(challenge: str) -> AuthChallenge:
    scheme, _, rest = challenge.strip().partition(" ")
    fields = {match[1].lower(): match[2] or match[3] or "" for match in _PART.finditer(rest[:8192])}
    if scheme.lower() not in ("bearer", "basic"):
        raise PermanentError("the registry wants an authorization that hwplan does not know")
    return AuthChallenge(scheme.lower(), fields.get("realm", ""), fields.get("service", ""), fields.get("scope", ""))


def _token(body: bytes, where: str) -> tuple[str, float]:
    try:
        document = parse_json_answer(body)
    except ValueError:
        document = None
    if isinstance(document, dict):
        token = document.get("token") or document.get("access_token")
        if isinstance(token, str) and _TOKEN.fullmatch(token):
            REDACTOR.learn(token.encode())
            match document.get("expires_in"):
                case int(seconds) if seconds > 0:
                    return f"Bearer {token}", float(min(seconds, _LONG))
            return f"Bearer {token}", _SHORT
    raise PermanentError("the token server gave no token", where=where)
