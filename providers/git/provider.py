"""The provider of GitHead and GitRef. One per command; lists every remote once for a plan, and afresh for an apply."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from shutil import rmtree

from planner.address import Address
from planner.caches import cache_folder
from planner.errors import PermanentError
from planner.plan import Change
from planner.ports import Observation, Preview, Readiness, ReadResult, Written
from planner.resource import Resource
from planner.snapshot import KindPlace
from planner.values import Vault
from providers.git import deciding
from providers.git.client import GitClient
from providers.git.delegating import delegate, look_after, needs_jobs
from providers.git.jobs import Jobs
from providers.git.listings import Listings
from providers.git.looking import Eyes, read_wish
from providers.git.objects import Objects
from providers.git.pushing import move
from providers.git.remotes import Places, open_places
from providers.registry import Tools


def create(tools: Tools) -> GitProvider:
    """The provider of one command. Raises PermanentError when the sandbox's list of repositories is damaged."""
    return GitProvider(GitClient(), open_places(tools.folder, tools.sandbox), jobs=Jobs(tools.api))


class GitProvider:
    """See planner.ports.Provider. `cache` holds objects between runs; a sandbox gets one that ends with the command.
    `jobs` are those of the cluster, for `via: job`."""

    def __init__(
        self, client: GitClient, places: Places, cache: Path | None = None, *, jobs: Jobs | None = None
    ) -> None:
        self._client = client
        self._places = places
        self._jobs = jobs
        self._reports: dict[str, Mapping[tuple[str, str], str]] = {}
        self._objects = Objects(client, cache or self._cache())
        self._eyes = Eyes(places, Listings(client.list_refs), self._objects, self._reported)

    def _reported(self, namespace: str) -> Mapping[tuple[str, str], str]:
        if namespace not in self._reports:
            self._reports[namespace] = needs_jobs(self._jobs).known(namespace)
        return self._reports[namespace]

    def _cache(self) -> Path:
        if self._places.simulated is None:
            return cache_folder("git")
        folder = Path(tempfile.mkdtemp(prefix="hwplan-git-"))
        weakref.finalize(self, rmtree, folder, ignore_errors=True)
        return folder

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindPlace]) -> ReadResult:
        """See Provider."""
        self._eyes.warm(resource.manifest["spec"] for resource in wanted)
        return ReadResult({resource.address: self._observe(resource) for resource in wanted})

    def _observe(self, resource: Resource) -> Observation:
        spec = resource.manifest["spec"]
        if resource.address.kind == "GitHead":
            return deciding.observe_head(resource.address, self._eyes.head(spec))
        return deciding.observe_ref(resource.address, self._eyes.ref(spec, resource.address.namespace))

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider."""
        return {resource.address: self._preview(resource) for resource, _ in items}

    def _preview(self, resource: Resource) -> Preview:
        spec = resource.manifest["spec"]
        if resource.address.kind == "GitHead":
            return deciding.preview_head(resource, self._eyes.head(spec))
        look = self._eyes.ref(spec, resource.address.namespace)
        preview = deciding.preview_ref(look)
        if look.wish is None or preview.blocked or not preview.expects:
            return preview
        if look.wish.template is not None:
            preview = deciding.with_job(resource.address, look.wish, look.now or "", preview)
        self._eyes.arrivals.add((str(look.wish.target.remote.url), preview.expects))
        return preview

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Pushes one ref or has a Job push it, or finds it done."""
        if change.address.kind != "GitRef" or change.desired is None:
            raise PermanentError(f"a {change.address.kind} changes nothing", where=str(change.address))
        wish = read_wish(change.desired["spec"], self._places)
        if wish.origin.open or wish.target.open:
            raise PermanentError("an output that it takes is still unknown", where=str(change.address))
        try:
            if wish.template is not None:
                return delegate(change, wish, self._client, self._objects, needs_jobs(self._jobs))
            return move(change, wish, self._client, self._objects)
        finally:
            self._eyes.forget(wish.target.remote)
            self._reports.clear()

    def delete(self, change: Change) -> Written:
        """Always raises PermanentError: refs are not deleted."""
        raise PermanentError("refs of git are not deleted by hwplan", where=str(change.address))

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """A ref that we pushed was read back: there is nothing to wait for. One that a Job pushes is looked after."""
        return {change.address: self._ready(change) for change in changes}

    def _ready(self, change: Change) -> Readiness:
        spec = (change.desired or {}).get("spec") or {}
        if spec.get("via") != "job":
            return Readiness(done=True, ok=True)
        wish = read_wish(spec, self._places)
        return look_after(change, wish, self._client, self._objects, needs_jobs(self._jobs))
