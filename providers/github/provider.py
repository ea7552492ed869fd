"""The provider of PullRequest, GitHubComment, GitHubIssue and GitHubStatus. One per command.

Lists what many resources share once for a plan, and reads afresh for an effect. How git is reached is handed in.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import field
from typing import Any

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.document_diff import diff_documents
from planner.errors import PermanentError, ProviderError
from planner.plan import Change
from planner.ports import (
    AbsentObject,
    NeverDeletes,
    Observation,
    PresentObject,
    Preview,
    PreviewEffect,
    Readiness,
    ReadResult,
    UnreadableObject,
    Written,
)
from planner.resource import Resource
from planner.values import JsonObject, Vault, outputs_in_document
from providers.github.commit_statuses import GitHubStatuses
from providers.github.github_clients import GitHubClientsByAccount
from providers.github.keyed_objects import (
    KeyedObjectKind,
    apply_keyed_object,
    has_unknown_output,
    version_token_of_fields,
)
from providers.github.marked_comments_and_issues import MarkedComments, MarkedIssues
from providers.github.merge_pull_request import MergeContext, merge_pull_request
from providers.github.pull_request_preview import observation_of_pull_request, preview_pull_request_merge
from providers.github.pull_request_spec import GitMergePredictor, ParsedPullRequestSpec, parse_pull_request_spec
from providers.github.verify_merge import MergeVerifier

KEYED: Mapping[str, KeyedObjectKind] = {
    "GitHubComment": MarkedComments(),
    "GitHubIssue": MarkedIssues(),
    "GitHubStatus": GitHubStatuses(),
}


@dataclass(slots=True, weakref_slot=True)
class GitHubProvider(NeverDeletes):
    """Observes, previews and applies GitHub's kinds (planner.ports.Provider)."""

    clients: GitHubClientsByAccount
    git: GitMergePredictor
    sleep: Callable[[float], None] = time.sleep
    _listings: dict[Hashable, Sequence[Any] | ProviderError] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider. One listing for all comments of an issue, all issues of a repository, all statuses of a commit,
        and for the pull requests of a repository when there are several."""
        merges = [one for one in wanted if one.address.kind == "PullRequest"]
        seen = self._observe_pulls([parse_pull_request_spec(one.address, one.manifest["spec"]) for one in merges])
        seen |= {one.address: self._observe(one) for one in wanted if one.address.kind in KEYED}
        return ReadResult(seen)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. Two resources that mean one object are blocked, both."""
        readable = [(one, seen) for one, seen in items if not isinstance(seen, UnreadableObject)]
        keys = Counter(_key(one) for one, _ in readable)
        return {
            one.address: self._preview(one, seen) if keys[_key(one)] == 1 else _TWINS for one, seen in readable
        }  # fmt: skip

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Writes one object, or merges one pull request, or finds it done."""
        if change.desired is None:
            raise PermanentError("nothing says what it has to be", where=str(change.address))
        if outputs_in_document(change.desired):
            raise PermanentError("an output that it takes is still unknown", where=str(change.address))
        spec: JsonObject = change.desired["spec"]
        client = self.clients.of(spec.get("access") or {})
        with self._lock:
            self._listings.clear()
            if change.address.kind in KEYED:
                return apply_keyed_object(KEYED[change.address.kind], change, client)
            wanted = parse_pull_request_spec(change.address, spec)
            return merge_pull_request(wanted, self._desk(wanted))

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """It was read back when it was written: there is nothing to wait for."""
        return {change.address: Readiness(done=True, ok=True) for change in changes}

    def _desk(self, wanted: ParsedPullRequestSpec) -> MergeContext:
        verifier = MergeVerifier(self.git, self.sleep)
        return MergeContext(self.clients.of(wanted.access), verifier, self.sleep)

    # Objects that are found by a key

    def _observe(self, resource: Resource) -> Observation:
        kind, spec, address = KEYED[resource.address.kind], resource.manifest["spec"], resource.address
        if has_unknown_output(kind.place(spec)):
            return AbsentObject(address)
        try:
            client = self.clients.of(spec.get("access") or {})
            found = kind.find(self._listed(resource, kind), spec, client.login())
        except ProviderError as error:
            return UnreadableObject(address, error.described())
        if not found:
            return AbsentObject(address)
        first = found[0]
        return PresentObject(address, first.identifier, first.token, {"fields": first.fields}, outputs=first.outputs)

    def _listed(self, resource: Resource, kind: KeyedObjectKind) -> Sequence[Any]:
        spec = resource.manifest["spec"]
        access = spec.get("access") or {}
        place = (resource.address.kind, repr(sorted(access.items())), kind.place(spec))
        with self._lock:
            if place not in self._listings:
                try:
                    self._listings[place] = kind.list(self.clients.of(access), spec)
                except ProviderError as error:
                    self._listings[place] = error
            listing = self._listings[place]
        if isinstance(listing, ProviderError):
            raise listing
        return listing

    def _preview(self, resource: Resource, seen: Observation) -> Preview:
        spec = resource.manifest["spec"]
        if resource.address.kind not in KEYED:
            wanted = parse_pull_request_spec(resource.address, spec)
            try:
                return preview_pull_request_merge(resource, wanted, self._desk(wanted))
            except ProviderError as error:
                return Preview(PreviewEffect.RUN, blocked=error.described(), remedy=error.remedy)
        try:
            fields = KEYED[resource.address.kind].wanted(spec)
        except PermanentError as error:
            return Preview(PreviewEffect.CREATE, blocked=error.message, remedy=error.remedy)
        before = seen.value["fields"] if isinstance(seen, PresentObject) and seen.value else {}
        changes = diff_documents(before, fields)
        if isinstance(seen, PresentObject) and not changes:
            return Preview(PreviewEffect.NONE)
        return Preview(
            PreviewEffect.UPDATE if isinstance(seen, PresentObject) else PreviewEffect.CREATE,
            changes,
            desired=resource.manifest,
            expects="" if outputs_in_document(resource.manifest) else version_token_of_fields(fields),
            outputs=seen.outputs if isinstance(seen, PresentObject) else {},
        )

    # Pull requests

    def _observe_pulls(self, merges: Sequence[ParsedPullRequestSpec]) -> dict[Address, Observation]:
        found: dict[Address, Observation] = {}
        several = Counter((one.repo, repr(one.access)) for one in merges)
        for one in merges:
            try:
                found[one.address] = self._observe_pull(one, listed=several[one.repo, repr(one.access)] > 1)
            except ProviderError as error:
                found[one.address] = UnreadableObject(one.address, error.described())
        return found

    def _observe_pull(self, wanted: ParsedPullRequestSpec, *, listed: bool) -> PresentObject:
        client = self.clients.of(wanted.access)
        if listed:
            place = ("PullRequest", repr(wanted.access), wanted.repo)
            with self._lock:
                if place not in self._listings:
                    self._listings[place] = client.open_pulls(wanted.repo)
                listing = self._listings[place]
            for pull in listing if not isinstance(listing, ProviderError) else ():
                if pull.number == wanted.number:
                    return observation_of_pull_request(wanted.address, pull)
        return observation_of_pull_request(wanted.address, client.pull(wanted.repo, wanted.number))


_TWINS = Preview(
    PreviewEffect.UPDATE, blocked="another resource declares the same object", remedy="keep one of the two"
)


def _key(resource: Resource) -> tuple[str, str]:
    """What makes two resources mean one object."""
    spec = resource.manifest["spec"]
    names = ("repo", "number", "marker", "sha", "context")
    return resource.address.kind, repr([str(spec.get(name)) for name in names if name in spec])
