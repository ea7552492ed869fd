"""GitHubComment and GitHubIssue: found by the mark on their last line and by our name (P15, P16)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from planner.errors import PermanentError
from planner.pull_requests.github_facts import IssueComment, IssueState
from planner.pull_requests.text_markers import (
    body_with_marker,
    find_texts_with_marker,
    marker_line,
    with_unix_line_ends,
)
from planner.values import Json, JsonObject, OutputRef, OutputTemplate
from providers.github.client import GitHubClient
from providers.github.keyed_objects import FoundObject


class GitHubComments:
    """See KeyedObjectKind. Listed once for an issue or pull request."""

    def place(self, spec: JsonObject) -> Hashable:
        """See KeyedObjectKind."""
        return spec["repo"], spec["number"]

    def list(self, client: GitHubClient, spec: JsonObject) -> Sequence[IssueComment]:
        """See KeyedObjectKind."""
        return client.comments(spec["repo"], spec["number"])

    def find(self, listing: Sequence[IssueComment], spec: JsonObject, login: str) -> Sequence[FoundObject]:
        """See KeyedObjectKind."""
        ours = sorted(find_texts_with_marker(listing, spec["marker"], login), key=lambda one: one.identifier)
        return [
            FoundObject(str(one.identifier), {"body": with_unix_line_ends(one.body)}, {"url": one.url}) for one in ours
        ]

    def wanted(self, spec: JsonObject) -> JsonObject:
        """See KeyedObjectKind."""
        return {"body": _body(spec)}

    def create(self, client: GitHubClient, spec: JsonObject) -> None:
        """See KeyedObjectKind."""
        client.create_comment(spec["repo"], spec["number"], _body(spec))

    def update(self, client: GitHubClient, spec: JsonObject, found: FoundObject) -> None:
        """See KeyedObjectKind."""
        client.update_comment(spec["repo"], int(found.identifier), _body(spec))

    def remove(self, client: GitHubClient, spec: JsonObject, extra: FoundObject, kept: FoundObject) -> None:
        """See KeyedObjectKind."""
        client.delete_comment(spec["repo"], int(extra.identifier))


class GitHubIssues:
    """See KeyedObjectKind. Listed once for a repository: the issues that we opened, closed ones too, because one is
    reopened rather than doubled (P16)."""

    def place(self, spec: JsonObject) -> Hashable:
        """See KeyedObjectKind."""
        return (spec["repo"],)

    def list(self, client: GitHubClient, spec: JsonObject) -> Sequence[IssueState]:
        """See KeyedObjectKind."""
        return client.issues(spec["repo"], creator=client.login())

    def find(self, listing: Sequence[IssueState], spec: JsonObject, login: str) -> Sequence[FoundObject]:
        """See KeyedObjectKind."""
        ours = sorted(find_texts_with_marker(listing, spec["marker"], login), key=lambda one: one.number)
        return [FoundObject(str(one.number), _issue_fields(one, spec), {"url": one.url}) for one in ours]

    def wanted(self, spec: JsonObject) -> JsonObject:
        """See KeyedObjectKind."""
        state, labels = spec.get("state", "open"), sorted(spec.get("labels") or ())
        return {"title": spec["title"], "body": _body(spec), "state": state, "labels": labels}

    def create(self, client: GitHubClient, spec: JsonObject) -> None:
        """See KeyedObjectKind. One that has to be closed is opened and closed, so that it can be read."""
        made = client.create_issue(spec["repo"], spec["title"], _body(spec), tuple(spec.get("labels") or ()))
        if spec.get("state") == "closed":
            client.update_issue(spec["repo"], made.number, {"state": "closed"})

    def update(self, client: GitHubClient, spec: JsonObject, found: FoundObject) -> None:
        """See KeyedObjectKind."""
        wanted = self.wanted(spec)
        changed = {name: value for name, value in wanted.items() if found.fields.get(name) != value}
        if "labels" in changed:
            number = int(found.identifier)
            now = next(one for one in self.list(client, spec) if one.number == number)
            changed["labels"] = [*now.labels, *(name for name in wanted["labels"] if name not in now.labels)]
        client.update_issue(spec["repo"], int(found.identifier), changed)

    def remove(self, client: GitHubClient, spec: JsonObject, extra: FoundObject, kept: FoundObject) -> None:
        """See KeyedObjectKind. An issue cannot be deleted: it is closed and loses its mark."""
        body = f"Opened twice at the same moment: #{kept.identifier} goes on."
        fields = {"state": "closed", "state_reason": "not_planned", "body": body}
        client.update_issue(spec["repo"], int(extra.identifier), fields)


def _issue_fields(one: IssueState, spec: JsonObject) -> JsonObject:
    labels = sorted(set(one.labels) & set(spec.get("labels") or ()))
    state = "open" if one.is_open else "closed"
    return {"title": one.title, "body": with_unix_line_ends(one.body), "state": state, "labels": labels}


def _body(spec: JsonObject) -> Json:
    """The text with its mark; while parts of it are not known, a text with these parts."""
    body, marker = spec["body"], spec["marker"]
    if isinstance(body, OutputRef | OutputTemplate):
        parts = body.parts if isinstance(body, OutputTemplate) else (body,)
        return OutputTemplate((*parts, f"\n\n{marker_line(marker)}"))
    try:
        return with_unix_line_ends(body_with_marker(body, marker))
    except ValueError as error:
        raise PermanentError(str(error), where=f"marker {marker}", remedy="shorten `body`") from None
