"""The providers that are judged: files, refs of git, images and objects of Kubernetes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from planner.address import address_of
from planner.ports import Provider
from planner.resource import Resource
from planner.source import SourceRef
from planner.values import JsonObject, SecretValue, Vault
from providers.files.places import Places as FilePlaces
from providers.files.provider import LocalFileProvider
from providers.git.client import GitClient
from providers.git.jobs import Jobs
from providers.git.provider import GitProvider
from providers.git.remotes import Places as GitPlaces
from providers.images.provider import ImageProvider
from providers.kubernetes.snapshot.cluster import open_snapshot
from providers.kubernetes.snapshot.creating import create_empty
from providers.sandbox.layout import create_layout
from tests.contract.case import SECRET, Case, tree
from tests.testbed.git_fixtures import BareRepository
from tests.unit.git.git_world import declare as git_declare
from tests.unit.git.git_world import follow, side
from tests.unit.kubernetes.world import World, config, declare, sealed, secret


def _own(kind: str, name: str, spec: dict[str, Any]) -> Resource:
    document: JsonObject = {"apiVersion": "hwplan.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return Resource(address_of(document), "hwplan.dev/v1", document, "demo.D1.v1", "infra", SourceRef("t.yaml"))


_VAULT: Vault = {"file:a#P": SecretValue(SECRET)}


class Files:
    """LocalFile in a folder."""

    vault = _VAULT
    refused_as_a_whole = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "files"
        self._folder.mkdir()

    def provider(self) -> Provider:
        return LocalFileProvider(FilePlaces(self._folder))

    def wanted(self) -> Sequence[Resource]:
        return [_own("LocalFile", f"f{n}", {"path": f"sub/f{n}", "content": f"{n}\n"}) for n in range(3)]

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

    vault = _VAULT
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

    vault = _VAULT
    refused_as_a_whole = False
    _SOURCES = tuple(f"docker.io/library/i{n}:1" for n in range(4))

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        create_layout(folder / "registry", self._SOURCES)

    def provider(self) -> Provider:
        return ImageProvider(self._folder, self._folder)

    def wanted(self) -> Sequence[Resource]:
        return [
            _own("RegistryImage", f"i{n}", {"source": self._SOURCES[n], "target": f"registry.example/own/i{n}:1"})
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


class Objects:
    """ConfigMaps and a Secret on a snapshot cluster. (Kinds that are refused: tests/unit/kubernetes/test_reading.)"""

    vault = _VAULT
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


CASES: Mapping[str, Callable[[Path], Case]] = {
    "files": Files,
    "git": Refs,
    "git by job": JobRefs,
    "images": Images,
    "kubernetes": Objects,
}
