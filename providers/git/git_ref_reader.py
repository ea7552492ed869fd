"""Looks at what a document names: where both refs stand, and how far they are apart. Writes nothing to a remote.

Owns what is asked of which remote, and in which case not at all. What follows from it is `ref_preview.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Literal, TypeAlias

from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError
from planner.values import Json, JsonObject, OutputRef, OutputTemplate, canonical_bytes, encode_special_leaves
from providers.git.checked_names import check_commit_id, check_ref_name
from providers.git.git_failures import GitCommandFailed, GitFailureKind
from providers.git.object_cache import CommitDistance, ObjectCache
from providers.git.ref_listings import RefListings
from providers.git.remotes import GitRemoteUrls, RemoteLocations, UnknownSandboxRemote, resolve_remote

Mode: TypeAlias = Literal["mirror", "fast-forward", "immutable"]


@dataclass(frozen=True, slots=True)
class ResolvedRefSide:
    """One side of a GitRef. `ref` and `commit` are "" where the document does not name them; `open` is the leaf that
    stands in their place until another resource is applied. `hidden` is true where only the cluster can reach it."""

    remote: GitRemoteUrls
    ref: str = ""
    commit: str = ""
    open: OutputRef | OutputTemplate | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class ParsedGitRefSpec:
    """The parsed spec of a GitRef: origin, target and mode. `template` is the jobTemplate of `via: job`, None where we
    push ourselves."""

    origin: ResolvedRefSide
    target: ResolvedRefSide
    mode: Mode
    template: JsonObject | None = field(default=None, repr=False)

    @property
    def creates_only(self) -> bool:
        """Whether the ref may only be created. Tags never move (git-push, "PUSH RULES")."""
        return self.mode == "immutable" or self.target.ref.startswith("refs/tags/")


@dataclass(frozen=True, slots=True)
class ObservedRefAndOrigin:
    """A ref and the origin it is compared with, as they were seen.

    `now` is the commit at the target, "" if there is no such ref, None if nobody looked. `wanted` is the commit
    at the origin, "" if it is not there or not known yet. `distance` is None where the two are not compared, or cannot
    be. `missing` says what the origin does not have. `arriving` is true when a push of the same plan brings the wanted
    commit to the origin. `refused` is what is wrong with the document itself, `unreadable` what kept us from looking.
    """

    wish: ParsedGitRefSpec | None = None
    now: str | None = None
    wanted: str = ""
    distance: CommitDistance | None = None
    uncompared: str = ""
    missing: str = ""
    arriving: bool = False
    refused: PermanentError | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class GitRefReader:
    """Reads the refs that GitRef and GitHead documents name. `arrivals` are commits that pushes of this plan bring to a
    remote. What was seen of a GitRef is remembered, so that its preview is made of exactly what was observed.
    `reported` gives where the targets of Jobs in a namespace stood when one last said so, by URL and ref."""

    places: RemoteLocations
    listings: RefListings
    objects: ObjectCache
    reported: Callable[[str], Mapping[tuple[str, str], str]]
    arrivals: set[tuple[str, str]] = field(default_factory=set)
    _seen: dict[bytes, ObservedRefAndOrigin] = field(default_factory=dict)

    def warm(self, specs: Iterable[JsonObject]) -> None:
        """List all remotes that the specs of these documents name, at once."""
        remotes: list[GitRemoteUrls] = []
        for spec in specs:
            for side in (spec, spec.get("from"), spec.get("to")):
                if isinstance(side, dict) and "remote" in side and not _is_hidden(side, self.places):
                    try:
                        remotes.append(resolve_remote(side, self.places, spec.get("transport") or ""))
                    except PermanentError:
                        continue  # said when that document is looked at
        self.listings.warm(remotes)

    def head(self, spec: JsonObject) -> ObservedRefAndOrigin:
        """The head of a branch, as `now`; or the commit of its history that is read instead."""
        try:
            remote = resolve_remote(spec, self.places)
            ref = check_ref_name(f"refs/heads/{spec.get('branch')}")
            tip = self.listings.of(remote).get(ref, "")
            pinned = str(spec.get("commit") or "")
            return self._pinned(remote, ref, tip, pinned) if tip and pinned else ObservedRefAndOrigin(now=tip)
        except (UnknownSandboxRemote, GitCommandFailed) as error:
            return ObservedRefAndOrigin(unreadable=error.message)
        except PermanentError as error:
            return ObservedRefAndOrigin(refused=error)

    def _pinned(self, remote: GitRemoteUrls, ref: str, tip: str, pinned: str) -> ObservedRefAndOrigin:
        if tip == pinned:
            return ObservedRefAndOrigin(now=pinned)
        self.objects.bring(remote, tip, ref)
        if self.objects.contains(tip, pinned):
            return ObservedRefAndOrigin(now=pinned)
        return ObservedRefAndOrigin(
            now="", missing=f"{pinned[:12]} is not in the history of {ref.removeprefix('refs/heads/')}"
        )

    def ref(self, spec: JsonObject, namespace: str = "") -> ObservedRefAndOrigin:
        """Both sides of a GitRef; `namespace` is that of its Job."""
        key = canonical_bytes([encode_special_leaves(spec), namespace])
        if key not in self._seen:
            self._seen[key] = self._ref(spec, namespace)
        return self._seen[key]

    def forget(self, remote: GitRemoteUrls) -> None:
        """Look afresh the next time, after a push to that remote."""
        self.listings.forget(remote)
        self._seen.clear()

    def _ref(self, spec: JsonObject, namespace: str) -> ObservedRefAndOrigin:
        try:
            wish = parse_git_ref_spec(spec, self.places)
        except UnknownSandboxRemote as error:
            return ObservedRefAndOrigin(unreadable=error.message)
        except PermanentError as error:
            return ObservedRefAndOrigin(refused=error)
        try:
            return self._hidden(wish, namespace) if wish.target.hidden else self._both(wish)
        except ProviderError as error:
            return ObservedRefAndOrigin(wish, unreadable=error.message)

    def _hidden(self, wish: ParsedGitRefSpec, namespace: str) -> ObservedRefAndOrigin:
        """What is known of a target that nobody here can read: the Job that goes there compares and decides."""
        target, origin = wish.target, wish.origin
        now = "" if target.open else self.reported(namespace).get((target.remote.shown, target.ref), "")
        if origin.open or origin.commit:
            return ObservedRefAndOrigin(wish, now, origin.commit)
        wanted = find_commit_of_ref(self.listings.of(origin.remote), origin.ref, target.ref)
        return ObservedRefAndOrigin(wish, now, wanted, missing="" if wanted else _missing_ref(origin))

    def _both(self, wish: ParsedGitRefSpec) -> ObservedRefAndOrigin:
        target, origin = wish.target, wish.origin
        now = "" if target.open else self.listings.of(target.remote).get(target.ref, "")
        if origin.open or origin.hidden:
            return ObservedRefAndOrigin(wish, now, origin.commit)
        refs = self.listings.of(origin.remote)
        wanted = origin.commit or find_commit_of_ref(refs, origin.ref, target.ref)
        arriving = (str(origin.remote.url), wanted) in self.arrivals
        if not wanted or wanted == now:
            return ObservedRefAndOrigin(wish, now, wanted, missing="" if wanted else _missing_ref(origin))
        named = origin.commit and wanted not in refs.values() and not arriving
        if named and not self.objects.exists_at(origin.remote, wanted):
            return ObservedRefAndOrigin(wish, now, wanted, missing=_SNAPSHOT)
        if not now or wish.creates_only:
            return ObservedRefAndOrigin(wish, now, wanted, arriving=arriving)
        try:
            distance = self._compare(wish, wanted, now)
        except GitCommandFailed as error:
            return ObservedRefAndOrigin(wish, now, wanted, uncompared=error.message, arriving=arriving)
        return ObservedRefAndOrigin(
            wish, now, wanted, distance, "" if distance else "the objects do not fit together", arriving=arriving
        )

    def _compare(self, wish: ParsedGitRefSpec, wanted: str, now: str) -> CommitDistance | None:
        self.objects.bring(wish.origin.remote, wanted, wish.origin.ref)
        self.objects.bring(wish.target.remote, now, wish.target.ref)
        return self.objects.distance(wanted, now)


_SNAPSHOT = "source-snapshot-missing"


def _missing_ref(origin: ResolvedRefSide) -> str:
    return "source-ref-missing" if origin.ref.startswith(("refs/heads/", "refs/tags/")) else _SNAPSHOT


def find_commit_of_ref(refs: Mapping[str, str], ref: str, target: str) -> str:
    """The commit that `ref` means to `target`: a branch stands on the commit of an annotated tag, not on the tag."""
    peeled = refs.get(ref + "^{}", "") if target.startswith("refs/heads/") else ""
    return peeled or refs.get(ref, "")


def parse_git_ref_spec(spec: JsonObject, places: RemoteLocations) -> ParsedGitRefSpec:
    """Parse the spec of a GitRef document. Raises PermanentError for what the provider may not do."""
    transport = spec.get("transport") or ""
    origin = _side(spec["from"], places, transport)
    target = _side(spec["to"], places, transport)
    return ParsedGitRefSpec(origin, target, spec["mode"], spec["jobTemplate"] if spec.get("via") == "job" else None)


def _side(side: JsonObject, places: RemoteLocations, transport: str) -> ResolvedRefSide:
    remote = resolve_remote(side, places, transport)
    hidden = _is_hidden(side, places)
    ref, commit = side.get("ref"), side.get("commit")
    for leaf in (ref, commit):
        if isinstance(leaf, OutputRef | OutputTemplate):
            return ResolvedRefSide(remote, open=leaf, hidden=hidden)
    if ref is not None:
        return ResolvedRefSide(remote, ref=check_ref_name(ref), hidden=hidden)
    return ResolvedRefSide(remote, commit=check_commit_id(commit), hidden=hidden)


def _is_hidden(side: JsonObject, places: RemoteLocations) -> bool:
    """In a sandbox nothing is: the folder that stands for a repository can be read."""
    return side.get("reach") == "cluster" and places.simulated is None


def is_missing_commit(error: GitCommandFailed) -> bool:
    """Whether a fetch failed because the remote does not have the commit any more."""
    return error.kind in (GitFailureKind.NO_OBJECT, GitFailureKind.NOT_OFFERED)


def ref_outputs(commit: str, *, in_sync: bool, distance: CommitDistance | None) -> dict[str, Json]:
    """The outputs of a GitRef that stands on `commit`."""
    if in_sync:
        distance = CommitDistance(0, 0)
    return {
        "commit": commit,
        "inSync": in_sync,
        "pendingFlush": not in_sync,
        "ahead": distance.ahead if distance else "unknown",
        "behind": distance.behind if distance else "unknown",
    }
