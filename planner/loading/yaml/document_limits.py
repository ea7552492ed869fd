"""What the loader reads into, and the bounds of one input. Data only."""

from __future__ import annotations

import re
from typing import Final

from planner.dataclass import dataclass
from planner.values import Json


@dataclass(frozen=True, slots=True)
class YamlLimits:
    """What one input may be. `alias_nodes` is how many nodes aliases may add; 0 refuses anchors and aliases. `api`:
    read it as the Kubernetes API's own readers do (planner.loading.yaml.api_scalars), not strictly."""

    size: int
    depth: int
    nodes: int
    documents: int
    alias_nodes: int = 0
    api: bool = False


INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")  # what no key may hold
_ALIAS_NODES: Final = 400_000  # as many as go-yaml lets them add to a small document
CONFIG: Final = YamlLimits(size=1 << 20, depth=64, nodes=200_000, documents=100)
TEMPLATE: Final = YamlLimits(
    size=4 << 20, depth=100, nodes=500_000, documents=2_000, alias_nodes=_ALIAS_NODES, api=True
)
MANIFEST: Final = YamlLimits(
    size=64 << 20, depth=200, nodes=5_000_000, documents=100_000, alias_nodes=_ALIAS_NODES, api=True
)


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document: its value, the line of its first content (from 1), and whether `!ref` or `!sub` stand in it."""

    value: Json
    line: int
    tagged: bool = False
    nulls: bool = False
