"""Downloading a published manifest through the web client: bounded, and only ever to be compared with a digest."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from planner.errors import PermanentError

_MOST_BYTES = 32 << 20
_MOST_REDIRECTS = 5


def download_manifest(url: str) -> bytes:
    """Download the body of `url` over HTTP. Follows redirects, never from https to http; sends no credentials.

    Raises ProviderError when there is no answer, and PermanentError for any status but 200.
    """
    from providers.web.bounded_http_client import BoundedHttpClient, HttpClientLimits

    client = BoundedHttpClient(HttpClientLimits(max_body=_MOST_BYTES))
    try:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = client.request("GET", url)
            if answer.status == 200:
                return answer.body
            url = _next(url, answer.status, answer.headers.get("location", ""))
    finally:
        client.close()
    raise PermanentError(f"more than {_MOST_REDIRECTS} redirects", where=urlsplit(url).netloc)


def _next(url: str, status: int, location: str) -> str:
    host = urlsplit(url).netloc
    if status not in (301, 302, 303, 307, 308) or not location:
        raise PermanentError(f"{host} answered {status}", where=host)
    found = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(found).scheme != "https":
        raise PermanentError(f"{host} redirects from https to another scheme", where=host)
    return found
