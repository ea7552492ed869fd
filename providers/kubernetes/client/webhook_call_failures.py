"""Why an API server's call of a webhook failed, or gave no answer that it could use, and what to do about it. Pure.

Source of the words: apiserver `admission/plugin/webhook`, `util/webhook`, Go `net`, `crypto/x509`, `net/http`.
The URL that the server called stands in its message and is not passed on: it may hold a token.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from providers.kubernetes.client.safe_server_text import safe_server_line
from providers.kubernetes.errors import WebhookDown

_FAILED = re.compile(
    r'failed calling webhook "(?P<admission>[^"]*)"|conversion webhook for (?P<conversion>.{1,200}?) failed: '
)
_URL = re.compile(r'"[^"\s]*://[^"\s]*"')
_PODS = "look at its pods and Service"
_CABUNDLE = "the caBundle of the webhook configuration must be the CA of the certificate its server shows"
# The first that fits. Each: what the server writes, what is said of it, the remedy.
_CAUSES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str], str], ...] = (
    (re.compile(r'service "(?P<name>[^"]{1,253})" not found'),
     lambda found: f"its Service {safe_server_line(found['name'])} does not exist",
     "install its Service, or remove the webhook"),
    (re.compile(r'no endpoints available for service "(?P<name>[^"]{1,253})"'),
     lambda found: f"its Service {safe_server_line(found['name'])} has no ready pod", _PODS),
    (re.compile(r"(?:no service port|service port) .{0,80}?not found|no service port \d+ found"),
     "its Service has no such port", "compare the port of the webhook configuration with the Service"),
    (re.compile(r"x509: (?P<why>[^\"\n]{1,200})"),
     lambda found: f"its certificate is refused: {safe_server_line(found['why'])}", _CABUNDLE),
    (re.compile(r"unable to load root certificates"), "its caBundle holds no certificate", _CABUNDLE),
    (re.compile(r"tls: [^\"\n]{1,200}|gave HTTP response to HTTPS client"), "the TLS handshake failed", _PODS),
    (re.compile(r"connection refused"), "the connection was refused", _PODS),
    (re.compile(r"no such host|server misbehaving"), "its host name cannot be resolved",
     "check the url or the Service of the webhook configuration"),
    (re.compile(r"no route to host|network is unreachable|host is down"), "there is no route to it", _PODS),
    (re.compile(r"context deadline exceeded|Client\.Timeout|i/o timeout|timed? ?out", re.IGNORECASE), "it timed out",
     "look at its pods, Service and NetworkPolicies"),
    (re.compile(r"connection reset|: EOF$|broken pipe|server closed"), "it closed the connection", _PODS),
    (re.compile(r"could not find the requested resource"), "its server knows no such path (404)",
     "compare the path of the webhook configuration with its server"),
    (re.compile(r"(?:response code|status code)\D{0,3}(?P<code>\d{3})"),
     lambda found: f"its server answered {found['code']}", _PODS),
    (re.compile(r"an error on the server|Internal Server Error|unknown reason"), "its server answered with an error",
     "look at the log of its pods"),
    (re.compile(r"expected response|invalid webhook response|received invalid|couldn't|unmarshal|invalid conver",
                re.IGNORECASE), "its answer is not of the expected form", "look at the version of its server"),
)  # fmt: skip


def webhook_call_failure(code: int, message: str, where: str) -> WebhookDown | None:
    """The error of an answer with this status and message, or None when no webhook is at fault."""
    match = _FAILED.search(message) if code >= 500 else None
    if match is None:
        return None
    name = match["admission"] or match["conversion"] or ""
    why, remedy = _cause(_URL.sub("", message[match.end() :]))
    return WebhookDown(f'webhook "{safe_server_line(name)}" failed: {why}', webhook=name, where=where, remedy=remedy)


def _cause(words: str) -> tuple[str, str]:
    for pattern, reported, remedy in _CAUSES:
        if found := pattern.search(words):
            return (reported if isinstance(reported, str) else reported(found)), remedy
    return "it does not answer", _PODS
