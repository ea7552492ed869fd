"""The client side of TLS that every transport of the providers starts from: TLS 1.2 or newer, no descriptor lost.

Whom to trust and what to present is the transport's to add. Opens no connection.
"""

from __future__ import annotations

import errno
import os
import ssl
from typing import Any


class ClosingTlsSocket(ssl.SSLSocket):
    """A TLS socket that closes itself when its peer is gone before the handshake.

    `SSLContext.wrap_socket` takes over the descriptor, then asks for the peer, and raises without closing when it reads
    a reset: nobody could close the descriptor any more.
    """

    def getpeername(self) -> Any:
        """The address of the peer. Raises ConnectionResetError, and closes, when there is no peer any more."""
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None


def client_tls_context() -> ssl.SSLContext:
    """A new client context that checks certificate and host name, and trusts nobody yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = ClosingTlsSocket
    return context
