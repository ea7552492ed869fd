"""Who asks GitHub: nobody, the token in a file, or an App with its private key.

Every credential is learned by the redactor when it is read. No error holds one, or words of the file it came from.
"""

from __future__ import annotations

import threading
import time
from dataclasses import field
from pathlib import Path
from typing import Protocol

from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.errors import PermanentError, TemporaryError
from planner.rfc3339 import parse_time
from planner.values import JsonObject, SecretValue
from providers.github.rate_limits import server_time_of_answer
from providers.http.read_answer import HttpAnswer
from providers.json_answer import parse_json_answer

_EARLY = 120.0  # seconds before its end in which a token of an installation is no longer used
_LIFE = 540  # seconds of a JSON Web Token; GitHub takes at most 600
_BACK = 60  # seconds that a token is dated back, for clocks that differ


class WebSender(Protocol):
    """Sends one request: providers.web.bounded_http_client.BoundedHttpClient, or the GitHub of a sandbox."""

    def request(self, method: str, url: str, headers: dict[str, str], body: bytes) -> HttpAnswer:
        """One request, one answer of any status."""
        ...


class GitHubCredential(Protocol):
    """A credential for GitHub: gives the `Authorization` header."""

    def header(self, web: WebSender, base: str) -> str:
        """The value, "" for none. Raises ProviderError when there is none to be had."""
        ...

    def forget(self) -> bool:
        """GitHub refused it: read it anew. Gives whether that may help."""
        ...

    def login(self, web: WebSender, base: str) -> str | None:
        """The account in whose name is written, where it is not the one that `GET /user` tells; else None."""
        ...


class AnonymousCredential:
    """No credential: what is public can be read."""

    def header(self, web: WebSender, base: str) -> str:
        """See Credential."""
        return ""

    def forget(self) -> bool:
        """See Credential."""
        return False

    def login(self, web: WebSender, base: str) -> str | None:
        """See Credential."""
        return None


@dataclass(slots=True)
class TokenFileCredential:
    """The token in a file, read when it is first needed and again when GitHub refuses it: it may have been renewed."""

    path: Path
    _token: SecretValue | None = field(default=None, repr=False)

    def header(self, web: WebSender, base: str) -> str:
        """See Credential."""
        if self._token is None:
            self._token = SecretValue(read_credential_file(self.path))
        return f"Bearer {self._token.reveal().decode()}"

    def forget(self) -> bool:
        """See Credential."""
        before = self._token.reveal() if self._token else b""
        self._token = SecretValue(read_credential_file(self.path))
        return self._token.reveal() != before

    def login(self, web: WebSender, base: str) -> str | None:
        """See Credential."""
        return None


def read_credential_file(path: Path) -> bytes:
    """The one line of a file, without its line end. Raises PermanentError, with the path and nothing of the file."""
    try:
        data = path.read_bytes().strip()
    except OSError as error:
        raise PermanentError(f"the token cannot be read: {disk_error_text(error)}", where=str(path)) from None
    if not data or not all(0x21 <= byte <= 0x7E for byte in data):
        raise PermanentError("this is no token", where=str(path), remedy="one line with the bare token, nothing else")
    return data


@dataclass(slots=True)
class GitHubAppCredential:
    """An installation of a GitHub App: its private key signs a JSON Web Token, which is exchanged for a token that
    lasts an hour. Needs PyJWT with cryptography (the extra `github-app`)."""

    app: str
    installation: int
    key: Path
    _token: SecretValue | None = field(default=None, repr=False)
    _until: float = 0.0
    _skew: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def header(self, web: WebSender, base: str) -> str:
        """See Credential."""
        with self._lock:
            if self._token is None or self._now() > self._until - _EARLY:
                self._exchange(web, base)
            assert self._token is not None
            return f"Bearer {self._token.reveal().decode()}"

    def forget(self) -> bool:
        """See Credential."""
        with self._lock:
            had, self._token = self._token is not None, None
        return had

    def login(self, web: WebSender, base: str) -> str | None:
        """See Credential. An App writes as `<slug>[bot]`."""
        with self._lock:
            document = self._signed(web, "GET", f"{base}/app", (200,))
        slug = document.get("slug")
        if not isinstance(slug, str):
            raise PermanentError("GitHub does not say the name of the App", where="/app")
        return f"{slug}[bot]"

    def _exchange(self, web: WebSender, base: str) -> None:
        document = self._signed(web, "POST", f"{base}/app/installations/{self.installation}/access_tokens", (201,))
        token, until = document.get("token"), parse_time(document.get("expires_at"))
        if not isinstance(token, str) or until is None:
            raise PermanentError("GitHub gives no token for the App", where="access_tokens")
        self._token = SecretValue(token.encode())
        self._until = until.timestamp()

    def _signed(self, web: WebSender, method: str, url: str, good: tuple[int, ...]) -> JsonObject:
        """The document of an answer to a request that the App itself signs; once more when only our clock is wrong."""
        for last in (False, True):
            headers = {"Authorization": f"Bearer {self._jwt()}", "Accept": "application/vnd.github+json"}
            answer = web.request(method, url, headers, b"")
            if answer.status in good:
                return _object(answer.body)
            self._skew = server_time_of_answer(answer.headers) - time.time()
            if last or answer.status != 401 or abs(self._skew) < _BACK:
                break
        if answer.status >= 500:
            raise TemporaryError(f"GitHub answers {answer.status}", where="the App's token")
        raise PermanentError(
            f"GitHub answers {answer.status} to the App",
            where="the App's token",
            remedy="check the id of the App and of the installation, and its private key",
        )

    def _now(self) -> float:
        return time.time() + self._skew

    def _jwt(self) -> str:
        try:
            import jwt
        except ImportError:
            raise PermanentError("an App needs PyJWT", remedy="pip install 'hwplan[github-app]'") from None
        try:
            key = self.key.read_bytes()
        except OSError as error:
            raise PermanentError(
                f"the App's key cannot be read: {disk_error_text(error)}", where=str(self.key)
            ) from None
        SecretValue(key)  # learned by the redactor
        now = int(self._now())
        claims = {"iat": now - _BACK, "exp": now + _LIFE, "iss": self.app}
        try:
            signed: str = jwt.encode(claims, key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise PermanentError("this is no private key of an App", where=str(self.key)) from None
        SecretValue(signed.encode())
        return signed


def _object(body: bytes) -> JsonObject:
    try:
        document = parse_json_answer(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise PermanentError("GitHub answers something that cannot be read", where="the App's token")
    return document
