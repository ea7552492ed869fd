"""Looks at what a document names: where both refs stand, and how far they are apart. Writes nothing to a remote.

Owns what is asked of which remote, and in which case not at all. What follows from it is `deciding.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from planner.errors import PermanentError, ProviderError
from planner.values import Json, JsonObject, Ref, Sub, canonical, encode
from providers.git.failures import GitFailed, Kind
from providers.git.listings import Listings
from providers.git.names import check_commit, check_ref
from providers.git.objects import Distance, Objects
from providers.git.remotes import NoSuchPlace, Places, Remote, remote_of

Mode: TypeAlias = Literal["mirror", "fast-forward", "immutable"]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a GitRef. `ref` and `commit` are "" where the document does not name them; `open` is the leaf that
    stands in their place until another resource is applied. `hidden` is true where only the cluster can reach it."""

    remote: Remote
    ref: str = ""
    commit: str = ""
    open: Ref | Sub | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """A GitRef as a checked value. `template` is the jobTemplate of `via: job`, None where we push ourselves."""

    origin: Side
    target: Side
    mode: Mode
    template: JsonObject | None = field(default=None, repr=False)

    @property
    def creates_only(self) -> bool:
        """Whether the ref may only be created. Tags never move (git-push, "PUSH RULES")."""
        return self.mode == "immutable" or self.target.ref.startswith("refs/tags/")


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen. `now` is the commit at the target, "" if there is no such ref, None if nobody looked.

    `wanted` is the commit at the origin, "" if it is not there or not known yet. `distance` is None where the two are
    not compared, or cannot be. `missing` says what the origin does not have. `arriving` is true when a push of the same
    plan brings the wanted commit to the origin. `refused` is what is wrong with the document itself, `unreadable` what
    kept us from looking.
    """

    wish: Wish | None = None
    now: str | None = None
    wanted: str = ""
    distance: Distance | None = None
    uncompared: str = ""
    missing: str = ""
    arriving: bool = False
    refused: PermanentError | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Eyes:
    """What looking needs. `arrivals` are commits that pushes of this plan bring to a remote. What was seen of a GitRef
    is remembered, so that its preview is made of exactly what was observed. `reported` gives where the targets of Jobs
    in a namespace stood when one last said so, by URL and ref."""

    places: Places
    listings: Listings
    objects: Objects
    reported: Callable[[str], Mapping[tuple[str, str], str]]
    arrivals: set[tuple[str, str]] = field(default_factory=set)
    _seen: dict[bytes, Look] = field(default_factory=dict)

    def warm(self, specs: Iterable[JsonObject]) -> None:
        """List all remotes that the specs of these documents name, at once."""
        remotes: list[Remote] = []
        for spec in specs:
            for side in (spec, spec.get("from"), spec.get("to")):
                if isinstance(side, dict) and "remote" in side and not _is_hidden(side, self.places):
                    try:
                        remotes.append(remote_of(side, self.places, spec.get("transport") or ""))
                    except PermanentError:
                        continue  # said when that document is looked at
        self.listings.warm(remotes)

    def head(self, spec: JsonObject) -> Look:
        """The head of a branch, as `now`."""
        try:
            remote = remote_of(spec, self.places)
            ref = check_ref(f"refs/heads/{spec.get('branch')}")
            return Look(now=self.listings.of(remote).get(ref, ""))
        except (NoSuchPlace, GitFailed) as error:
            return Look(unreadable=error.message)
        except PermanentError as error:
            return Look(refused=error)

    def ref(self, spec: JsonObject, namespace: str = "") -> Look:
        """Both sides of a GitRef; `namespace` is that of its Job."""
        key = canonical([encode(spec), namespace])
        if key not in self._seen:
            self._seen[key] = self._ref(spec, namespace)
        return self._seen[key]

    def forget(self, remote: Remote) -> None:
        """Look afresh the next time, after a push to that remote."""
        self.listings.forget(remote)
        self._seen.clear()

    def _ref(self, spec: JsonObject, namespace: str) -> Look:
        try:
            wish = read_wish(spec, self.places)
        except NoSuchPlace as error:
            return Look(unreadable=error.message)
        except PermanentError as error:
            return Look(refused=error)
        try:
            return self._hidden(wish, namespace) if wish.target.hidden else self._both(wish)
        except ProviderError as error:
            return Look(wish, unreadable=error.message)

    def _hidden(self, wish: Wish, namespace: str) -> Look:
        """What is known of a target that nobody here can read: the Job that goes there compares and decides."""
        target, origin = wish.target, wish.origin
        now = "" if target.open else self.reported(namespace).get((target.remote.shown, target.ref), "")
        if origin.open or origin.commit:
            return Look(wish, now, origin.commit)
        wanted = find(self.listings.of(origin.remote), origin.ref, target.ref)
        return Look(wish, now, wanted, missing="" if wanted else _missing_ref(origin))

    def _both(self, wish: Wish) -> Look:
        target, origin = wish.target, wish.origin
        now = "" if target.open else self.listings.of(target.remote).get(target.ref, "")
        if origin.open or origin.hidden:
            return Look(wish, now, origin.commit)
        refs = self.listings.of(origin.remote)
        wanted = origin.commit or find(refs, origin.ref, target.ref)
        arriving = (str(origin.remote.url), wanted) in self.arrivals
        if not wanted or wanted == now:
            return Look(wish, now, wanted, missing="" if wanted else _missing_ref(origin))
        named = origin.commit and wanted not in refs.values() and not arriving
        if named and not self.objects.exists_at(origin.remote, wanted):
            return Look(wish, now, wanted, missing=_SNAPSHOT)
        if not now or wish.creates_only:
            return Look(wish, now, wanted, arriving=arriving)
        try:
            distance = self._compare(wish, wanted, now)
        except GitFailed as error:
            return Look(wish, now, wanted, uncompared=error.message, arriving=arriving)
        return Look(
            wish, now, wanted, distance, "" if distance else "the objects do not fit together", arriving=arriving
        )

    def _compare(self, wish: Wish, wanted: str, now: str) -> Distance | None:
        self.objects.bring(wish.origin.remote, wanted, wish.origin.ref)
        self.objects.bring(wish.target.remote, now, wish.target.ref)
        return self.objects.distance(wanted, now)


_SNAPSHOT = "source-snapshot-missing"


def _missing_ref(origin: Side) -> str:
    return "source-ref-missing" if origin.ref.startswith(("refs/heads/", "refs/tags/")) else _SNAPSHOT


def find(refs: Mapping[str, str], ref: str, target: str) -> str:
    """The commit that `ref` means to `target`: a branch stands on the commit of an annotated tag, not on the tag."""
    peeled = refs.get(ref + "^{}", "") if target.startswith("refs/heads/") else ""
    return peeled or refs.get(ref, "")


def read_wish(spec: JsonObject, places: Places) -> Wish:
    """A GitRef's spec as a checked value. Raises PermanentError for what the provider may not do."""
    transport = spec.get("transport") or ""
    origin = _side(spec["from"], places, transport)
    target = _side(spec["to"], places, transport)
    return Wish(origin, target, spec["mode"], spec["jobTemplate"] if spec.get("via") == "job" else None)


def _side(side: JsonObject, places: Places, transport: str) -> Side:
    remote = remote_of(side, places, transport)
    hidden = _is_hidden(side, places)
    ref, commit = side.get("ref"), side.get("commit")
    for leaf in (ref, commit):
        if isinstance(leaf, Ref | Sub):
            return Side(remote, open=leaf, hidden=hidden)
    if ref is not None:
        return Side(remote, ref=check_ref(ref), hidden=hidden)
    return Side(remote, commit=check_commit(commit), hidden=hidden)


def _is_hidden(side: JsonObject, places: Places) -> bool:
    """In a sandbox nothing is: the folder that stands for a repository can be read."""
    return side.get("reach") == "cluster" and places.simulated is None


def is_gone(error: GitFailed) -> bool:
    """Whether a fetch failed because the remote does not have the commit any more."""
    return error.kind in (Kind.NO_OBJECT, Kind.NOT_OFFERED)


def outputs(commit: str, *, in_sync: bool, distance: Distance | None) -> dict[str, Json]:
    """The outputs of a GitRef that stands on `commit`."""
    if in_sync:
        distance = Distance(0, 0)
    return {
        "commit": commit,
        "inSync": in_sync,
        "pendingFlush": not in_sync,
        "ahead": distance.ahead if distance else "unknown",
        "behind": distance.behind if distance else "unknown",
    }
