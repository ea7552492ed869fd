"""Which values of a Secret are no secrets, by where they come from. Pure.

A repository Secret of Argo CD holds a URL and a project besides its password, a TLS Secret a certificate that every
client is shown. To mask those would mask names that pages show anyway. Sources: Argo CD, "Declarative setup"
(Repository credentials, Clusters); Kubernetes, "Secrets" (types) and "Bootstrap tokens".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from planner.redaction.secret_fragments import looks_random

_ARGO_LABEL = "argocd.argoproj.io/secret-type"
_ARGO = frozenset(
    {
        "type", "name", "url", "project", "server", "namespaces", "clusterResources", "shard", "username", "insecure",
        "enableLfs", "enableOCI", "insecureIgnoreHostKey", "forceHttpBasicAuth", "depth", "noProxy", "githubAppID",
        "githubAppInstallationID", "githubAppEnterpriseBaseUrl", "insecureOCIForceHttp", "useAzureWorkloadIdentity",
    }
)  # fmt: skip
_BY_TYPE: Mapping[str, frozenset[str]] = {
    "kubernetes.io/tls": frozenset({"tls.crt", "ca.crt"}),
    "kubernetes.io/service-account-token": frozenset({"namespace", "ca.crt"}),
    "kubernetes.io/basic-auth": frozenset({"username"}),
    "kubernetes.io/ssh-auth": frozenset({"known_hosts"}),
    "bootstrap.kubernetes.io/token": frozenset(
        {
            "description", "token-id", "expiration", "usage-bootstrap-authentication", "usage-bootstrap-signing",
            "auth-extra-groups",
        }
    ),
}  # fmt: skip
_CREDENTIAL = re.compile(r"://[^/\s]*@|[?&#]|\s")  # a password in a URL, what a query may hold, a text of many words


def is_public_by_secret_type_and_key(document: Mapping[str, Any], key: str, value: bytes) -> bool:
    """Whether a value of a Kubernetes Secret is public by the type of the Secret and its key, such as a URL. One that
    holds a password after all, or looks like a token, is not."""
    metadata = document.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    keys = _BY_TYPE.get(str(document.get("type") or ""), frozenset())
    if isinstance(labels, dict) and _ARGO_LABEL in labels:
        keys |= _ARGO
    if key not in keys:
        return False
    if key.endswith(".crt"):
        return b"PRIVATE" not in value
    text = value.decode("utf-8", "replace")
    return not _CREDENTIAL.search(text) and not any(looks_random(word) for word in re.split(r"[/.:@_-]", text))
