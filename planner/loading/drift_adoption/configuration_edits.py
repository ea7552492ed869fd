"""The edits that give a key its value: in which layers of the configuration, and what the files are then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from planner.document_diff import equal_documents
from planner.drift_adoption import ConfigurationPatch, EditedKeyLocation
from planner.errors import ConfigError
from planner.loading.config import Config, ConfiguredProduct
from planner.loading.config_layers import ConfigLayer
from planner.loading.drift_adoption.candidate_config_keys import CandidateConfigKey, config_entry_of_candidate
from planner.loading.drift_adoption.render_selected_templates import RenderedTemplate
from planner.loading.yaml.load_documents import CONFIG, load_documents
from planner.loading.yaml.text_edit import NotEditableText, edit_yaml_value


def edits_of_candidate(
    config: Config, text: RenderedTemplate, candidate: CandidateConfigKey, patch: ConfigurationPatch
) -> Iterator[tuple[ConfigurationPatch, EditedKeyLocation]]:
    """The ways to give a key its value: where it is decided now, then in the more particular layers, so that other
    nodes and lanes may stay as they are."""
    entry = config_entry_of_candidate(config, text, candidate)
    if isinstance(entry, ConfiguredProduct):
        layers: tuple[ConfigLayer, ...] = (ConfigLayer(entry.spec.model_dump(), entry.origin, ("spec",)),)
    else:
        layers = entry.merged.writable(candidate.path)
    for layer in layers:
        found = _edited(config.folder, layer, candidate, patch)
        if found is not None:
            yield found


def _edited(
    folder: Path, layer: ConfigLayer, candidate: CandidateConfigKey, patch: ConfigurationPatch
) -> tuple[ConfigurationPatch, EditedKeyLocation] | None:
    file = folder / layer.origin.input.name.partition("/")[2]
    path = (*layer.path, *candidate.path)
    data = patch.after.get(file) or file.read_bytes()
    try:
        text = edit_yaml_value(data.decode(), layer.origin.index, path, candidate.value)
    except (NotEditableText, UnicodeDecodeError):
        return None
    edited = text.encode()
    if not _means(data, edited, layer.origin.index, path, candidate.value):
        return None
    before = {**patch.before, file: patch.before.get(file, data)}
    name = patch.shown(file)
    return ConfigurationPatch(folder, before, {**patch.after, file: edited}), EditedKeyLocation(
        name, path, _line(data, edited)
    )


def _line(before: bytes, after: bytes) -> int:
    """The first line that differs."""
    old, new = before.split(b"\n"), after.split(b"\n")
    same = next((at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), len(old))
    return same + 1


def _means(before: bytes, after: bytes, index: int, path: tuple[str | int, ...], value: Any) -> bool:
    """Whether the edited file says what the other one says, but for this value."""
    try:
        old = [one.value for one in load_documents(before, "", CONFIG)]
        new = [one.value for one in load_documents(after, "", CONFIG)]
    except ConfigError:
        return False
    if len(old) != len(new):
        return False
    expected = _put(old[index], path, value)
    return all(equal_documents(one, expected if at == index else old[at]) for at, one in enumerate(new))


def _put(node: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(node, list):
        return [_put(item, rest, value) if at == head else item for at, item in enumerate(node)]
    inside = node if isinstance(node, dict) else {}
    return {**inside, head: _put(inside.get(head), rest, value)}
