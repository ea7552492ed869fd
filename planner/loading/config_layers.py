"""Overlays: several partial mappings become one, and a place in the result is found again in the part it came from.

The rule: mappings merge key by key; everything else (lists too) replaces what was there; `null` takes a key away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planner.dataclass import dataclass
from planner.loading.document_origin import DocumentOrigin, Path
from planner.loading.problems import Problems


@dataclass(frozen=True, slots=True)
class ConfigLayer:
    """One part, and where it stands: a document and the path of the part in it."""

    value: Mapping[str, Any]
    origin: DocumentOrigin
    path: Path


@dataclass(frozen=True, slots=True)
class MergedConfig:
    """The layers, from the general to the particular, and what they come to."""

    layers: tuple[ConfigLayer, ...]
    value: dict[str, Any]

    def problem(self, problems: Problems, path: Path, message: str, suggestion: str = "") -> None:
        """Note a problem at a path of the result, in the layer that decided it."""
        layer = self._decider(path)
        layer.origin.problem(problems, (*layer.path, *path), message, suggestion)

    def writable(self, path: Path) -> tuple[ConfigLayer, ...]:
        """The layers in which a value for a path would count: the deciding one, then the more particular ones."""
        return self.layers[self.layers.index(self._decider(path)) :]

    def _decider(self, path: Path) -> ConfigLayer:
        depths = [_depth(layer.value, path) for layer in self.layers]
        best = max(depths)
        return next(
            layer for layer, depth in zip(reversed(self.layers), reversed(depths), strict=True) if depth == best
        )


def merge_layers(layers: Sequence[ConfigLayer]) -> MergedConfig:
    """Merge layers, from the general to the particular. The inputs are not changed."""
    value: dict[str, Any] = {}
    for layer in layers:
        value = _over(value, layer.value)
    return MergedConfig(tuple(layers), value)


def _over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, item in top.items():
        if item is None:
            out.pop(key, None)
        elif isinstance(item, dict):
            below = out.get(key)
            out[key] = _over(below if isinstance(below, dict) else {}, item)
        else:
            out[key] = item
    return out


def _depth(value: Any, path: Path) -> int:
    """How many parts of the path exist."""
    for depth, part in enumerate(path):
        inside_list = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if not inside_list and not (isinstance(value, Mapping) and part in value):
            return depth
        value = value[part]
    return len(path)
