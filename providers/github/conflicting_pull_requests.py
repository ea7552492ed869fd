"""Which pull requests brought the commits that a head conflicts with (P8)."""

from __future__ import annotations

from planner.errors import ProviderError
from planner.pull_requests.predicted_merge_verification import ConflictingMerge
from providers.github.client import GitHubClient

_MOST = 3  # commits that are asked about: a conflict costs at most so many requests


def add_conflicting_pull_requests(
    found: ConflictingMerge, client: GitHubClient, repo: str, branch: str
) -> ConflictingMerge:
    """The conflict with the numbers of the merged pull requests. Where GitHub does not say, the commits are enough."""
    commits = dict.fromkeys(one.commit for one in found.files if one.commit)
    pulls: dict[str, int] = {}
    try:
        for commit in list(commits)[:_MOST]:
            of_it = [one.number for one in client.pulls_of_commit(repo, commit) if one.base_branch == branch]
            if of_it:
                pulls[commit] = of_it[0]
    except ProviderError:
        pass
    return found.attributed(pulls)
