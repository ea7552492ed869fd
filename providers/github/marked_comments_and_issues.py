"""GitHubComment and GitHubIssue: found by the mark on their last line and by our name (P15, P16)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from planner.errors import PermanentError
from planner.pull_requests.github_facts import IssueComment, IssueFacts
from planner.pull_requests.issue_sections import (
    IssueSection,
    issue_body_of_sections,
    parse_issue_sections,
    replace_or_add_issue_section,
)
from planner.pull_requests.text_markers import (
    body_with_marker,
    find_texts_with_marker,
    marker_line,
    with_unix_line_ends,
)
from planner.values import Json, JsonObject, JsonValue, OutputRef, OutputTemplate
from providers.github.client import GitHubClient
from providers.github.keyed_objects import FoundGitHubObject


class MarkedComments:
    """Lists, creates and updates the comments that carry our marker (see KeyedObjectKind). Listed once for an issue or
    pull request."""

    def place(self, spec: JsonObject) -> Hashable:
        """See KeyedObjectKind."""
        return spec["repo"], spec["number"]

    def list(self, client: GitHubClient, spec: JsonObject) -> Sequence[IssueComment]:
        """See KeyedObjectKind."""
        return client.comments(spec["repo"], spec["number"])

    def find(self, listing: Sequence[IssueComment], spec: JsonObject, login: str) -> Sequence[FoundGitHubObject]:
        """See KeyedObjectKind."""
        ours = sorted(find_texts_with_marker(listing, spec["marker"], login), key=lambda one: one.identifier)
        return [
            FoundGitHubObject(str(one.identifier), {"body": with_unix_line_ends(one.body)}, {"url": one.url})
            for one in ours
        ]

    def wanted(self, spec: JsonObject) -> JsonObject:
        """See KeyedObjectKind."""
        return {"body": _body(spec)}

    def create(self, client: GitHubClient, spec: JsonObject) -> None:
        """See KeyedObjectKind."""
        client.create_comment(spec["repo"], spec["number"], _body(spec))

    def update(self, client: GitHubClient, spec: JsonObject, found: FoundGitHubObject) -> None:
        """See KeyedObjectKind."""
        client.update_comment(spec["repo"], int(found.identifier), _body(spec))

    def remove(self, client: GitHubClient, spec: JsonObject, extra: FoundGitHubObject, kept: FoundGitHubObject) -> None:
        """See KeyedObjectKind."""
        client.delete_comment(spec["repo"], int(extra.identifier))


class MarkedIssues:
    """Lists, creates and updates the issues that carry our marker (see KeyedObjectKind). Listed once for a repository:
    the issues that we opened, closed ones too, because one is reopened rather than doubled (P16)."""

    def place(self, spec: JsonObject) -> Hashable:
        """See KeyedObjectKind."""
        return (spec["repo"],)

    def list(self, client: GitHubClient, spec: JsonObject) -> Sequence[IssueFacts]:
        """See KeyedObjectKind."""
        return client.issues(spec["repo"], creator=client.login())

    def find(self, listing: Sequence[IssueFacts], spec: JsonObject, login: str) -> Sequence[FoundGitHubObject]:
        """See KeyedObjectKind. Those with the mark of today, and then those with a former one."""
        found: dict[int, FoundGitHubObject] = {}
        for marker in (spec["marker"], *(spec.get("formerMarkers") or ())):
            for one in sorted(find_texts_with_marker(listing, marker, login), key=lambda one: one.number):
                fields = {**_issue_fields(one, spec), "marker": marker}
                found.setdefault(one.number, FoundGitHubObject(str(one.number), fields, {"url": one.url}))
        return list(found.values())

    def wanted(self, spec: JsonObject) -> JsonObject:
        """See KeyedObjectKind."""
        state, labels = spec.get("state", "open"), sorted(spec.get("labels") or ())
        body = _section_text(spec["body"]) if spec.get("section") else _body(spec)
        return {"title": spec["title"], "body": body, "state": state, "labels": labels, "marker": spec["marker"]}

    def create(self, client: GitHubClient, spec: JsonObject) -> None:
        """See KeyedObjectKind. One that has to be closed is opened and closed, so that it can be read."""
        body, state = _whole_body(spec, "")
        made = client.create_issue(spec["repo"], spec["title"], body, tuple(spec.get("labels") or ()))
        if state == "closed":
            client.update_issue(spec["repo"], made.number, {"state": "closed"})

    def update(self, client: GitHubClient, spec: JsonObject, found: FoundGitHubObject) -> None:
        """See KeyedObjectKind. What others wrote beside a part of ours is read right before."""
        number = int(found.identifier)
        now = next(one for one in self.list(client, spec) if one.number == number)
        body, state = _whole_body(spec, now.body)
        wanted: JsonObject = {"title": spec["title"], "body": body, "state": state}
        is_now: JsonObject = {
            "title": now.title,
            "body": with_unix_line_ends(now.body),
            "state": "open" if now.is_open else "closed",
        }
        changed = {name: value for name, value in wanted.items() if is_now[name] != value}
        labels = sorted(spec.get("labels") or ())
        if set(labels) - set(now.labels):
            changed["labels"] = [*now.labels, *(name for name in labels if name not in now.labels)]
        if changed:
            client.update_issue(spec["repo"], number, changed)

    def remove(self, client: GitHubClient, spec: JsonObject, extra: FoundGitHubObject, kept: FoundGitHubObject) -> None:
        """See KeyedObjectKind. An issue cannot be deleted: it is closed and loses its mark."""
        body = f"Opened twice at the same moment: #{kept.identifier} goes on."
        fields = {"state": "closed", "state_reason": "not_planned", "body": body}
        client.update_issue(spec["repo"], int(extra.identifier), fields)


def _issue_fields(one: IssueFacts, spec: JsonObject) -> JsonObject:
    """What of an issue is compared. Of one that several write: our part, and whether it is open as that part has it."""
    labels = sorted(set(one.labels) & set(spec.get("labels") or ()))
    state = "open" if one.is_open else "closed"
    if not spec.get("section"):
        return {"title": one.title, "body": with_unix_line_ends(one.body), "state": state, "labels": labels}
    sections = {part.name: part for part in parse_issue_sections(one.body)}
    mine = sections.pop(str(spec["section"]), None)
    if mine is not None and not mine.is_open and any(part.is_open for part in sections.values()):
        state = "closed"  # of us; it is open for others
    elif mine is not None and mine.is_open != one.is_open:
        state = "closed" if mine.is_open else "open"
    return {"title": one.title, "body": mine.text if mine else "", "state": state, "labels": labels}


def _section_text(body: JsonValue) -> Json:
    return body if isinstance(body, OutputRef | OutputTemplate) else with_unix_line_ends(str(body)).strip()


def _whole_body(spec: JsonObject, before: str) -> tuple[str, str]:
    """The body and the state that an issue gets: our part beside those that stand there, or ours alone."""
    state = str(spec.get("state", "open"))
    if not spec.get("section"):
        return str(_body(spec)), state
    mine = IssueSection(str(spec["section"]), str(_section_text(spec["body"])), state == "open")
    sections = replace_or_add_issue_section(parse_issue_sections(before), mine)
    whole = str(_body({**spec, "body": issue_body_of_sections(sections)}))
    return whole, "open" if any(one.is_open for one in sections) else "closed"


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
