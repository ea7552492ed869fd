"""A PullRequest document as a checked value, and what git is asked about it (a port: git is another provider)."""

from __future__ import annotations

from dataclasses import field
from typing import Protocol

from planner.address import Address
from planner.dataclass import dataclass
from planner.pull_requests.github_facts import MergeMethod
from planner.pull_requests.predicted_merge_verification import ConflictingMerge, MergeCommitHistory, PredictedMerge
from planner.values import JsonObject


class GitMergePredictor(Protocol):
    """What git predicts of a merge, and says of merged commits. `side` is the `git` of a document. All methods raise
    ProviderError."""

    def tip(self, side: JsonObject, branch: str) -> str:
        """Where a branch stands now, "" if there is none."""
        ...

    def predict(
        self, side: JsonObject, branch: str, head: str, method: MergeMethod, base: str = ""
    ) -> PredictedMerge | ConflictingMerge:
        """The merge of `head` into the branch as it is now, or as it was at the commit `base`."""
        ...

    def merged(self, side: JsonObject, branch: str, commit: str, limit: int) -> MergeCommitHistory:
        """A commit with at most `limit` commits of its first-parent history, and whether the branch holds it."""
        ...

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` was made on top of `older`; both were read before."""
        ...

    def commits_of(self, head: str, without: str) -> int:
        """How many commits, merges apart, lead to `head` and not to `without`; both were read before."""
        ...


@dataclass(frozen=True, slots=True)
class ParsedPullRequestSpec:
    """The parsed spec of a PullRequest: the merge that it asks for. `up_to_date` says that nothing but a head that
    contains the tip of its base counts as tested."""

    address: Address
    repo: str
    number: int
    head: str
    base: str
    method: MergeMethod
    up_to_date: bool
    git: JsonObject = field(repr=False)
    access: JsonObject = field(repr=False)

    @property
    def shown(self) -> str:
        """As people write it."""
        return f"{self.repo}#{self.number}"


def parse_pull_request_spec(address: Address, spec: JsonObject) -> ParsedPullRequestSpec:
    """The spec of a PullRequest, which the loader has checked."""
    return ParsedPullRequestSpec(
        address=address,
        repo=spec["repo"],
        number=spec["number"],
        head=spec["headSha"],
        base=spec["base"],
        method=spec.get("method") or "merge",
        up_to_date=spec.get("freshness") == "merge",
        git=spec["git"],
        access=spec.get("access") or {},
    )


def merge_outputs(commit: str) -> JsonObject:
    """The outputs of a pull request that is merged."""
    return {"mergeCommit": commit, "short": commit[:12]}
