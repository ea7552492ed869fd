"""The providers that are judged: files, refs, images, objects of REST APIs and of Kubernetes, runs over those."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner.address import Address, address_of
from planner.ports import Effect, Provider
from planner.resource import Resource
from planner.source import SourceRef
from planner.values import JsonObject, Sealed, SecretValue, Vault
from providers.files.places import Places as FilePlaces
from providers.files.provider import LocalFileProvider
from providers.git.client import GitClient
from providers.git.jobs import Jobs
from providers.git.provider import GitProvider
from providers.git.remotes import Places as GitPlaces
from providers.images.provider import ImageProvider
from providers.kubernetes.operations.marking import TEMPLATE_PATH, mark_of, marked
from providers.kubernetes.operations.restart import RestartProvider
from providers.kubernetes.operations.retention import RetentionProvider
from providers.kubernetes.snapshot.cluster import open_snapshot
from providers.kubernetes.snapshot.creating import create_empty
from providers.kubernetes.snapshot.playing import play
from providers.rest.api import WebApi
from providers.rest.provider import RestProvider
from providers.rest.secrets import Secrets
from providers.sandbox.layout import create_layout
from providers.web.client import WebClient
from providers.web.retrying import Retries
from tests.contract.case import SECRET, Case, VaultSource, tree
from tests.contract.commands import Commands
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.rest_server import rest_server
from tests.unit.git.git_world import declare as git_declare
from tests.unit.git.git_world import follow, side
from tests.unit.kubernetes.world import PRINTS, World, config, declare, deployment, sealed, secret


def own(kind: str, name: str, spec: dict[str, Any]) -> Resource:
    document: JsonObject = {"apiVersion": "hwplan.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return Resource(address_of(document), "hwplan.dev/v1", document, "demo.D1.v1", "infra", SourceRef("t.yaml"))


VAULT: Vault = {"file:a#P": SecretValue(SECRET)}


class Files:
    """LocalFile in a folder."""

    vault = VAULT
    effect = Effect.CREATE
    refused_as_a_whole = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "files"
        self._folder.mkdir()

    def provider(self) -> Provider:
        return LocalFileProvider(FilePlaces(self._folder))

    def wanted(self) -> Sequence[Resource]:
        return [own("LocalFile", f"f{n}", {"path": f"sub/f{n}", "content": f"{n}\n"}) for n in range(3)]

    def _path(self, resource: Resource) -> Path:
        return self._folder / str(resource.manifest["spec"]["path"])

    def holds(self, resource: Resource) -> bool:
        path = self._path(resource)
        return path.is_file() and path.read_text() == resource.manifest["spec"]["content"]

    def state(self) -> object:
        return tree(self._folder)

    def meddle(self, resource: Resource) -> None:
        self._path(resource).parent.mkdir(exist_ok=True)
        self._path(resource).write_text("theirs")

    def break_it(self) -> None:
        (self._folder / "sub").write_text("no folder")


class Refs:
    """GitRef between two bare repositories."""

    vault = VAULT
    effect = Effect.CREATE
    refused_as_a_whole = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._upstream = BareRepository.create(folder / "upstream.git")
        self._mirror = BareRepository.create(folder / "mirror.git")
        self._commit = self._upstream.grow("refs/heads/main", "first")
        self._other = self._mirror.grow("refs/heads/own", "of its own")

    def provider(self) -> Provider:
        return GitProvider(GitClient(), GitPlaces(self._folder), self._folder / "cache")

    def wanted(self) -> Sequence[Resource]:
        origin = side(self._upstream.url)
        return [follow(origin, side(self._mirror.url, f"refs/heads/b{n}"), name=f"r{n}") for n in range(3)]

    def holds(self, resource: Resource) -> bool:
        return self._mirror.at(resource.manifest["spec"]["to"]["ref"]) == self._commit

    def state(self) -> object:
        return self._upstream.refs(), self._mirror.refs()

    def meddle(self, resource: Resource) -> None:
        self._mirror.put(resource.manifest["spec"]["to"]["ref"], self._other)

    def break_it(self) -> None:
        self._mirror.path.rename(self._folder / "moved.git")
        self._mirror.path.write_text("no repository")


class JobRefs(Refs):
    """The same, pushed by Jobs on a snapshot cluster, where their part is played."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._cluster = folder / "cluster-of-jobs"
        self._cluster.mkdir()
        create_empty(self._cluster, name="sandbox", namespaces=["demo"])

    def provider(self) -> Provider:
        jobs = Jobs(open_snapshot(self._cluster))
        return GitProvider(GitClient(), GitPlaces(self._folder), self._folder / "cache", jobs=jobs)

    def wanted(self) -> Sequence[Resource]:
        return [self._by_job(resource) for resource in super().wanted()]

    def _by_job(self, resource: Resource) -> Resource:
        container = {"name": "push", "image": "registry.example/git:1", "command": ["true"]}
        pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        spec = {**resource.manifest["spec"], "via": "job", "jobTemplate": {"spec": {"template": pod}}}
        return git_declare("GitRef", resource.address.name, spec, namespace="demo")

    def state(self) -> object:
        return super().state(), tree(self._cluster)


class Images:
    """RegistryImage in the OCI layout of a sandbox."""

    vault = VAULT
    effect = Effect.CREATE
    refused_as_a_whole = False
    _SOURCES = tuple(f"docker.io/library/i{n}:1" for n in range(4))

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        create_layout(folder / "registry", self._SOURCES)

    def provider(self) -> Provider:
        return ImageProvider(self._folder, self._folder)

    def wanted(self) -> Sequence[Resource]:
        return [
            own("RegistryImage", f"i{n}", {"source": self._SOURCES[n], "target": f"registry.example/own/i{n}:1"})
            for n in range(3)
        ]

    def _index(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._folder / "registry/index.json").read_bytes())
        return found

    def _digests(self) -> Mapping[str, str]:
        return {
            row["annotations"]["org.opencontainers.image.ref.name"]: row["digest"] for row in self._index()["manifests"]
        }

    def holds(self, resource: Resource) -> bool:
        spec, digests = resource.manifest["spec"], self._digests()
        return digests.get(spec["target"]) == digests[spec["source"]]

    def state(self) -> object:
        return self._digests()

    def meddle(self, resource: Resource) -> None:
        index = self._index()
        name = "org.opencontainers.image.ref.name"
        theirs = next(row for row in index["manifests"] if row["annotations"][name] == self._SOURCES[3])
        index["manifests"].append({**theirs, "annotations": {name: resource.manifest["spec"]["target"]}})
        (self._folder / "registry/index.json").write_text(json.dumps(index))

    def break_it(self) -> None:
        (self._folder / "registry/index.json").write_text("{")


class RestObjects:
    """RestObject on a real HTTP server; the last one has a secret field, and all need a token."""

    effect = Effect.CREATE
    refused_as_a_whole = False
    _TOKEN = "file:a#TOKEN"

    def __init__(self, folder: Path) -> None:
        self.vault: Vault = {**VAULT, self._TOKEN: SecretValue(SECRET[::-1])}
        self._open = ExitStack()
        self._server = self._open.enter_context(rest_server(token=SECRET[::-1].decode(), masked=("api_key",)))

    def close(self) -> None:
        """Stop the server."""
        self._open.close()

    def provider(self) -> Provider:
        secrets = Secrets(VaultSource(self.vault), PRINTS)
        quickly = Retries(tries=2, sleep=lambda _seconds: None)
        return RestProvider(WebApi(WebClient(), secrets, quickly), secrets, quickly)

    def wanted(self) -> Sequence[Resource]:
        auth = {"secret": "ns/s", "value": Sealed(self._TOKEN, "")}
        spec = {"baseUrl": self._server.url, "path": "/api/things", "key": "name", "auth": auth}
        named = {"api_key": {"secret": "ns/s", "key": "P"}}
        bodies = [{"name": f"r{n}", "size": {"big": n}} for n in range(3)]
        api_key = sealed("file:a#P", SECRET.decode())
        hidden = {"body": {**bodies[2], "api_key": api_key}, "secrets": named, "fingerprints": "notes"}
        return [
            *(own("RestObject", f"r{n}", {**spec, "body": bodies[n]}) for n in range(2)),
            own("RestObject", "r2", {**spec, **hidden}),
        ]

    def _find(self, resource: Resource) -> JsonObject | None:
        found = (one for one in self._server.objects("things") if one["name"] == resource.address.name)
        return next(found, None)

    def holds(self, resource: Resource) -> bool:
        one = self._find(resource)
        secret = resource.address.name != "r2" or (one or {}).get("api_key") == SECRET.decode()
        return one is not None and one["size"] == resource.manifest["spec"]["body"]["size"] and secret

    def state(self) -> object:
        return json.dumps(self._server.objects("things"))

    def meddle(self, resource: Resource) -> None:
        self._server.put("things", name=resource.address.name, size={"big": -1})

    def break_it(self) -> None:
        self._server.token = "another"


class Objects:
    """ConfigMaps and a Secret on a snapshot cluster. (Kinds that are refused: tests/unit/kubernetes/test_reading.)"""

    vault = VAULT
    effect = Effect.CREATE
    refused_as_a_whole = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "cluster-of-test"
        self._folder.mkdir()
        create_empty(self._folder, name="sandbox", namespaces=["demo"])

    def _world(self) -> World:
        return World(open_snapshot(self._folder), dict(self.vault))

    def provider(self) -> Provider:
        return self._world().provider

    def wanted(self) -> Sequence[Resource]:
        maps = [declare(config(f"c{n}", {"key": str(n)})) for n in range(2)]
        return [*maps, declare(secret("s", {"P": sealed("file:a#P", SECRET.decode())}))]

    def holds(self, resource: Resource) -> bool:
        world = self._world()
        if not world.is_there(str(resource.address)):
            return False
        live = world.live(str(resource.address))
        return resource.address.kind == "Secret" or bool(live["data"] == resource.manifest["data"])

    def state(self) -> object:
        return tree(self._folder)

    def meddle(self, resource: Resource) -> None:
        self._world().apply([declare(config(resource.address.name, {"key": "theirs"}), owned_by="somebody.else.x")])

    def break_it(self) -> None:
        self._world().apply(self.wanted())
        for path in self._folder.rglob("*.yaml"):
            if path.stem in ("c0", "c1", "s"):
                path.write_text("{")


class _Runs:
    """Runs over objects of a snapshot cluster; `_objects` are live before anything is planned."""

    vault = VAULT
    effect = Effect.RUN
    refused_as_a_whole = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "cluster-of-test"
        self._folder.mkdir()
        create_empty(self._folder, name="sandbox", namespaces=["demo"])
        self._world().apply([declare(one) for one in self._objects()])

    def _objects(self) -> list[JsonObject]:
        raise NotImplementedError

    def _world(self) -> World:
        return World(open_snapshot(self._folder), dict(self.vault))

    def state(self) -> object:
        return tree(self._folder)

    def break_it(self) -> None:
        for path in self._folder.rglob("*.yaml"):
            if path.stem.startswith("o"):
                path.write_text("{")


class Restarts(_Runs):
    """Restart of Deployments that follow a Secret."""

    def _objects(self) -> list[JsonObject]:
        return [*(deployment(f"o{n}") for n in range(3)), secret("s", {"P": sealed("file:a#P", SECRET.decode())})]

    def provider(self) -> Provider:
        return RestartProvider(open_snapshot(self._folder), PRINTS)

    def wanted(self) -> Sequence[Resource]:
        return [
            own("Restart", f"r{n}", {"target": f"Deployment.apps/demo/o{n}", "on": ["Secret/demo/s"]}) for n in range(3)
        ]

    def _mark(self, resource: Resource) -> str:
        live = self._world().live(str(resource.manifest["spec"]["target"]), "apps/v1")
        return marked(live, mark_of(resource.address.name), TEMPLATE_PATH)

    def holds(self, resource: Resource) -> bool:
        return self._mark(resource).startswith("Secret/demo/s=")

    def meddle(self, resource: Resource) -> None:
        target = Address.parse(str(resource.manifest["spec"]["target"]))
        mark = f"metadata.annotations[{mark_of(resource.address.name)}]"
        play(self._folder, target, {mark: "theirs"}, "somebody")


class Retentions(_Runs):
    """Retention of Jobs, which end at once in a snapshot."""

    def _objects(self) -> list[JsonObject]:
        pod = {"containers": [{"name": "c", "image": "registry.example/c:1"}], "restartPolicy": "Never"}
        return [
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"name": f"o{n}-{m}", "namespace": "demo"},
                "spec": {"template": {"spec": pod}},
            }
            for n in range(3)
            for m in range(2)
        ]

    def provider(self) -> Provider:
        return RetentionProvider(open_snapshot(self._folder), lambda: datetime.now(UTC))

    def wanted(self) -> Sequence[Resource]:
        selector = {"apiVersion": "batch/v1", "kind": "Job", "namespace": "demo"}
        return [
            own("Retention", f"r{n}", {"selector": {**selector, "namePrefix": f"o{n}"}, "keep": 0, "minAge": "0s"})
            for n in range(3)
        ]

    def holds(self, resource: Resource) -> bool:
        prefix = resource.manifest["spec"]["selector"]["namePrefix"]
        return not any(self._world().is_there(f"Job.batch/demo/{prefix}-{m}", "batch/v1") for m in range(2))

    def meddle(self, resource: Resource) -> None:
        prefix = resource.manifest["spec"]["selector"]["namePrefix"]
        play(self._folder, Address.parse(f"Job.batch/demo/{prefix}-1"), {"spec.activeDeadlineSeconds": 7}, "somebody")


CASES: Mapping[str, Callable[[Path], Case]] = {
    "commands": Commands,
    "files": Files,
    "git": Refs,
    "git by job": JobRefs,
    "images": Images,
    "kubernetes": Objects,
    "restart": Restarts,
    "retention": Retentions,
    "rest": RestObjects,
}
