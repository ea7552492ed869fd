"""Addresses: the names of resources. Owns their text form and the `--target` globs; knows nothing else.

An address is `Kind[.group]/[namespace/]name`, with `node/lane:` in front where a plan spans several places
(spec 05, "The plan as JSON"). The API version is not part of an identity.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import NamedTuple, Self

HWPLAN_GROUP = "hwplan.dev"


def is_hwplan_kind(api_version: str) -> bool:
    """Whether an apiVersion is that of hwplan's own kinds, which no cluster serves."""
    return api_version.partition("/")[0] == HWPLAN_GROUP


_NODE_LANE = re.compile(r"^(?P<node_lane>[A-Za-z0-9_-]+/[A-Za-z0-9_.-]+):(?P<rest>[^/]+/.+)$")


class Address(NamedTuple):
    """Identity of a resource. `group` is empty for the core group and hwplan's own kinds; `node_lane` is `D601/v03`,
    empty where a plan has one lane. A tuple, for its hash, which a plan asks for some seventy times for each
    resource."""

    node_lane: str
    kind: str
    group: str
    namespace: str
    name: str

    @property
    def local(self) -> str:
        """The address without its node_lane: `Deployment.apps/shop/api`."""
        head = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{head}/{self.namespace}/{self.name}" if self.namespace else f"{head}/{self.name}"

    def __str__(self) -> str:
        return f"{self.node_lane}:{self.local}" if self.node_lane else self.local

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address. Raises ValueError with the expected form when `text` is not one."""
        node_lane, rest = "", text
        if match := _NODE_LANE.match(text):
            node_lane, rest = match["node_lane"], match["rest"]
        parts = rest.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(f"{text!r} is not an address: expected Kind[.group]/[namespace/]name")
        kind, _, group = parts[0].partition(".")
        namespace = parts[1] if len(parts) == 3 else ""
        return cls(node_lane, kind, group, namespace, parts[-1])

    def matches(self, pattern: str) -> bool:
        """Whether a `--target` pattern (a glob over the whole address; the group may be left out) selects this."""
        short = f"{self.kind}/{self.namespace}/{self.name}" if self.namespace else f"{self.kind}/{self.name}"
        return any(fnmatchcase(form, pattern) for form in (str(self), self.local, short))


def group_of_api_version(api_version: str) -> str:
    """The group of an `apiVersion`; empty for the core group and for hwplan's own kinds (spec 04, identity)."""
    group, slash, _ = api_version.partition("/")
    return group if slash and group != HWPLAN_GROUP else ""


def address_of_document(manifest: dict[str, object], *, node_lane: str = "") -> Address:
    """The address of a Kubernetes-style document with apiVersion, kind and metadata.name (all strings)."""
    metadata = manifest.get("metadata")
    meta: dict[str, object] = metadata if isinstance(metadata, dict) else {}
    return Address(
        node_lane,
        str(manifest.get("kind", "")),
        group_of_api_version(str(manifest.get("apiVersion", ""))),
        str(meta.get("namespace") or ""),
        str(meta.get("name", "")),
    )
