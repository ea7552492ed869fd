"""The command lines of etcd and of the Kubernetes control plane, and the files that they read.

Owns every flag and file format: tokens, audit policy, kubeconfigs. It starts nothing and keeps no state.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.testbed import binaries
from tests.testbed.certificates import KeyPair

SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc"
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "rules": [{"level": "Metadata"}],
}


def etcd(data: Path, port: int, peer_port: int) -> list[str]:
    """Return the command line of an etcd that does not wait for the disk."""
    peer = f"http://127.0.0.1:{peer_port}"
    return [
        str(binaries.ensure_one(binaries.ETCD, "etcd")),
        f"--data-dir={data}",
        "--name=testbed",
        f"--listen-client-urls=http://127.0.0.1:{port}",
        f"--advertise-client-urls=http://127.0.0.1:{port}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=testbed={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(
    data: Path, port: int, etcd_port: int, pair: KeyPair, client_ca: Path, extra: Sequence[str] = ()
) -> list[str]:
    """Return the command line of an API server with RBAC, whose files are below `data`; `extra` flags come last."""
    flags = {
        "etcd-servers": f"http://127.0.0.1:{etcd_port}",
        "secure-port": port,
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "endpoint-reconciler-type": "none",
        "cert-dir": data / "pki",
        "tls-cert-file": pair.certificate,
        "tls-private-key-file": pair.key,
        "client-ca-file": client_ca,
        "service-account-issuer": SERVICE_ACCOUNT_ISSUER,
        "service-account-key-file": data / "pki" / "service-accounts.key",
        "service-account-signing-key-file": data / "pki" / "service-accounts.key",
        "authorization-mode": "RBAC",
        "token-auth-file": data / "tokens.csv",
        "disable-admission-plugins": "ServiceAccount",
        "service-cluster-ip-range": "10.96.0.0/16",
        # Services are reached as their type says: one of type ExternalName leads to a webhook on this machine.
        "enable-aggregator-routing": "false",
        "allow-privileged": "true",
        "kubelet-preferred-address-types": "InternalIP",
        "audit-policy-file": data / "audit-policy.json",
        "audit-log-path": data / "audit.log",
        "audit-log-maxsize": 0,
    }
    return [str(_kubernetes("kube-apiserver")), *_flags(flags), *extra]


def controller_manager(data: Path, port: int, kubeconfig: Path, authority: Path) -> list[str]:
    """Return the command line of a controller manager that leads at once and is not held back by client limits."""
    flags = _client_flags(kubeconfig, port) | {
        "service-account-private-key-file": data / "pki" / "service-accounts.key",
        "root-ca-file": authority,
        "cert-dir": data / "pki",
    }
    return [str(_kubernetes("kube-controller-manager")), *_flags(flags)]


def scheduler(data: Path, port: int, kubeconfig: Path) -> list[str]:
    """Return the command line of a scheduler that leads at once."""
    return [str(_kubernetes("kube-scheduler")), *_flags(_client_flags(kubeconfig, port) | {"cert-dir": data / "pki"})]


def write_tokens(path: Path, users: Iterable[tuple[str, str, Sequence[str]]]) -> None:
    """Write the token file of the API server: token, user name, groups."""
    rows = [f'{token},{user},{user},"{",".join(groups)}"' for token, user, groups in users]
    path.write_text("\n".join(rows) + "\n")


def write_audit_policy(path: Path) -> None:
    """Write the audit policy: who asked for what, for every request, and never a body."""
    path.write_text(json.dumps(_AUDIT_POLICY))


def write_kubeconfig(path: Path, server: str, authority: Path, user: Mapping[str, str], name: str = "testbed") -> Path:
    """Write a kubeconfig with one cluster, one user (a `token`, or client certificate files) and one context."""
    cluster = {
        "server": server,
        "certificate-authority-data": base64.b64encode(authority.read_bytes()).decode(),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": dict(user)}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    path.write_text(json.dumps(config, indent=2) + "\n")
    path.chmod(0o600)
    return path


def _client_flags(kubeconfig: Path, port: int) -> dict[str, object]:
    return {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "leader-elect": "false",
        "kube-api-qps": 300,
        "kube-api-burst": 600,
    }


def _flags(values: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]


def _kubernetes(name: str) -> Path:
    return binaries.ensure_one(binaries.KUBERNETES, name)
