"""Small steps for tests of git: declare, plan, apply, plan again, over any remotes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from planner.address import address_of_document
from planner.plan import Action, Change, Precondition
from planner.ports import AbsentObject, Observation, PresentObject, Preview, PreviewEffect, UnreadableObject, Written
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.spec.kinds.git import GitHead, GitRef
from planner.spec.kinds.git_commit import GitCommit
from planner.values import JsonObject
from providers.git.git_client import GitClient, GitLimits
from providers.git.provider import GitProvider
from providers.git.remotes import GitRemoteUrls, RemoteLocations

_MODELS = {one.__name__: one for one in (GitHead, GitRef, GitCommit)}
QUICK = {"attempts": 3, "delay": "10ms", "maxDelay": "20ms"}


def declare(kind: str, name: str, spec: JsonObject, *, namespace: str = "", check: bool = True) -> Resource:
    """The resource as the loader makes it: checked by its model unless it is to be hostile."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    document: JsonObject = {"apiVersion": "hwplan.dev/v1", "kind": kind, "metadata": metadata, "spec": spec}
    if check:
        _MODELS[kind].model_validate(document)
    return Resource(
        address_of_document(document), "hwplan.dev/v1", document, "demo.D1.v1", "infra", SourceRef("t.yaml")
    )


def head(remote: str, branch: str = "main", **more: Any) -> Resource:
    """A GitHead."""
    return declare("GitHead", "source", {"remote": remote, "branch": branch, **more})


def follow(
    origin: JsonObject, target: JsonObject, mode: str = "mirror", *, name: str = "ref", check: bool = True, **more: Any
) -> Resource:
    """A GitRef."""
    return declare("GitRef", name, {"from": origin, "to": target, "mode": mode, **more}, check=check)


def side(remote: str, ref: str = "refs/heads/main", **more: Any) -> JsonObject:
    """One side of a GitRef."""
    return {"remote": remote, "ref": ref, **more}


@dataclass
class Look:
    """One resource in a plan."""

    seen: Observation
    preview: Preview | None
    change: Change | None


@dataclass
class World:
    """A provider, with its cache in a folder of the test. `again` is the next command: it remembers nothing.
    `on_listed` is called when a remote was listed."""

    folder: Path
    simulated: Mapping[str, Path] | None = None
    limits: GitLimits = field(default_factory=GitLimits)
    listed: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    on_listed: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.provider = self._new()

    def _new(self) -> GitProvider:
        listed, world = self.listed, self

        class Noting(GitClient):
            __slots__ = ()

            def list_refs(self, remote: GitRemoteUrls, *, patiently: bool = True) -> Mapping[str, str]:
                listed.append(remote.shown)
                refs = super().list_refs(remote, patiently=patiently)
                world.on_listed()
                return refs

        client = Noting(self.limits, self.slept.append)
        return GitProvider(client, RemoteLocations(self.folder, self.simulated), self.folder / "cache")

    def again(self) -> Self:
        """The next command."""
        self.provider = self._new()
        return self

    def plan(self, *resources: Resource) -> list[Look]:
        """Read and preview, in bulk."""
        read = self.provider.read(resources, (), ())
        items = [
            (resource, read.observations[resource.address])
            for resource in resources
            if not isinstance(read.observations[resource.address], UnreadableObject)
        ]
        previews = self.provider.preview(items)
        return [_look(resource, read.observations[resource.address], previews) for resource in resources]

    def look(self, resource: Resource) -> Look:
        """Plan one resource."""
        return self.plan(resource)[0]

    def change(self, resource: Resource) -> Change:
        """The change that a plan of one resource makes."""
        look = self.look(resource)
        assert look.change is not None, look
        return look.change

    def apply(self, change: Change) -> Written:
        """Make the change."""
        return self.provider.apply(change, {})

    def converge(self, resource: Resource) -> Written:
        """Plan, apply, and see that the next command has nothing to do."""
        written = self.apply(self.change(resource))
        look = self.again().look(resource)
        assert look.change is None and look.preview is not None and not look.preview.blocked
        assert isinstance(look.seen, PresentObject) and look.seen.outputs == written.outputs
        return written


def _look(resource: Resource, seen: Observation, previews: Mapping[Any, Preview]) -> Look:
    preview = previews.get(resource.address)
    if preview is None or preview.blocked or preview.effect is PreviewEffect.NONE:
        return Look(seen, preview, None)
    absent = isinstance(seen, AbsentObject)
    precondition = seen.precondition if isinstance(seen, PresentObject) else Precondition(absent=True)
    assert (preview.effect is PreviewEffect.CREATE) is absent
    change = Change(
        resource.address, Action.CREATE if absent else Action.UPDATE, resource.api_version, resource.scope, "declared",
        precondition, resource.source, resource.manifest, preview.fields, expects=preview.expects,
    )  # fmt: skip
    return Look(seen, preview, change)


def blocked(look: Look) -> str:
    """Reason, evidence and remedy of what is blocked, as one text."""
    assert look.preview is not None and look.preview.blocked
    return f"{look.preview.blocked} | {look.preview.evidence} | {look.preview.remedy}"


def unreadable(look: Look) -> str:
    """Why it could not be read."""
    assert isinstance(look.seen, UnreadableObject)
    return look.seen.reason
