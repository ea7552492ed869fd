"""The real Argo CD on a cluster of the testbed: application-controller, repo-server, and Redis from Debian.

Owns their processes, ports, folders, and the few objects that they need to start. It makes no Application: a test
creates its own in the namespace `argocd`, for a repository that `git_server.http_server` serves (Argo CD answers
"unexpected EOF" to the dumb protocol).
"""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.testbed import binaries, crds, processes
from tests.testbed.api import Api, ApiError
from tests.testbed.cluster import TestCluster
from tests.testbed.errors import PartMissing
from tests.testbed.processes import Process

NAMESPACE = "argocd"
IN_CLUSTER = "https://kubernetes.default.svc"
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"
_PROJECTS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/appprojects"
_PART_OF = {"app.kubernetes.io/part-of": "argocd"}
RESYNC = 5  # seconds after which an Application is compared again by itself


@dataclass(frozen=True)
class ArgoCd:
    """A running Argo CD: the cluster that it is in and brings Applications to, and the log of its controller."""

    cluster: TestCluster
    log: Path

    @property
    def api(self) -> Api:
        """The administrator's client of the cluster."""
        return self.cluster.api()

    def application(self, name: str) -> Any:
        """An Application as it is now. Raises ApiError."""
        return self.api.get(f"{APPLICATIONS}/{name}")

    def create(self, name: str, source: Mapping[str, Any], namespace: str, **spec: Any) -> Any:
        """Create an Application of `source` (repoURL, path, targetRevision) into a namespace; `spec` is added."""
        body = {"project": "default", "source": dict(source)}
        body["destination"] = {"server": IN_CLUSTER, "namespace": namespace}
        document = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name}}
        return self.api.create(APPLICATIONS, {**document, "spec": {**body, **spec}})

    def delete(self, name: str) -> None:
        """Delete an Application and leave what it made."""
        with suppress(ApiError):
            self.api.delete(f"{APPLICATIONS}/{name}")


@contextmanager
def running(cluster: TestCluster, folder: Path, *, proxy: str = "") -> Iterator[ArgoCd]:
    """Argo CD on `cluster` with its files below `folder`; repositories are asked by way of `proxy` if one is given.

    Raises PartMissing where Redis is not installed.
    """
    redis = shutil.which("redis-server")
    if redis is None:
        raise PartMissing("redis-server is not installed (Debian package redis-server)")
    program = binaries.ensure_one(binaries.ARGOCD, "argocd")
    folder.mkdir(parents=True, exist_ok=True)
    _install(cluster.api())
    store, repo, metrics, controller_metrics = processes.free_ports(4)
    with ExitStack() as stack:

        def start(name: str, argv: list[str], port: int, env: Mapping[str, str] | None = None) -> Process:
            process = processes.start(name, argv, folder / f"{name}.log", env=env)
            stack.callback(processes.stop, process, 2.0)  # the controller does not end by itself
            processes.wait_until(f"{name} listens", lambda: processes.listens(port), process)
            return process

        start("redis", [redis, *_redis_words(folder, store)], store)
        environment = _environment(cluster, folder) | ({"http_proxy": proxy} if proxy else {})
        words = ["--address", "127.0.0.1", "--port", str(repo), "--metrics-port", str(metrics), "--disable-tls"]
        server = [*words, "--redis", f"127.0.0.1:{store}", "--loglevel", "warn"]
        start("repo-server", [_named(folder, program, "argocd-repo-server"), *server], repo, environment)
        controller = _controller_words(repo, store, controller_metrics)
        argv = [_named(folder, program, "argocd-application-controller"), *controller]
        process = start("controller", argv, controller_metrics, environment)
        yield ArgoCd(cluster, process.log)


def _named(folder: Path, program: Path, role: str) -> str:
    """One binary for all roles: its role is the name that it is called by."""
    link = folder / role
    link.unlink(missing_ok=True)
    link.symlink_to(program)
    return str(link)


def _redis_words(folder: Path, port: int) -> list[str]:
    return ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]


def _controller_words(repo: int, store: int, metrics: int) -> list[str]:
    return [
        "--namespace", NAMESPACE, "--repo-server", f"127.0.0.1:{repo}", "--repo-server-plaintext",
        "--redis", f"127.0.0.1:{store}", "--metrics-port", str(metrics), "--app-resync", str(RESYNC),
        "--loglevel", "info", "--repo-server-timeout-seconds", "30",
    ]  # fmt: skip


def _environment(cluster: TestCluster, folder: Path) -> dict[str, str]:
    """Only what Argo CD needs: no proxies, credentials or git configuration of this machine reach it."""
    empty = {name: folder / name for name in ("tls", "ssh", "gnupg", "home", "tmp")}
    for path in empty.values():
        path.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(empty["home"]),
        "TMPDIR": str(empty["tmp"]),
        "KUBECONFIG": str(cluster.kubeconfig),
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_TLS_DATA_PATH": str(empty["tls"]),
        "ARGOCD_SSH_DATA_PATH": str(empty["ssh"]),
        "ARGOCD_GNUPGHOME": str(empty["gnupg"]),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def _install(api: Api) -> None:
    """The official CRDs, and the objects without which the controller does not start."""
    crds.install(api, crds.argo_crds(), deadline=60)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    api.apply(f"/api/v1/namespaces/{NAMESPACE}", body)
    for name in ("argocd-cm", "argocd-rbac-cm", "argocd-cmd-params-cm"):
        data = {"timeout.reconciliation": f"{RESYNC}s"} if name == "argocd-cm" else {}
        _apply(api, "ConfigMap", name, {"data": data})
    _apply(api, "Secret", "argocd-secret", {"stringData": {"server.secretkey": secrets.token_hex(16)}})
    everything = [{"group": "*", "kind": "*"}]
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": everything,
        },
    }
    api.apply(f"{_PROJECTS}/default", project)


def _apply(api: Api, kind: str, name: str, content: Mapping[str, Any]) -> None:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": _PART_OF}
    body = {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}
    api.apply(f"/api/v1/namespaces/{NAMESPACE}/{kind.lower()}s/{name}", body)
