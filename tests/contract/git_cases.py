"""GitRef and GitCommit, judged over bare repositories; refs also by a Job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from planner.ports import PreviewEffect, Provider
from planner.resource import Resource
from providers.git.git_client import GitClient
from providers.git.kubernetes_push_jobs import KubernetesPushJobs
from providers.git.provider import GitProvider
from providers.git.remotes import RemoteLocations as GitPlaces
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.contract.case import folder_digest
from tests.contract.declared import VAULT
from tests.testbed.git_fixtures import BareRepository
from tests.unit.git.git_world import declare as git_declare
from tests.unit.git.git_world import follow, side


class Refs:
    """GitRef between two bare repositories."""

    vault = VAULT
    effect = PreviewEffect.CREATE
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


class Commits:
    """GitCommit on branches that are not there yet."""

    vault = VAULT
    effect = PreviewEffect.CREATE
    refused_as_a_whole = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mirror = BareRepository.create(folder / "mirror.git")
        self._other = self._mirror.grow("refs/heads/own", "of its own")

    def provider(self) -> Provider:
        return GitProvider(GitClient(), GitPlaces(self._folder), self._folder / "cache")

    def wanted(self) -> Sequence[Resource]:
        spec = {"remote": self._mirror.url, "createBranch": True, "path": "app", "files": {"a": "1"}, "message": "m"}
        return [git_declare("GitCommit", f"c{n}", {**spec, "branch": f"b{n}"}) for n in range(3)]

    def holds(self, resource: Resource) -> bool:
        at = self._mirror.at(f"refs/heads/{resource.manifest['spec']['branch']}")
        return bool(at) and at != self._other and self._mirror.read(at, "app/a") == "1"

    def state(self) -> object:
        return self._mirror.refs()

    def meddle(self, resource: Resource) -> None:
        self._mirror.put(f"refs/heads/{resource.manifest['spec']['branch']}", self._other)

    def break_it(self) -> None:
        self._mirror.path.rename(self._folder / "moved.git")
        self._mirror.path.write_text("no repository")


class JobRefs(Refs):
    """The same, pushed by Jobs on a snapshot cluster, where their part is played."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._cluster = folder / "cluster-of-jobs"
        self._cluster.mkdir()
        create_empty_snapshot(self._cluster, name="sandbox", namespaces=["demo"])

    def provider(self) -> Provider:
        jobs = KubernetesPushJobs(open_snapshot(self._cluster))
        return GitProvider(GitClient(), GitPlaces(self._folder), self._folder / "cache", jobs=jobs)

    def wanted(self) -> Sequence[Resource]:
        return [self._by_job(resource) for resource in super().wanted()]

    def _by_job(self, resource: Resource) -> Resource:
        container = {"name": "push", "image": "registry.example/git:1", "command": ["true"]}
        pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        spec = {**resource.manifest["spec"], "via": "job", "jobTemplate": {"spec": {"template": pod}}}
        return git_declare("GitRef", resource.address.name, spec, namespace="demo")

    def state(self) -> object:
        return super().state(), folder_digest(self._cluster)
