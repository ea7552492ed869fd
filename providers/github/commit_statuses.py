"""GitHubStatus: what is said of a commit in one context, by us (P14)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from planner.pull_requests.github_facts import CheckResult
from planner.values import JsonObject
from providers.github.client import GitHubClient
from providers.github.keyed_objects import FoundGitHubObject


class GitHubStatuses:
    """Lists and creates commit statuses at GitHub (see KeyedObjectKind). Listed once for a commit. The latest status of
    a context counts; GitHub forgets none."""

    def place(self, spec: JsonObject) -> Hashable:
        """See KeyedObjectKind."""
        return spec["repo"], spec["sha"]

    def list(self, client: GitHubClient, spec: JsonObject) -> Sequence[CheckResult]:
        """See KeyedObjectKind."""
        return client.statuses(spec["repo"], spec["sha"])

    def find(self, listing: Sequence[CheckResult], spec: JsonObject, login: str) -> Sequence[FoundGitHubObject]:
        """See KeyedObjectKind. A status that somebody else wrote later in our context is found: ours has to follow
        it."""
        for one in listing:
            if one.name == spec["context"]:
                fields = {
                    "state": one.said,
                    "description": one.description,
                    "targetUrl": one.url,
                    "creator": one.author,
                }
                return [FoundGitHubObject(str(one.identifier), fields if one.author.lower() != login.lower() else {
                    name: value for name, value in fields.items() if name != "creator"
                })]  # fmt: skip
        return []

    def wanted(self, spec: JsonObject) -> JsonObject:
        """See KeyedObjectKind."""
        named = {"state": spec["state"], "description": spec.get("description") or ""}
        return {**named, "targetUrl": spec.get("targetUrl") or ""}

    def create(self, client: GitHubClient, spec: JsonObject) -> None:
        """See KeyedObjectKind."""
        wanted = self.wanted(spec)
        client.set_status(
            spec["repo"], spec["sha"], spec["context"], wanted["state"], wanted["description"], wanted["targetUrl"]
        )

    def update(self, client: GitHubClient, spec: JsonObject, found: FoundGitHubObject) -> None:
        """See KeyedObjectKind."""
        self.create(client, spec)

    def remove(self, client: GitHubClient, spec: JsonObject, extra: FoundGitHubObject, kept: FoundGitHubObject) -> None:
        """See KeyedObjectKind. Never asked for: there is one status in a context."""
