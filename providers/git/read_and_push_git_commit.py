"""Reads the branch of a GitCommit document, and pushes its commit there.

Pushes as a GitRef does: from what the plan saw, never forced.
"""

from __future__ import annotations

from dataclasses import field, replace

from planner.dataclass import dataclass
from planner.errors import PermanentError, PreconditionError
from planner.plan import Change
from planner.ports import Written
from planner.values import JsonObject, canonical_bytes, encode_special_leaves
from providers.git.commit_maker import CommitMaker, ParsedGitCommitSpec, parse_git_commit_spec
from providers.git.commit_preview import ObservedCommitBranch, outputs_of_git_commit
from providers.git.git_client import GitClient
from providers.git.git_failures import GitCommandFailed
from providers.git.git_ref_reader import ParsedGitRefSpec, ResolvedRefSide, is_missing_commit
from providers.git.object_cache import ObjectCache
from providers.git.push_ref import push_ref
from providers.git.ref_listings import RefListings
from providers.git.remotes import RemoteLocations, UnknownSandboxRemote


@dataclass(frozen=True, slots=True)
class GitCommitBranchReader:
    """Reads the branch of a GitCommit document, and makes the commit that is wanted there. What was seen is remembered,
    so that a preview is made of exactly what was observed."""

    places: RemoteLocations
    listings: RefListings
    client: GitClient
    objects: ObjectCache
    _seen: dict[bytes, ObservedCommitBranch] = field(default_factory=dict)

    def look(self, spec: JsonObject) -> ObservedCommitBranch:
        """Where the branch stands, and what the commit would change."""
        key = canonical_bytes(encode_special_leaves(spec))
        if key not in self._seen:
            self._seen[key] = self._look(spec)
        return self._seen[key]

    def forget(self) -> None:
        """Look afresh the next time, after a push."""
        self._seen.clear()

    def _look(self, spec: JsonObject) -> ObservedCommitBranch:
        try:
            wish = parse_git_commit_spec(spec, self.places)
            tip = self.listings.of(wish.remote).get(wish.ref, "")
            maker = CommitMaker.on(self.client, self.objects, wish, tip)
            commit = "" if wish.open else maker.commit(wish, tip)
            return ObservedCommitBranch(wish, tip, commit, maker.changes(wish, tip))
        except (UnknownSandboxRemote, GitCommandFailed) as error:
            return ObservedCommitBranch(unreadable=error.message)
        except PermanentError as error:
            return ObservedCommitBranch(refused=error)


def push_commit(change: Change, wish: ParsedGitCommitSpec, client: GitClient, objects: ObjectCache) -> Written:
    """Make the commit on the tip that the plan saw, and push it.

    Raises PreconditionError when the branch is somewhere else, PermanentError when the commit would not be the planned
    one or the server refuses, otherwise as push_ref.
    """
    if wish.open:
        raise PermanentError("an output that it takes is still unknown", where=str(change.address))
    tip = "" if change.precondition.absent else change.precondition.content
    try:
        made = CommitMaker.on(client, objects, wish, tip).commit(wish, tip)
    except GitCommandFailed as error:
        if not is_missing_commit(error):
            raise
        raise PreconditionError(f"{wish.remote.shown} no longer has the commit that the plan saw") from None
    if change.expects and made != change.expects:
        raise PermanentError("the commit would not be the planned one", where=str(change.address), remedy="plan again")
    sides = ResolvedRefSide(wish.remote, commit=made), ResolvedRefSide(wish.remote, ref=wish.ref)
    written = push_ref(change, ParsedGitRefSpec(*sides, "fast-forward"), client, objects)
    return replace(written, outputs=outputs_of_git_commit(made))
