"""The provider of GitHead, GitRef and GitCommit.

One per command; lists every remote once for a plan, and afresh for an apply.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from shutil import rmtree

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.errors import PermanentError
from planner.plan import Change
from planner.ports import NeverDeletes, Observation, Preview, Readiness, ReadResult, Written
from planner.resource import Resource
from planner.user_cache_folder import user_cache_folder
from planner.values import Vault
from providers.git import ref_preview
from providers.git.commit_maker import parse_git_commit_spec
from providers.git.commit_preview import ObservedCommitBranch, observation_of_git_commit, preview_git_commit
from providers.git.git_client import GitClient
from providers.git.git_ref_reader import GitRefReader, ParsedGitRefSpec, parse_git_ref_spec
from providers.git.kubernetes_push_jobs import KubernetesPushJobs
from providers.git.object_cache import ObjectCache
from providers.git.push_by_job import push_job_readiness, push_jobs_of_connected_cluster, start_push_job
from providers.git.push_ref import push_ref
from providers.git.read_and_push_git_commit import GitCommitBranchReader, push_commit
from providers.git.ref_listings import RefListings
from providers.git.remotes import RemoteLocations, open_remote_locations
from providers.provider_tools import ProviderTools


def create_git_provider(tools: ProviderTools) -> GitProvider:
    """The provider of GitHead, GitRef and GitCommit for one command. Raises PermanentError when the sandbox's list of
    repositories is damaged."""
    return GitProvider(
        GitClient(), open_remote_locations(tools.folder, tools.sandbox), jobs=KubernetesPushJobs(tools.api)
    )


class GitProvider(NeverDeletes):
    """Reads git branches, and pushes refs and commits (planner.ports.Provider). `cache` holds objects between runs; a
    sandbox gets one that ends with the command. `jobs` are those of the cluster, for `via: job`."""

    def __init__(
        self,
        client: GitClient,
        places: RemoteLocations,
        cache: Path | None = None,
        *,
        jobs: KubernetesPushJobs | None = None,
    ) -> None:
        self._client = client
        self._places = places
        self._jobs = jobs
        self._pushed: dict[tuple[str, str], str] = {}  # remote and ref -> the commit that this plan brought there
        self._reports: dict[str, Mapping[tuple[str, str], str]] = {}
        self._objects = ObjectCache(client, cache or self._cache())
        listings = RefListings(client.list_refs)
        self._eyes = GitRefReader(places, listings, self._objects, self._reported)
        self._commits = GitCommitBranchReader(places, listings, client, self._objects)

    def _reported(self, namespace: str) -> Mapping[tuple[str, str], str]:
        if namespace not in self._reports:
            self._reports[namespace] = push_jobs_of_connected_cluster(self._jobs).known(namespace)
        return self._reports[namespace]

    def _cache(self) -> Path:
        if self._places.simulated is None:
            return user_cache_folder("git")
        folder = Path(tempfile.mkdtemp(prefix="hwplan-git-"))
        weakref.finalize(self, rmtree, folder, ignore_errors=True)
        return folder

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider."""
        self._eyes.warm(resource.manifest["spec"] for resource in wanted)
        return ReadResult({resource.address: self._observe(resource) for resource in wanted})

    def _observe(self, resource: Resource) -> Observation:
        spec = resource.manifest["spec"]
        if resource.address.kind == "GitHead":
            return ref_preview.observation_of_git_head(resource.address, self._eyes.head(spec))
        if resource.address.kind == "GitCommit":
            return observation_of_git_commit(resource.address, self._commits.look(spec))
        return ref_preview.observation_of_git_ref(resource.address, self._eyes.ref(spec, resource.address.namespace))

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider."""
        return {resource.address: self._preview(resource) for resource, _ in items}

    def _preview(self, resource: Resource) -> Preview:
        spec = resource.manifest["spec"]
        if resource.address.kind == "GitHead":
            return ref_preview.preview_read_only_git_head(resource, self._eyes.head(spec))
        if resource.address.kind == "GitCommit":
            return self._preview_commit(self._commits.look(spec))
        look = self._eyes.ref(spec, resource.address.namespace)
        preview = ref_preview.preview_git_ref(look)
        if look.wish is None or preview.blocked or not preview.expects:
            return preview
        if look.wish.template is not None:
            preview = ref_preview.add_push_job_to_preview(resource.address, look.wish, look.now or "", preview)
        self._eyes.arrivals.add((str(look.wish.target.remote.url), preview.expects))
        return preview

    def _preview_commit(self, look: ObservedCommitBranch) -> Preview:
        preview = preview_git_commit(look)
        if look.wish is not None and preview.expects and not preview.blocked:
            self._eyes.arrivals.add((str(look.wish.remote.url), preview.expects))
        return preview

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Pushes one ref or has a Job push it, or finds it done."""
        if change.address.kind == "GitCommit":
            return self._commit(change)
        if change.address.kind != "GitRef" or change.desired is None:
            raise PermanentError(f"a {change.address.kind} changes nothing", where=str(change.address))
        wish = parse_git_ref_spec(change.desired["spec"], self._places)
        if wish.origin.open or wish.target.open:
            raise PermanentError("an output that it takes is still unknown", where=str(change.address))
        try:
            if wish.template is not None:
                return start_push_job(
                    change, wish, self._client, self._objects, push_jobs_of_connected_cluster(self._jobs)
                )
            return self._push(change, wish)
        finally:
            self._eyes.forget(wish.target.remote)
            self._reports.clear()

    def _commit(self, change: Change) -> Written:
        wish = parse_git_commit_spec((change.desired or {})["spec"], self._places)
        try:
            return push_commit(change, wish, self._client, self._objects)
        finally:
            self._eyes.forget(wish.remote)
            self._commits.forget()

    def _push(self, change: Change, wish: ParsedGitRefSpec) -> Written:
        ref = str(wish.target.remote.url), wish.target.ref
        written = push_ref(change, wish, self._client, self._objects, ours=self._pushed.get(ref, ""))
        self._pushed[ref] = str(written.outputs.get("commit") or "")
        return written

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """A ref that we pushed was read back: there is nothing to wait for. One that a Job pushes is looked after."""
        return {change.address: self._ready(change) for change in changes}

    def _ready(self, change: Change) -> Readiness:
        spec = (change.desired or {}).get("spec") or {}
        if spec.get("via") != "job":
            return Readiness(done=True, ok=True)
        wish = parse_git_ref_spec(spec, self._places)
        return push_job_readiness(change, wish, self._client, self._objects, push_jobs_of_connected_cluster(self._jobs))
