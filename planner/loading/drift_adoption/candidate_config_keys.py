"""Keys that may feed a field, and the value each would need for another value of the field. Pure.

A key is a candidate when its value stands in the rendered one, alone or as a part of a text. Whether it really feeds
the field is for planner.loading.drift_adoption.adopt_fields, which renders again: nothing here is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from planner.dataclass import dataclass
from planner.loading.config import Config, ConfiguredLane, ConfiguredNode, ConfiguredProduct
from planner.loading.drift_adoption.render_selected_templates import RenderedTemplate

Path: TypeAlias = tuple[str | int, ...]
Root: TypeAlias = Literal["product", "node", "lane"]
_SEPARATORS = (",", " ", ", ", "\n", ":", ";")


@dataclass(frozen=True, slots=True)
class CandidateConfigKey:
    """A key of a product, a node or a lane, and the value that it would need. `name` is that of the lane."""

    root: Root
    name: str
    path: Path
    value: Any

    @property
    def key(self) -> tuple[Root, str, Path]:
        """Which key it is, whatever value."""
        return self.root, self.name, self.path

    def __str__(self) -> str:
        dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return f"{self.root}{dotted}"


def find_candidate_config_keys(text: RenderedTemplate, declared: Any, live: Any) -> Iterator[CandidateConfigKey]:
    """Every key that the rendering saw whose value could make `declared` become `live`."""
    seen: list[tuple[Root, str, Mapping[str, Any]]] = [
        *(("lane", one["name"], one) for one in _lanes(text)),
        ("node", "", text.context["node"]),
        ("product", "", text.context["product"]),
    ]
    for root, name, facts in seen:
        for path, old in _values(facts):
            for value in _needed(old, declared, live):
                yield CandidateConfigKey(root, name, path, value)


def template_context_with_candidate(text: RenderedTemplate, candidate: CandidateConfigKey) -> dict[str, Any]:
    """What the template would see if the key had the value of the candidate."""
    context = dict(text.context)
    if candidate.root == "lane":
        context["lanes"] = [
            _set(one, candidate.path, candidate.value) if one["name"] == candidate.name else one
            for one in context["lanes"]
        ]
        if context.get("lane", {}).get("name") == candidate.name:
            context["lane"] = _set(context["lane"], candidate.path, candidate.value)
    else:
        context[candidate.root] = _set(context[candidate.root], candidate.path, candidate.value)
    merged = [context["product"], context["node"], context.get("lane", {})]
    context["values"] = {key: value for facts in merged for key, value in facts.get("values", {}).items()}
    return context


def config_entry_of_candidate(
    config: Config, text: RenderedTemplate, candidate: CandidateConfigKey
) -> ConfiguredProduct | ConfiguredNode | ConfiguredLane:
    """What the key of a candidate belongs to."""
    match candidate.root:
        case "product":
            return config.products[text.product]
        case "node":
            return config.nodes[text.node]
        case "lane":
            return next(one for one in config.lanes_of(text.product, text.node) if one.name == candidate.name)


def _lanes(text: RenderedTemplate) -> list[Mapping[str, Any]]:
    """The lane itself first."""
    lane = text.context.get("lane")
    others = [one for one in text.context["lanes"] if lane is None or one["name"] != lane["name"]]
    return [lane, *others] if lane is not None else others


def _values(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every scalar, and every list of scalars as a whole."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _values(item, (*path, key))
    elif isinstance(value, list):
        if value and all(isinstance(item, str | int) for item in value):
            yield path, value
        for index, item in enumerate(value):
            yield from _values(item, (*path, index))
    elif value is not None:
        yield path, value


def _needed(old: Any, declared: Any, live: Any) -> Iterator[Any]:
    """The values instead of `old` that would turn `declared` into `live`."""
    if isinstance(old, list):
        yield from _lists(old, declared, live)
        return
    if type(old) is type(declared) and old == declared:
        yield live
        return
    for middle in _middles(_text(old), _text(declared), _text(live)):
        value = _typed(middle, old)
        if value is not None and value != old:
            yield value


def _lists(old: list[Any], declared: Any, live: Any) -> Iterator[list[Any]]:
    if isinstance(declared, str) and isinstance(live, str):
        for separator in _SEPARATORS:
            if separator.join(map(str, old)) == declared:
                yield live.split(separator) if live else []
    elif old == declared and isinstance(live, list):
        yield live


def _middles(old: str, declared: str, live: str) -> Iterator[str]:
    """What stands in `live` at each place where `old` stands in `declared`, the text around it being the same."""
    at = declared.find(old) if old else -1
    while at >= 0:
        before, after = declared[:at], declared[at + len(old) :]
        fits = live.startswith(before) and live.endswith(after) and len(live) >= len(before) + len(after)
        if fits and len(live) > len(before) + len(after):
            yield live[len(before) : len(live) - len(after)]
        at = declared.find(old, at + 1)


def _text(value: Any) -> str:
    """As a template prints it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed(text: str, old: Any) -> Any:
    """The text as a value of the type of `old`; None where it is none."""
    if isinstance(old, bool):
        return {"true": True, "false": False}.get(text)
    if isinstance(old, int):
        return int(text) if text.lstrip("-").isdigit() and str(int(text)) == text else None
    return text if isinstance(old, str) else None


def _set(node: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(node, list):
        return [_set(item, rest, value) if index == head else item for index, item in enumerate(node)]
    return {**node, head: _set(node[head], rest, value)}


def key_value_seen_by_template(text: RenderedTemplate, candidate: CandidateConfigKey) -> Any:
    """The value that the key had when the template was rendered."""
    if candidate.root == "lane":
        node: Any = next(one for one in _lanes(text) if one["name"] == candidate.name)
    else:
        node = text.context[candidate.root]
    for part in candidate.path:
        node = node[part]
    return node
