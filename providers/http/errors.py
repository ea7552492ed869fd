"""What can go wrong between us and any HTTP server: one class per meaning. Words name a reason, never a URL, a header
or what a server said."""

from __future__ import annotations

from planner.errors import PermanentError, TemporaryError


class Unreachable(TemporaryError):
    """No connection to the server: refused, timed out, name not found."""


class ConnectionLostSafeToResend(Unreachable):
    """The connection broke, and the request may be sent again: it did not reach the server, or repeats no effect."""


class TlsFailed(PermanentError):
    """TLS failed: the certificate is not trusted, or the handshake was refused."""


class UntrustedServerCertificate(TlsFailed):
    """The certificate of the server is not trusted."""


class ClientCertificateRefused(TlsFailed):
    """The server refused the connection by a TLS alert: our certificate is missing, or not one that it trusts."""


class TooLarge(PermanentError):
    """The request is larger than the server takes, or the answer larger than hwplan takes."""


class BrokenAnswer(Exception):
    """What came over a connection is no answer of HTTP, or not all of one. The text is ours and holds nothing of it."""


class ConnectionBroken(Exception):
    """The connection broke. `before` is true when the request cannot have reached the server whole, `stale` when the
    connection was used before and broke before the first byte of the answer. Never leaves a client of this package:
    only who sent the request knows what its loss means."""

    def __init__(self, reason: str, *, before: bool, stale: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.before, self.stale = reason, before, stale


class UndecodableBody(ConnectionBroken):
    """The answer came, and is not in the encoding that its head names: asking again helps nothing, and what the request
    did is not known."""

    remedy = "check what stands before the server: a proxy that changes answers, or a damaged cache"

    def __init__(self, encoding: str) -> None:
        super().__init__(f"the answer is said to be encoded as {encoding}, and is not", before=False)
