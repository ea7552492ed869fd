"""Addresses: the names of resources. Owns their text form and the `--target` globs; knows nothing else.

An address is `Kind[.group]/[namespace/]name`, with `node/lane:` in front where a plan spans several places
(spec 05, "The plan as JSON"). The API version is not part of an identity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Self

HWPLAN_GROUP = "hwplan.dev"


def is_own_kind(api_version: str) -> bool:
    """Whether an apiVersion is that of hwplan's own kinds, which no cluster serves."""
    return api_version.partition("/")[0] == HWPLAN_GROUP


_PLACE = re.compile(r"^(?P<place>[A-Za-z0-9_-]+/[A-Za-z0-9_.-]+):(?P<rest>[^/]+/.+)$")


@dataclass(frozen=True, order=True)
class Address:
    """Identity of a resource. `group` is empty for the core group and hwplan's own kinds; `place` is `node/lane`."""

    place: str
    kind: str
    group: str
    namespace: str
    name: str

    @cached_property
    def local(self) -> str:
        """The address without its place: `Deployment.apps/hwlab-v03/cloud-api`."""
        head = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{head}/{self.namespace}/{self.name}" if self.namespace else f"{head}/{self.name}"

    def __str__(self) -> str:
        return f"{self.place}:{self.local}" if self.place else self.local

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address. Raises ValueError with the expected form when `text` is not one."""
        place, rest = "", text
        if match := _PLACE.match(text):
            place, rest = match["place"], match["rest"]
        parts = rest.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(f"{text!r} is not an address: expected Kind[.group]/[namespace/]name")
        kind, _, group = parts[0].partition(".")
        namespace = parts[1] if len(parts) == 3 else ""
        return cls(place, kind, group, namespace, parts[-1])

    def matches(self, pattern: str) -> bool:
        """Whether a `--target` pattern (a glob over the whole address; the group may be left out) selects this."""
        short = f"{self.kind}/{self.namespace}/{self.name}" if self.namespace else f"{self.kind}/{self.name}"
        return any(fnmatchcase(form, pattern) for form in (str(self), self.local, short))


def group_of(api_version: str) -> str:
    """The group of an `apiVersion`; empty for the core group and for hwplan's own kinds (spec 04, identity)."""
    group, slash, _ = api_version.partition("/")
    return group if slash and group != HWPLAN_GROUP else ""


def address_of(manifest: dict[str, object], *, place: str = "") -> Address:
    """The address of a Kubernetes-style document with apiVersion, kind and metadata.name (all strings)."""
    metadata = manifest.get("metadata")
    meta: dict[str, object] = metadata if isinstance(metadata, dict) else {}
    return Address(
        place,
        str(manifest.get("kind", "")),
        group_of(str(manifest.get("apiVersion", ""))),
        str(meta.get("namespace") or ""),
        str(meta.get("name", "")),
    )
