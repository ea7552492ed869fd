"""Reads what git says about a lane: tips of branches, the snapshot ref, what flows back, what contains what.

Each remote is listed once for each reading. Objects are fetched only where two commits differ, or where the content of
a commit is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path

from planner.app.lane.lane_parts import LaneParts, fill_git_head_outputs
from planner.commit_id import is_commit_id
from planner.dataclass import dataclass
from planner.errors import ProviderError
from planner.rollout import lane_evidence as names
from planner.rollout.lane_evidence import EvidenceReading
from planner.values import JsonObject
from providers.git.commit_ancestry import CommitAncestry
from providers.git.ref_listings import RefListings
from providers.git.remotes import GitRemoteUrls, RemoteLocations, resolve_remote

DIGESTS = r"([^][:space:]\"'=,]+@)?sha256:[0-9a-f]{64}"
_MOST_DIGESTS = 500


class GitEvidenceReader:
    """Reads the evidence that the git repositories of a lane give. `folder` is the configuration folder, `sandbox`
    that of a sandbox or None."""

    def __init__(self, subjects: LaneParts, folder: Path, sandbox: Path | None, now: Callable[[], str]) -> None:
        self._subjects = subjects
        self._now = now
        self._histories = CommitAncestry(folder, sandbox)
        self._places, self._objects = self._histories.places, self._histories.objects
        self._named: dict[tuple[str, str], list[str]] = {}

    def look(self) -> RemoteRefs:
        """All remotes of the lane, listed at once."""
        listings = RefListings(lambda remote: self._histories.client.list_refs(remote, patiently=False))
        sides = [spec for _, spec in self._subjects.heads]
        sides += [spec[side] for _, spec in self._subjects.flows for side in ("from", "to")]
        sides += [spec["to"] for _, spec in self._subjects.snapshots]
        remotes: list[GitRemoteUrls] = []
        for side in sides:
            try:
                remotes.append(resolve_remote(side, self._places))
            except ProviderError:
                continue  # the reading of that side says why
        listings.warm(remotes)
        return RemoteRefs(self._subjects, self._places, listings, self._now)

    def contains(self, side: JsonObject, ancestor: str, descendant: str, ref: str = "") -> EvidenceReading:
        """Whether the descendant contains the ancestor."""
        value: JsonObject = {"ancestor": ancestor, "descendant": descendant}
        source, at = str(side.get("remote") or ""), self._now()
        version = f"{ancestor} {descendant}"
        try:
            value["holds"] = self._histories.contains(side, ancestor, descendant, ref)
        except ProviderError as error:
            return EvidenceReading(None, source, at, problem=error.message)
        problem = "git cannot compare the commits" if value["holds"] is None else ""
        return EvidenceReading(value, source, at, version, problem)

    def named_digests(self, side: JsonObject, commit: str, path: str, ref: str = "") -> EvidenceReading:
        """The image digests that the files of a commit name, below `path`: `sha256:...` or `repository@sha256:...`."""
        source, at = f"{side.get('remote') or ''}#{commit}:{path}", self._now()
        try:
            if (commit, path) not in self._named:
                self._objects.bring(resolve_remote(side, self._places), commit, ref)
                self._named[commit, path] = sorted(self._objects.matches(commit, DIGESTS, path))[:_MOST_DIGESTS]
        except ProviderError as error:
            return EvidenceReading(None, source, at, problem=error.message)
        found = self._named[commit, path]
        digests = sorted({one.rpartition("@")[2] for one in found})
        value = {"commit": commit, "digests": digests, "images": [one for one in found if "@" in one]}
        return EvidenceReading(value, source, at, commit)


@dataclass(frozen=True, slots=True)
class RemoteRefs:
    """The refs of all remotes at one time."""

    subjects: LaneParts
    places: RemoteLocations
    listings: RefListings
    now: Callable[[], str]
    _refs: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def tip(self) -> dict[str, EvidenceReading]:
        """The tip of the source branch; nothing where no source is declared."""
        heads = self.subjects.heads
        if len(heads) > 1:
            listed = ", ".join(name for name, _ in heads)
            return {
                names.TIP: EvidenceReading(
                    None, listed, self.now(), problem=f"several sources: {listed}; name one lane"
                )
            }
        if not heads:
            return {}
        _, spec = heads[0]
        return {names.TIP: self._at(spec, f"refs/heads/{spec.get('branch')}")}

    def snapshot(self, commit: str) -> dict[str, EvidenceReading]:
        """The commit on which the snapshot ref of a commit stands."""
        sides = [fill_git_head_outputs(spec, commit)["to"] for _, spec in self.subjects.snapshots]
        known = [side for side in sides if isinstance(side.get("ref"), str)]
        return {names.SNAPSHOT: self._at(known[0], known[0]["ref"])} if known else {}

    def flows(self) -> dict[str, EvidenceReading]:
        """Both sides of every ref that flows back."""
        found: dict[str, EvidenceReading] = {}
        for name, spec in self.subjects.flows:
            mirror, upstream = (self._at(spec[side], str(spec[side].get("ref"))) for side in ("from", "to"))
            value = {"from": mirror.value, "to": upstream.value, "inSync": mirror.value == upstream.value}
            problem = mirror.problem or upstream.problem
            version = f"{mirror.version} {upstream.version}"
            found[names.MIRROR + name] = EvidenceReading(
                None if problem else value, f"{mirror.source} {upstream.source}", self.now(), version, problem
            )
        return found

    def gitops(self) -> dict[str, EvidenceReading]:
        """The tip of the GitOps branch: what flows back, on its mirror; nothing where none or several do."""
        if len(self.subjects.flows) != 1:
            return {}
        side = self.subjects.flows[0][1]["from"]
        return {names.GITOPS: self._at(side, str(side.get("ref")))}

    def commits(self) -> set[str]:
        """Every commit on which a ref of the source stands, for short ids."""
        found: set[str] = set()
        for _, spec in [*self.subjects.heads, *((name, one["to"]) for name, one in self.subjects.snapshots)]:
            try:
                found |= set(self.listings.of(resolve_remote(spec, self.places)).values())
            except ProviderError:
                continue  # the reading of the tip says so
        return {one for one in found if is_commit_id(one)}

    def _at(self, side: JsonObject, ref: str) -> EvidenceReading:
        source = f"{side.get('remote') or ''}#{ref}"
        try:
            refs = self.listings.of(resolve_remote(side, self.places))
        except ProviderError as error:
            return EvidenceReading(None, source, self.now(), problem=error.message)
        commit = refs.get(ref + "^{}") or refs.get(ref)
        return EvidenceReading(commit, source, self.now(), commit or "")
