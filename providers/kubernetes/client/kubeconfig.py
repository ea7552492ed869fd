"""Where the cluster is and how to prove who we are: kubeconfig files, or the service account of a pod.

Owns the meaning of one context for tokens, client certificates and basic auth, by own code: importing the `kubernetes`
package costs 0.2 s. Users with `exec` or `auth-provider` are handed to `kubernetes.config`, and what comes out is
checked, because its failures are swallowed. Opens no connection, prints nothing; no error and no repr holds a
credential.
"""

from __future__ import annotations

import base64
import os
import re
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import cast

from planner.dataclass import dataclass
from planner.errors import HwplanError, SelectionError
from planner.redaction.redactor import REDACTOR
from providers.kubernetes.client.kubeconfig_files import (
    KubeconfigEntry,
    MergedKubeconfig,
    kubeconfig_files,
    merge_kubeconfigs,
    raise_kubeconfig_error,
)

_POD_FILES = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LOOPBACK = re.compile(r"^http://(127\.\d+\.\d+\.\d+|\[::1\]|localhost)(:|/|$)")
_AUTHORIZATION = re.compile(r"^(Bearer|Basic) [\x21-\x7e]+$")
_HEADER_TEXT = re.compile(r"^[\x21-\x7e][\x20-\x7e]*$")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are: at most one Authorization header and one client certificate (PEM), and headers to act as another.

    `token_file` is read again while we run, because tokens of pods are rotated.
    """

    authorization: str = field(default="", repr=False)
    token_file: str = ""
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    impersonate: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ApiServerConnectionSettings:
    """Address, trust, proxy and credentials with which one API server is reached; opens no connection. `ca` is PEM,
    empty for the trust of the system; `renew` gets credentials anew."""

    server: str
    ca: bytes = field(default=b"", repr=False)
    credentials: Credentials = Credentials()
    tls_server_name: str = ""
    proxy: str = field(default="", repr=False)  # may hold a password
    insecure: bool = False
    namespace: str = "default"
    context: str = ""
    renew: Callable[[], Credentials] | None = field(default=None, repr=False, compare=False)

    @property
    def host(self) -> str:
        """`host:port` of the server, for display."""
        parts = urllib.parse.urlsplit(self.server)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def resolve_connection_settings(
    kubeconfig: str = "", context: str = "", *, environ: Mapping[str, str] | None = None, pod: Path = _POD_FILES
) -> ApiServerConnectionSettings:
    """The connection that the options and the environment select.

    In this order: the file `kubeconfig`; the files of `$KUBECONFIG`; `~/.kube/config`; the service account of the pod.
    Raises ConfigError for a bad file, SelectionError for an unknown context, HwplanError when there is nothing at all.
    """
    environ = os.environ if environ is None else environ
    files = kubeconfig_files(kubeconfig, environ)
    if not files:
        return _in_cluster(environ, pod, context)
    merged = merge_kubeconfigs(files)
    name = context or merged.current
    if not name:
        raise_kubeconfig_error(files[0], "no current-context is set", "choose one with --context")
    return _connection(merged, name, files)


def namespace_of_context(
    kubeconfig: str = "", context: str = "", *, environ: Mapping[str, str] | None = None, pod: Path = _POD_FILES
) -> str:
    """The namespace of the context that `resolve_connection_settings` chooses, without asking for credentials. Raises
    as it does."""
    environ = os.environ if environ is None else environ
    files = kubeconfig_files(kubeconfig, environ)
    if not files:
        return _in_cluster(environ, pod, context).namespace
    merged = merge_kubeconfigs(files)
    found = merged.contexts.get(context or merged.current)
    return (found.text("namespace") if found else "") or "default"


def _in_cluster(environ: Mapping[str, str], pod: Path, context: str) -> ApiServerConnectionSettings:
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (pod / "token").is_file() or context:
        remedy = "give --kubeconfig FILE, set KUBECONFIG, or run `hwplan snapshot` to plan without a cluster"
        raise HwplanError("no kubeconfig, and this is not a pod with a service account", remedy=remedy)
    namespace = pod / "namespace"
    return ApiServerConnectionSettings(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        ca=(pod / "ca.crt").read_bytes(),
        credentials=Credentials(token_file=str(pod / "token")),
        namespace=namespace.read_text().strip() if namespace.is_file() else "default",
        context="in-cluster",
    )


def _connection(merged: MergedKubeconfig, name: str, files: tuple[Path, ...]) -> ApiServerConnectionSettings:
    context = merged.contexts.get(name)
    if context is None:
        known = ", ".join(sorted(merged.contexts)) or "none"
        where = os.pathsep.join(str(file) for file in files)
        raise SelectionError(f"no context named {name!r}", where=where, remedy=f"contexts are: {known}")
    cluster = merged.clusters.get(context.text("cluster"))
    if cluster is None:
        raise_kubeconfig_error(context.file, f"{context.label}: there is no cluster named {context.text('cluster')!r}")
    user = merged.users.get(context.text("user"))
    if context.text("user") and user is None:
        raise_kubeconfig_error(context.file, f"{context.label}: there is no user named {context.text('user')!r}")
    credentials, renew = _credentials(user, name, files) if user else (Credentials(), None)
    server = _server(cluster)
    if server.startswith("http://") and credentials != Credentials() and not _LOOPBACK.match(server):
        raise_kubeconfig_error(cluster.file, f"{cluster.label}: credentials are not sent over http", "use https")
    return ApiServerConnectionSettings(
        server=server,
        ca=cluster.pem("certificate-authority"),
        credentials=credentials,
        tls_server_name=cluster.text("tls-server-name"),
        proxy=_proxy(cluster),
        insecure=cluster.body.get("insecure-skip-tls-verify") is True,
        namespace=context.text("namespace") or "default",
        context=name,
        renew=renew,
    )


def _proxy(cluster: KubeconfigEntry) -> str:
    proxy = cluster.text("proxy-url")
    if "@" in proxy:
        REDACTOR.learn(proxy.encode())
        REDACTOR.learn(urllib.parse.unquote(proxy.rpartition("@")[0].rpartition(":")[2]).encode())
    return proxy


def _server(cluster: KubeconfigEntry) -> str:
    server = cluster.text("server").rstrip("/")
    try:
        parts = urllib.parse.urlsplit(server)
        usable = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not _HEADER_TEXT.match(server) or " " in server:
        raise_kubeconfig_error(cluster.file, f"{cluster.label}: server must be https://HOST[:PORT]")
    if parts.username is not None or parts.query or parts.fragment:
        raise_kubeconfig_error(cluster.file, f"{cluster.label}: server must not hold credentials or a query")
    return server


def _credentials(
    user: KubeconfigEntry, context: str, files: tuple[Path, ...]
) -> tuple[Credentials, Callable[[], Credentials] | None]:
    if user.body.get("exec") or user.body.get("auth-provider"):

        def renew() -> Credentials:
            return _from_library(user, context, files)

        return renew(), renew
    certificate, key = user.pem("client-certificate"), user.pem("client-key")
    REDACTOR.learn(key)
    if bool(certificate) != bool(key):
        raise_kubeconfig_error(user.file, f"{user.label}: client-certificate and client-key go together")
    token_file = user.text("tokenFile")
    return (
        Credentials(
            authorization="" if token_file else _authorization(user),
            token_file=str(user.path(token_file)) if token_file else "",
            certificate=certificate,
            key=key,
            impersonate=_impersonate(user),
        ),
        None,
    )


def _authorization(user: KubeconfigEntry) -> str:
    token, name = user.text("token"), user.text("username")
    REDACTOR.learn(token.encode())
    REDACTOR.learn(user.text("password").encode())
    if token:
        header = f"Bearer {token}"
    elif name:
        header = "Basic " + base64.b64encode(f"{name}:{user.text('password')}".encode()).decode()
    else:
        return ""
    if not _AUTHORIZATION.match(header):
        raise_kubeconfig_error(user.file, f"{user.label}: the token holds characters that no token has")
    return header


def _impersonate(user: KubeconfigEntry) -> tuple[tuple[str, str], ...]:
    headers = [("Impersonate-User", user.text("as")), ("Impersonate-Uid", user.text("as-uid"))]
    groups = user.body.get("as-groups")
    headers += [("Impersonate-Group", str(group)) for group in groups] if isinstance(groups, list) else []
    found = tuple((name, value) for name, value in headers if value)
    if any(not _HEADER_TEXT.match(value) for _, value in found):
        raise_kubeconfig_error(user.file, f"{user.label}: `as` holds characters that no name has")
    return found


def _from_library(user: KubeconfigEntry, context: str, files: tuple[Path, ...]) -> Credentials:
    """Credentials of an exec plugin or auth provider, by the kubernetes package; its error texts stay there."""
    import logging

    from kubernetes import client, config

    how = "exec" if user.body.get("exec") else "auth-provider"
    settings = client.Configuration()
    settings.api_key = {}
    previous = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # the library logs what the plugin printed
    try:
        load = cast(Callable[..., None], config.load_kube_config)
        load(os.pathsep.join(str(file) for file in files), context, settings, persist_config=False)
    except Exception as error:  # any error of any plugin
        raise_kubeconfig_error(user.file, f"{user.label}: {how} gave no credentials ({type(error).__name__})")
    finally:
        logging.disable(previous)
    authorization = settings.api_key.get("BearerToken") or settings.api_key.get("authorization") or ""
    certificate = Path(settings.cert_file).read_bytes() if settings.cert_file else b""
    key = Path(settings.key_file).read_bytes() if settings.key_file else b""
    REDACTOR.learn(authorization.rpartition(" ")[2].encode())
    REDACTOR.learn(key)
    if not _AUTHORIZATION.match(authorization) and not (certificate and key):
        raise_kubeconfig_error(
            user.file, f"{user.label}: {how} gave no credentials", "run the plugin by hand, or log in again"
        )
    return Credentials(authorization, certificate=certificate, key=key, impersonate=_impersonate(user))
