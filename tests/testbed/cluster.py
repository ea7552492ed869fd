"""A Kubernetes cluster of real parts on 127.0.0.1: etcd, API server, controllers, and kwok for the kubelet.

Owns the order in which they start and stop, and the value that tests get. Command lines are in `control_plane.py` and
`kwok.py`; what a process is, in `processes.py`.
"""

import json
import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from tests.testbed import binaries, control_plane, kwok, processes, scratch
from tests.testbed.api import Api
from tests.testbed.certificates import Authority, KeyPair, create_authority, create_signing_key
from tests.testbed.errors import TestbedError
from tests.testbed.processes import Process

ADMIN = "admin"
# Users with a token and no rights: a test binds a role to them.
PLAIN_USERS = ("alice", "bob", "carol")
_COMPONENTS = ("system:kube-controller-manager", "system:kube-scheduler", "kwok")


@dataclass(frozen=True)
class TestCluster:
    """What a test needs to know to talk to a cluster, and nothing that changes while it runs."""

    __test__: ClassVar[bool] = False

    server: str
    kubeconfig: Path
    data: Path
    tokens: Mapping[str, str]
    controllers: bool
    etcd: str

    @property
    def token(self) -> str:
        """The token of the administrator (group `system:masters`)."""
        return self.tokens[ADMIN]

    @property
    def authority(self) -> Authority:
        """The certificate authority that the cluster trusts; it signs server certificates for webhooks and proxies."""
        return Authority(KeyPair(self.data / "pki" / "ca.crt", self.data / "pki" / "ca.key"))

    @property
    def ca(self) -> Path:
        """The file to verify the API server against."""
        return self.authority.bundle

    @property
    def audit_log(self) -> Path:
        """The log with a line for each stage of each request; `audit.py` reads it."""
        return self.data / "audit.log"

    @property
    def pod_log(self) -> Path:
        """The file that every container has as its log: a test may append `kwok.log_lines(...)` to it."""
        return kwok.pod_log(self.data / "kwok")

    @property
    def kubectl(self) -> Path:
        """The kubectl of the same version, built when first asked for."""
        return binaries.ensure_one(binaries.KUBERNETES, "kubectl")

    def api(self, user: str = ADMIN) -> Api:
        """Return a client that asks as one of the users that have a token."""
        return Api(self.server, self.ca, self.tokens[user])

    def run_kubectl(self, *arguments: str, stdin: str = "", timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator and return what it said; the caller checks the exit code."""
        argv = [
            str(self.kubectl),
            f"--kubeconfig={self.kubeconfig}",
            f"--cache-dir={self.data / 'kubectl'}",
            *arguments,
        ]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=timeout)

    def kubeconfig_of(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Write a kubeconfig for a user: by token if it has one, else by a new client certificate with `groups`."""
        path = self.data / f"kubeconfig-{user.replace(':', '-')}"
        if user in self.tokens:
            credentials = {"token": self.tokens[user]}
        else:
            pair = self.authority.client(self.data / "pki", user, groups)
            credentials = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        return control_plane.write_kubeconfig(path, self.server, self.ca, credentials)

    def through(self, port: int) -> "TestCluster":
        """Return this cluster as seen through a proxy on another port of 127.0.0.1, with a kubeconfig of its own."""
        server = f"https://127.0.0.1:{port}"
        path = self.data / f"kubeconfig-port-{port}"
        control_plane.write_kubeconfig(path, server, self.ca, {"token": self.token})
        return replace(self, server=server, kubeconfig=path)

    def service_account_token(self, namespace: str, name: str, seconds: int = 3600) -> str:
        """Return a new token of a service account, which is created if it does not exist."""
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        if self.api().find(f"{accounts}/{name}") is None:
            self.api().create(accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        token: str = self.api().create(f"{accounts}/{name}/token", request)["status"]["token"]
        return token

    def to_json(self) -> str:
        """Return this value as text, for another process."""
        return json.dumps(
            {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        )

    @classmethod
    def from_json(cls, text: str) -> "TestCluster":
        """Return the value that `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        values |= {name: Path(values[name]) for name in ("kubeconfig", "data")}
        return cls(**values)


@dataclass
class RunningCluster:
    """The processes of a cluster. It is the only place that starts and stops them."""

    value: TestCluster
    ports: Mapping[str, int]
    pair: KeyPair
    detached: bool = False
    on_start: Callable[[Process], None] = lambda _process: None
    api_server_flags: tuple[str, ...] = ()
    processes: dict[str, Process] = field(default_factory=dict)

    def start_api_server(self) -> None:
        """Start the API server, again after a stop too, and wait until it is ready."""
        data, ports = self.value.data, self.ports
        command = control_plane.api_server(
            data, ports["api"], ports["etcd"], self.pair, self.value.ca, self.api_server_flags
        )
        server = self._start("kube-apiserver", command)
        processes.wait_until("the API server is ready", self._ready, server)

    def stop_api_server(self, *, crash: bool = False) -> None:
        """Stop the API server, or kill it as a crash would."""
        end = processes.kill if crash else processes.stop
        end(self.processes.pop("kube-apiserver"))

    def stop(self) -> None:
        """Stop everything in the order that ends soonest: clients, API server, etcd."""
        for name in list(reversed(self.processes)):
            processes.stop(self.processes.pop(name))

    def _start(self, name: str, command: Sequence[str]) -> Process:
        log = self.value.data / "logs" / f"{name}.log"
        process = processes.start(name, command, log, detached=self.detached)
        self.processes[name] = process
        self.on_start(process)
        return process

    def _ready(self) -> bool:
        with suppress(OSError):
            return self.value.api().raw("GET", "/readyz")[0] == 200
        return False

    def start_etcd(self) -> None:
        """Start etcd and wait until it listens."""
        command = control_plane.etcd(self.value.data / "etcd", self.ports["etcd"], self.ports["etcd-peer"])
        etcd = self._start("etcd", command)
        processes.wait_until("etcd listens", lambda: processes.listens(self.ports["etcd"]), etcd)

    def start_controllers(self) -> None:
        """Start controller manager, scheduler and kwok, and wait until the nodes are Ready."""
        value, ports = self.value, self.ports
        configs = [value.kubeconfig_of(user) for user in _COMPONENTS]
        manager = control_plane.controller_manager(value.data, ports["manager"], configs[0], value.ca)
        self._start("kube-controller-manager", manager)
        self._start("kube-scheduler", control_plane.scheduler(value.data, ports["scheduler"], configs[1]))
        kubelet = self._start("kwok", kwok.command(configs[2], value.data / "kwok", ports["kubelet"], self.pair))
        for name in kwok.NODES:
            value.api().create("/api/v1/nodes", kwok.node(name))
        processes.wait_until("the nodes are Ready", lambda: _nodes_ready(value.api()), kubelet)


def start(
    data: Path,
    *,
    controllers: bool = True,
    detached: bool = False,
    on_start: Callable[[Process], None] = lambda _process: None,
    api_server_flags: Sequence[str] = (),
) -> RunningCluster:
    """Start a cluster whose files are all below `data`; with `controllers=False`, only etcd and the API server."""
    cluster = _prepare(data, controllers)
    cluster.detached, cluster.on_start, cluster.api_server_flags = detached, on_start, tuple(api_server_flags)
    try:
        cluster.start_etcd()
        cluster.start_api_server()
        if controllers:
            cluster.start_controllers()
        _wait_populated(cluster.value)
    except BaseException:
        cluster.stop()
        raise
    return cluster


@contextmanager
def running(*, controllers: bool = True, api_server_flags: Sequence[str] = ()) -> Iterator[RunningCluster]:
    """Run a cluster in a temporary folder for as long as the block lasts."""
    with scratch.folder() as data:
        cluster = start(data, controllers=controllers, api_server_flags=api_server_flags)
        try:
            yield cluster
        finally:
            cluster.stop()


def _prepare(data: Path, controllers: bool) -> RunningCluster:
    """Write the files of a cluster and choose its ports."""
    pki = data / "pki"
    authority = create_authority(pki)
    pair = authority.server(pki, "server", ["kubernetes.default.svc"])
    create_signing_key(pki / "service-accounts.key")
    tokens = {user: secrets.token_hex(16) for user in (ADMIN, *PLAIN_USERS, *_COMPONENTS)}
    masters = {ADMIN, *_COMPONENTS}
    rows = [(token, user, ["system:masters"] if user in masters else []) for user, token in tokens.items()]
    control_plane.write_tokens(data / "tokens.csv", rows)
    control_plane.write_audit_policy(data / "audit-policy.json")
    names = ("etcd", "etcd-peer", "api", "manager", "scheduler", "kubelet")
    ports = dict(zip(names, processes.free_ports(len(names)), strict=True))
    server = f"https://127.0.0.1:{ports['api']}"
    kubeconfig = data / "kubeconfig"
    control_plane.write_kubeconfig(kubeconfig, server, authority.bundle, {"token": tokens[ADMIN]})
    value = TestCluster(server, kubeconfig, data, tokens, controllers, f"http://127.0.0.1:{ports['etcd']}")
    return RunningCluster(value, ports, pair)


def _wait_populated(value: TestCluster) -> None:
    """Wait for what every client takes for granted: the first namespaces, and the default service account."""
    api = value.api()
    for namespace in ("default", "kube-system"):
        api.wait(f"/api/v1/namespaces/{namespace}")
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    if not value.controllers:
        api.create(accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}})
    api.wait(f"{accounts}/default")


def _nodes_ready(api: Api) -> bool:
    nodes = api.get("/api/v1/nodes")["items"]
    ready = [
        node
        for node in nodes
        for condition in node["status"].get("conditions", [])
        if condition["type"] == "Ready" and condition["status"] == "True"
    ]
    if len(nodes) != len(kwok.NODES):
        raise TestbedError(f"the cluster has {len(nodes)} nodes, not {len(kwok.NODES)}")
    return len(ready) == len(nodes)
