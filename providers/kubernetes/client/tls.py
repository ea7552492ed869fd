"""TLS and proxies for one connection: the client context, and the tunnel through the kubeconfig's proxy.

Private keys reach OpenSSL by a file in memory where the system has one. Opens sockets only to the proxy.
"""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from planner.errors import HwplanError
from providers.http.tls import client_tls_context
from providers.kubernetes.client.kubeconfig import ApiServerConnectionSettings


def kubeconfig_tls_context(connection: ApiServerConnectionSettings) -> ssl.SSLContext:
    """A client context for this connection. Trust of the system is loaded only when the kubeconfig names no CA."""
    context = client_tls_context()
    if connection.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif connection.ca:
        try:
            context.load_verify_locations(cadata=connection.ca.decode("ascii"))
        except (ssl.SSLError, UnicodeDecodeError):
            raise HwplanError("its certificate-authority is not PEM", where=f"context {connection.context}") from None
    else:
        context.load_default_certs()
    credentials = connection.credentials
    if credentials.certificate:
        try:
            with _as_file(credentials.certificate + b"\n" + credentials.key) as path:
                context.load_cert_chain(path)
        except ssl.SSLError:
            message = "client-certificate and client-key are not a PEM pair"
            raise HwplanError(message, where=f"context {connection.context}") from None
    return context


@contextlib.contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """A path that holds `content` for a moment: in memory on Linux, elsewhere a file of mode 0600."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("hwplan", os.MFD_CLOEXEC)
        path = f"/proc/self/fd/{handle}"
    else:
        import tempfile

        handle, path = tempfile.mkstemp(prefix="hwplan-")
    try:
        with open(handle, "wb", closefd=False) as file:
            file.write(content)
        yield path
    finally:
        os.close(handle)
        if not path.startswith("/proc/"):
            Path(path).unlink()


def open_proxy_tunnel(proxy: str, host: str, port: int, timeout_seconds: float) -> socket.socket:
    """A tunnel by CONNECT through the http proxy of the kubeconfig's proxy-url."""
    url = urllib.parse.urlsplit(proxy)
    if url.scheme != "http" or not url.hostname:
        raise HwplanError("proxy-url must be http://HOST:PORT", where="kubeconfig")
    headers = {}
    if url.username:
        pair = f"{urllib.parse.unquote(url.username)}:{urllib.parse.unquote(url.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    from http.client import HTTPConnection  # it loads the whole of email, and few clusters stand behind a proxy

    tunnel = HTTPConnection(url.hostname, url.port or 80, timeout=timeout_seconds)
    tunnel.set_tunnel(host, port, headers)
    tunnel.connect()
    sock: socket.socket = tunnel.sock
    return sock
