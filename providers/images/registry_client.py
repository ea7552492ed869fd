"""One registry over HTTP (OCI distribution-spec 1.1): manifests, blobs, uploads.

Every byte is hashed in both directions and compared with the digest that was asked for, never with a header alone.
Credentials go to the registry's own origin only: an upload's Location elsewhere is refused (oras-go CVE-2026-50151), a
redirect of a manifest (registry.k8s.io) or a blob is followed without them. Nothing here decides what is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from urllib.parse import quote, urljoin, urlsplit

from planner.errors import OutcomeUnknown, PermanentError, ProviderError, TemporaryError
from providers.http.read_answer import HttpAnswer
from providers.http.retries import DEFAULT_RETRIES, RetryLimits, call_with_retries, repeat_on_temporary_error
from providers.images.docker_config_credentials import DockerConfigFileCredentials
from providers.images.image_manifest import (
    MAX_MANIFEST,
    MEDIA_TYPES,
    ImageDescriptor,
    ImageManifest,
    parse_image_manifest,
)
from providers.images.image_reference import ImageReference, is_digest, is_loopback
from providers.images.image_store import Opener, verify_while_reading
from providers.images.registry_answers import (
    MOVED,
    check_digest_reported_by_registry,
    is_registry_404,
    not_a_registry_error,
    refuse_internal_address,
    registry_refusal_error,
)
from providers.images.registry_tokens import RegistryAuthorizer
from providers.web.bounded_http_client import BoundedHttpClient, HttpClientLimits, StreamedAnswer

_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
_SMALL = HttpClientLimits(total=60.0, max_body=MAX_MANIFEST)
_HOPS = 3
_SLOWEST = 128 << 10  # bytes per second below which a blob's transfer is given up, after a minute of grace
_ONCE = RetryLimits(tries=1)  # for what is part of something that is repeated as a whole
_NO_HEADERS: Mapping[str, str] = {}


class RegistryClient:
    """A client of the registry at `host`. `plain` speaks HTTP instead of HTTPS; loopback hosts are plain anyway."""

    def __init__(
        self,
        host: str,
        *,
        plain: bool = False,
        realms: frozenset[str] = frozenset(),
        credentials: DockerConfigFileCredentials | None = None,
        retries: RetryLimits = DEFAULT_RETRIES,
        web: BoundedHttpClient | None = None,
    ) -> None:
        self._host = host
        self._origin = f"{'http' if plain or is_loopback(host) else 'https'}://{host}"
        self._web = web or BoundedHttpClient()
        self._elsewhere = BoundedHttpClient(vet=None if is_loopback(host) else refuse_internal_address)
        self._auth = RegistryAuthorizer(self._web, self._origin, realms, credentials, retries)
        self._retries = retries

    # --- manifests -----------------------------------------------------------------------------------------------

    def digest(self, image: ImageReference) -> str:
        """Digest of the tag: one HEAD (and a GET where the registry does not say it there). "" when there is none."""
        answer = self._read("HEAD", image)
        if answer.status == 404:
            return "" if is_registry_404(answer) else self._found_by_get(image)
        self._expect(answer, image, 200)
        reported = answer.headers.get("docker-content-digest", "")
        return reported if is_digest(reported) and image.digest in ("", reported) else self._found_by_get(image)

    def _found_by_get(self, image: ImageReference) -> str:
        found = self.manifest(image)
        return found.digest if found else ""

    def manifest(self, image: ImageReference) -> ImageManifest | None:
        """The manifest: one GET."""
        answer = self._read("GET", image)
        if answer.status == 404:
            if is_registry_404(answer):
                return None
            raise not_a_registry_error(self._host)
        self._expect(answer, image, 200)
        reported = answer.headers.get("docker-content-digest", "")
        expected = image.digest or (reported if is_digest(reported) else "")
        return parse_image_manifest(answer.body, answer.headers.get("content-type", ""), expected=expected)

    def _read(self, method: str, image: ImageReference) -> HttpAnswer:
        """A manifest by HEAD or GET; redirects are followed, elsewhere without credentials."""
        url = self._url(image, f"manifests/{image.wanted}")
        answer = self._call(method, image, url, _ACCEPT)
        for _ in range(_HOPS):
            if answer.status not in MOVED:
                return answer
            url = self._moved(url, answer.headers)
            answer = self._call(method, image, url, _ACCEPT) if self._is_own(url) else self._ask_elsewhere(method, url)
        raise PermanentError("a manifest is behind too many redirects", where=self._host)

    def _ask_elsewhere(self, method: str, url: str) -> HttpAnswer:
        def once() -> HttpAnswer:
            return self._elsewhere.request(method, url, _ACCEPT, limits=_SMALL)

        return call_with_retries(once, self._host, self._retries)

    def write_manifest(self, image: ImageReference, manifest: ImageManifest) -> None:
        """One PUT; it is idempotent, so a busy registry is asked again."""
        name = image.tag or manifest.digest
        headers = {"Content-Type": manifest.media_type}
        answer = self._ask("PUT", image, f"manifests/{name}", headers, manifest.data)
        self._expect(answer, image, 201)
        check_digest_reported_by_registry(answer, manifest.digest, self._host)

    # --- blobs ---------------------------------------------------------------------------------------------------

    def has_blob(self, image: ImageReference, blob: ImageDescriptor) -> bool:
        """One HEAD."""
        answer = self._ask("HEAD", image, f"blobs/{blob.digest}")
        if answer.status == 404:
            return False
        if answer.status not in MOVED:  # a registry with its blobs elsewhere has it all the same
            self._expect(answer, image, 200)
        return True

    @contextmanager
    def open_blob(self, image: ImageReference, blob: ImageDescriptor) -> Iterator[Iterable[bytes]]:
        """One GET, redirects followed without credentials. Raises TemporaryError when it breaks off or is not there."""
        limits = _limits(blob)
        url = self._url(image, f"blobs/{blob.digest}")
        for hop in range(_HOPS + 1):
            own = self._is_own(url)
            web = self._web if own else self._elsewhere
            headers = self._headers(image, write=False) if own else {}
            with web.stream("GET", url, headers, limits=limits) as answer:
                if answer.status == 200:
                    yield answer.pieces()
                    return
                url = self._after(answer, image, url, hop)
        raise PermanentError("a blob is behind too many redirects", where=self._host)

    def _after(self, answer: StreamedAnswer, image: ImageReference, url: str, hop: int) -> str:
        """Where to ask for the blob next. Raises what the answer means when it is not a redirect or a challenge."""
        if answer.status == 401 and self._is_own(url) and hop == 0:
            self._auth.answer(image.path, answer.headers.get("www-authenticate", ""), write=False)
            return url
        if answer.status in MOVED:
            return self._moved(url, answer.headers)
        raise self._refusal(HttpAnswer(answer.status, answer.headers, b""), image)

    def _moved(self, url: str, headers: Mapping[str, str]) -> str:
        """Where a redirect leads, which is never from HTTPS to anything else. Raises PermanentError."""
        try:
            target = urljoin(url, headers.get("location", ""))
            downgraded = urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https"
        except ValueError:
            raise PermanentError("a redirect leads to what is no URL", where=self._host) from None
        if downgraded:
            raise PermanentError("a redirect leads from HTTPS to something else", where=self._host)
        return target

    def write_blob(self, image: ImageReference, blob: ImageDescriptor, opener: Opener, mount_from: str = "") -> None:
        """Mount, or upload in one stream. Each further try looks first whether only the answer was lost, and is else a
        fresh upload from the start."""
        tries = count()

        def once() -> None:
            if next(tries) == 0 or not self.has_blob(image, blob):
                self._write_blob(image, blob, opener, mount_from)

        repeat_on_temporary_error(once, replace(self._retries, total=self._retries.total + blob.size / _SLOWEST))

    def _write_blob(self, image: ImageReference, blob: ImageDescriptor, opener: Opener, mount_from: str) -> None:
        path = "blobs/uploads/"
        if mount_from:
            path += f"?mount={quote(blob.digest, safe='')}&from={quote(mount_from, safe='')}"
        begun = self._ask("POST", image, path, retries=_ONCE)
        if begun.status == 201 and mount_from:
            return
        self._expect(begun, image, 202)
        location = self._own(self._url(image, path), begun.headers.get("location", ""))
        url = f"{location}{'&' if '?' in location else '?'}digest={quote(blob.digest, safe='')}"
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(blob.size),
            **self._headers(image, write=True),
        }
        with opener() as pieces:
            body = verify_while_reading(pieces, blob) if blob.size else b"".join(verify_while_reading(pieces, blob))
            with self._web.stream("PUT", url, headers, body, _limits(blob)) as answer:
                self._after_upload(HttpAnswer(answer.status, answer.headers, b"".join(answer.pieces())), image, blob)

    def _after_upload(self, answer: HttpAnswer, image: ImageReference, blob: ImageDescriptor) -> None:
        """Nothing when the blob is stored. A lost session or an old token is worth another, fresh upload."""
        if answer.status == 201:
            check_digest_reported_by_registry(answer, blob.digest, self._host)
            return
        if answer.status == 401:
            self._auth.answer(image.path, answer.headers.get("www-authenticate", ""), write=True)
        if answer.status in (401, 404, 416):
            raise TemporaryError("the registry lost the upload", where=self._host)
        raise self._refusal(answer, image)

    # --- requests ------------------------------------------------------------------------------------------------

    def _url(self, image: ImageReference, rest: str) -> str:
        return f"{self._origin}/v2/{image.path}/{rest}"

    def _headers(self, image: ImageReference, *, write: bool) -> dict[str, str]:
        header = self._auth.header(image.path, write=write)
        return {"Authorization": header} if header else {}

    def _ask(
        self,
        method: str,
        image: ImageReference,
        rest: str,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes = b"",
        retries: RetryLimits | None = None,
    ) -> HttpAnswer:
        """One small request to the registry itself, with a token if it asks for one, repeated while it is busy."""
        return self._call(method, image, self._url(image, rest), headers, body, retries)

    def _call(
        self,
        method: str,
        image: ImageReference,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        retries: RetryLimits | None = None,
    ) -> HttpAnswer:
        write = method not in ("GET", "HEAD")

        def once() -> HttpAnswer:
            sent = {**headers, **self._headers(image, write=write)}
            answer = self._web.request(method, url, sent, body, _SMALL)
            if answer.status != 401:
                return answer
            granted = self._auth.answer(image.path, answer.headers.get("www-authenticate", ""), write=write)
            return self._web.request(method, url, {**headers, "Authorization": granted}, body, _SMALL)

        return call_with_retries(_lost_is_temporary(once), self._host, retries or self._retries)

    def _is_own(self, url: str) -> bool:
        return url.startswith(f"{self._origin}/")

    def _own(self, base: str, location: str) -> str:
        """A Location, absolute or relative, on this very registry. Raises PermanentError for any other."""
        try:
            url = urljoin(base, location)
        except ValueError:
            url = ""
        if not location or not self._is_own(url):
            raise PermanentError(
                "the registry points to another host for what is its own work, and nothing was sent there",
                where=self._host,
                remedy="set the registry's own address in its configuration (docker-registry: http.relativeurls)",
            )
        return url

    def _expect(self, answer: HttpAnswer, image: ImageReference, status: int) -> None:
        if answer.status != status:
            raise self._refusal(answer, image)

    def _refusal(self, answer: HttpAnswer, image: ImageReference) -> ProviderError:
        return registry_refusal_error(answer, f"{self._host}/{image.path}")


def _lost_is_temporary(call: Callable[[], HttpAnswer]) -> Callable[[], HttpAnswer]:
    """All small requests may be repeated: the only POST begins an upload, and one that nobody continues is nothing."""

    def wrapped() -> HttpAnswer:
        try:
            return call()
        except OutcomeUnknown as error:
            raise TemporaryError(error.message, where=error.where) from None

    return wrapped


def _limits(blob: ImageDescriptor) -> HttpClientLimits:
    return HttpClientLimits(read=60.0, total=60.0 + blob.size / _SLOWEST, max_body=max(blob.size, 1 << 20))
