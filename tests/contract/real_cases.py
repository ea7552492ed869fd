"""Worlds of real servers for the contract suite: the API server, git over http and ssh, two image registries.

Each is behind a proxy of the testbed, which can make the network worse.
"""

from __future__ import annotations

import base64
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from planner.ports import PreviewEffect, Provider
from planner.resource import Resource
from planner.values import JsonObject
from providers.git.git_client import GitClient
from providers.git.git_client import GitLimits as GitLimits
from providers.git.provider import GitProvider
from providers.git.remotes import RemoteLocations as GitPlaces
from providers.images.provider import RegistryImageProvider
from providers.kubernetes.client.api_exchange import ApiExchangeLimits
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.client.transport import RetryTimeLimits, Transport
from tests.contract.case import SECRET
from tests.contract.declared import VAULT, own
from tests.testbed.cluster import TestCluster
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.git_server import GitHttp, GitRule, GitSsh
from tests.testbed.http_proxy import HttpFaultProxy, Rule
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.proxy import FaultProxy, Faults
from tests.testbed.small_image import push_small_image
from tests.unit.git.git_world import QUICK, follow, side
from tests.unit.kubernetes.world import World, config, declare, deployment, sealed, secret

_SHORT = RetryTimeLimits(total=5.0, busy=0.5, unreachable=0.2)
_ALWAYS = 10_000  # times


class LiveObjects:
    """ConfigMaps and a Secret in a namespace of the real API server."""

    vault = VAULT
    effect = PreviewEffect.CREATE
    refused_as_a_whole = False
    harms = ("lose-request", "lose-answer", "cut-answer", "silence")

    def __init__(self, cluster: TestCluster, namespace: str, proxy: HttpFaultProxy, before: FaultProxy) -> None:
        self._cluster, self._namespace, self._proxy, self._before = cluster, namespace, proxy, before
        self._user = ""
        self._opened: list[LiveCluster] = []

    def provider(self) -> Provider:
        through = self._cluster.through(self._before.port)
        config_file = self._cluster.kubeconfig_of(self._user) if self._user else through.kubeconfig
        connection = resolve_connection_settings(str(config_file), environ={})
        limits = ApiExchangeLimits(connect=1.0, read=1.0) if self._before.faults.black_hole else ApiExchangeLimits()
        self._opened.append(LiveCluster(connection, transport=Transport(connection, limits=limits, patience=_SHORT)))
        return World(self._opened[-1], dict(self.vault)).provider

    def close(self) -> None:
        """Close every connection."""
        for one in self._opened:
            one.close()

    def wanted(self) -> Sequence[Resource]:
        maps = [declare(config(f"c{n}", {"key": str(n)}, self._namespace)) for n in range(3)]
        return [*maps, declare(secret("s", {"P": sealed("file:a#P", SECRET.decode())}, self._namespace))]

    def never_ready(self) -> Resource:
        """A Deployment: nothing reconciles here."""
        return declare(deployment("d", self._namespace))

    def holds(self, resource: Resource) -> bool:
        found = self._cluster.api().find(self._path(resource))
        if found is None:
            return False
        if resource.address.kind == "Secret":
            return base64.b64decode(found["data"]["P"]) == SECRET
        return bool(found["data"] == resource.manifest["data"])

    def state(self) -> object:
        lists = [self._cluster.api().get(f"{self._root()}/{plural}") for plural in ("configmaps", "secrets")]
        return [
            (one["metadata"]["name"], one["metadata"]["resourceVersion"]) for each in lists for one in each["items"]
        ]

    def meddle(self, resource: Resource) -> None:
        body = config(resource.address.name, {"key": "theirs"}, self._namespace)
        self._cluster.api().create(f"{self._root()}/configmaps", body)

    def break_it(self) -> None:
        self._user = "alice"  # who has no rights

    def harm(self, how: str | None) -> None:
        self._before.faults = Faults(black_hole=how == "silence")
        match how:
            case None | "silence":
                self._proxy.rules = []
            case "lose-request":
                self._proxy.rules = [Rule("lose-request", times=_ALWAYS)]
            case "lose-answer":
                self._proxy.rules = [Rule("lose-answer", times=_ALWAYS, matches=_writes)]
            case _:
                self._proxy.rules = [Rule("cut-answer", times=_ALWAYS, matches=_writes)]

    def _root(self) -> str:
        return f"/api/v1/namespaces/{self._namespace}"

    def _path(self, resource: Resource) -> str:
        return f"{self._root()}/{resource.address.kind.lower()}s/{resource.address.name}"


def _writes(method: str, path: str) -> bool:
    return method not in ("GET", "HEAD") and "dryRun" not in path


class RemoteRefs:
    """GitRef between two bare repositories behind a server. `to_side` gives a side of it by repository and ref."""

    vault = VAULT
    effect = PreviewEffect.CREATE
    refused_as_a_whole = False

    def __init__(
        self,
        folder: Path,
        to_side: Callable[[BareRepository, str], JsonObject],
        harms: Sequence[str],
        harm: Callable[[str | None], None],
    ) -> None:
        self._folder, self._side, self.harms, self._harm = folder, to_side, harms, harm
        self._limits = GitLimits()
        self._upstream = BareRepository.create(folder / "upstream.git")
        self._mirror = BareRepository.create(folder / "mirror.git")
        self._commits = [self._upstream.grow(f"refs/heads/a{n}", f"{n}", size=20_000) for n in range(3)]
        self._other = self._mirror.grow("refs/heads/own", "of its own")

    def provider(self) -> Provider:
        client = GitClient(self._limits, sleep=lambda _seconds: None)
        return GitProvider(client, GitPlaces(self._folder), self._folder / "cache")

    def wanted(self) -> Sequence[Resource]:
        return [
            follow(
                self._side(self._upstream, f"refs/heads/{a}"), self._side(self._mirror, f"refs/heads/{b}"), name=name
            )
            for a, b, name in (("a0", "b0", "r0"), ("a1", "b1", "r1"), ("a2", "b2", "r2"))
        ]

    def holds(self, resource: Resource) -> bool:
        at = self._mirror.at(resource.manifest["spec"]["to"]["ref"])
        return at == self._commits[int(resource.address.name[1:])]

    def state(self) -> object:
        return self._upstream.refs(), self._mirror.refs()

    def meddle(self, resource: Resource) -> None:
        self._mirror.put(resource.manifest["spec"]["to"]["ref"], self._other)

    def break_it(self) -> None:
        self._mirror.path.rename(self._folder / "moved.git")
        self._mirror.path.write_text("no repository")

    def harm(self, how: str | None) -> None:
        self._limits = GitLimits(listing=1.0, moving=1.0) if how == "silence" else GitLimits()
        self._harm(how)


def refs_over_http(folder: Path, server: GitHttp) -> RemoteRefs:
    """Behind `git http-backend`; `server.root` is the folder."""

    def harm(how: str | None) -> None:
        match how:
            case None:
                server.rules = []
            case "lose-request":
                server.rules = [GitRule("lose-request", times=_ALWAYS)]
            case "lose-answer":
                server.rules = [GitRule("lose-answer", times=_ALWAYS, matches=_pushes)]
            case _:
                server.rules = [GitRule("cut-answer", times=_ALWAYS, matches=_pushes)]

    def to_side(repository: BareRepository, ref: str) -> JsonObject:
        return side(server.url(repository.path.name), ref, retry=QUICK)

    return RemoteRefs(folder, to_side, ("lose-request", "lose-answer", "cut-answer"), harm)


def _pushes(method: str, path: str) -> bool:
    return method == "POST" and path.endswith("git-receive-pack")


def refs_over_ssh(folder: Path, server: GitSsh, proxy: FaultProxy) -> RemoteRefs:
    """Behind a real sshd, reached through the proxy."""
    settings: JsonObject = {"knownHosts": server.known_hosts(proxy.port), "identityFile": str(server.identity)}
    faults = {"nothing": Faults(refuse=True), "silence": Faults(black_hole=True),
              "in the push": Faults(reset_after_up=20_000)}  # fmt: skip

    def harm(how: str | None) -> None:
        proxy.faults = faults[how] if how else Faults()

    def to_side(repository: BareRepository, ref: str) -> JsonObject:
        return side(server.url(repository.path, proxy.port), ref, ssh=settings, retry=QUICK)

    return RemoteRefs(folder, to_side, tuple(faults), harm)


class LiveImages:
    """RegistryImage from one docker-registry to another, which is reached through the proxy."""

    vault = VAULT
    effect = PreviewEffect.CREATE
    refused_as_a_whole = False
    _FAULTS: Mapping[str, Faults] = {
        "nothing": Faults(refuse=True),
        "before the first answer": Faults(reset_after=0),
        "in the upload": Faults(reset_after_up=300),
    }
    harms = tuple(_FAULTS)

    def __init__(
        self, folder: Path, name: str, source: ImageRegistry, target: ImageRegistry, proxy: FaultProxy
    ) -> None:
        self._folder, self._name, self._source, self._target, self._proxy = folder, name, source, target, proxy
        self._digests = [push_small_image(source, f"{name}/i{n}", "1") for n in range(3)]

    def provider(self) -> Provider:
        return RegistryImageProvider(self._folder)

    def wanted(self) -> Sequence[Resource]:
        host = f"127.0.0.1:{self._proxy.port}"
        return [
            own("RegistryImage", f"i{n}",
                {"source": f"{self._source.host}/{self._name}/i{n}:1", "target": f"{host}/{self._name}/own{n}:1"})
            for n in range(3)
        ]  # fmt: skip

    def holds(self, resource: Resource) -> bool:
        number = int(resource.address.name[1:])
        return self._at(number) == self._digests[number]

    def state(self) -> object:
        return [self._at(number) for number in range(3)]

    def meddle(self, resource: Resource) -> None:
        push_small_image(self._target, f"{self._name}/own{resource.address.name[1:]}", "1")

    def break_it(self) -> None:
        self._proxy.faults = Faults(cut_after=10)

    def harm(self, how: str | None) -> None:
        self._proxy.faults = self._FAULTS[how] if how else Faults()
        self._proxy.drop_connections()

    def _at(self, number: int) -> str:
        url = f"http://{self._target.host}/v2/{self._name}/own{number}/manifests/1"
        accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, method="HEAD", headers=accept), timeout=30
            ) as answer:
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            assert error.code == 404
            return ""
