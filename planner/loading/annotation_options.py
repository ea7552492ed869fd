"""The annotations that hwplan reads: from text to planner.resource.ResourceOptions, all problems of a resource at
once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from planner import duration, field_path
from planner.address import Address
from planner.field_path import FieldPath
from planner.loading.problems import did_you_mean
from planner.resource import (
    ADOPT_FIELDS,
    ANNOTATION,
    APPLIED,
    DEPENDS_ON,
    GENERATED,
    IGNORE_FIELDS,
    ON_DELETE,
    PROTECT,
    PROVENANCE,
    REPLACE,
    ROLE,
    SCOPE,
    TAKE_OVER,
    WAIT,
    ResourceOptions,
    annotation_that_keeps_object,
)

Report: TypeAlias = Callable[[str, str, str], None]  # annotation, message, suggestion

ROLES = ("source", "pipelinerun", "argo", "runtime", "probe", "mirror", "rules")
_WRITTEN = (APPLIED, GENERATED)
_KNOWN = (
    ADOPT_FIELDS, DEPENDS_ON, IGNORE_FIELDS, ON_DELETE, PROTECT, PROVENANCE, REPLACE, ROLE, SCOPE, TAKE_OVER, WAIT
)  # fmt: skip


def parse_annotation_options(annotations: Mapping[str, str], report: Report) -> ResourceOptions:
    """The options of a resource. What cannot be read is given to `report` and left at its default."""
    on_delete = "orphan" if annotation_that_keeps_object(annotations) else "delete"
    ours = {key: value for key, value in annotations.items() if key.startswith(ANNOTATION) and key not in _WRITTEN}
    for key in sorted(ours.keys() - set(_KNOWN)):
        report(key, f"unknown annotation {key}", did_you_mean(key, _KNOWN))
    if not ours:
        return ResourceOptions(on_delete=on_delete)
    wait, wait_seconds = _wait(ours, report)
    return ResourceOptions(
        wait=wait,
        wait_seconds=wait_seconds,
        replace_allowed=_choice(ours, REPLACE, ("forbid", "allow"), report) == "allow",
        protect=_choice(ours, PROTECT, ("false", "true"), report) == "true",
        ignore_fields=_paths(ours, IGNORE_FIELDS, report),
        adopt_fields=_paths(ours, ADOPT_FIELDS, report),
        take_over=tuple(_items(ours, TAKE_OVER)),
        on_delete=_choice(ours, ON_DELETE, ("delete", "orphan"), report) if ON_DELETE in ours else on_delete,
        role=_choice(ours, ROLE, ("", *ROLES), report),
        provenance=next(iter(_paths(ours, PROVENANCE, report)), ()),
        depends_on=_addresses(ours, report),
    )


def options_with_wait_of_spec(options: ResourceOptions, spec: object) -> ResourceOptions:
    """The options with the `wait` that a kind of ours has in its spec; an annotation goes before it."""
    declared = spec.get("wait") if isinstance(spec, dict) else None
    if options != replace(options, wait="ready", wait_seconds=None) or not isinstance(declared, str):
        return options
    return replace(options, wait_seconds=duration.parse_duration(declared))


def _choice(ours: Mapping[str, str], key: str, choices: tuple[str, ...], report: Report) -> str:
    value = ours.get(key, choices[0])
    if value in choices:
        return value
    report(key, f"{key} is none of: {', '.join(choice for choice in choices if choice)}", did_you_mean(value, choices))
    return choices[0]


def _wait(ours: Mapping[str, str], report: Report) -> tuple[str, float | None]:
    value = ours.get(WAIT, "ready")
    if value in ("ready", "none"):
        return value, None
    try:
        return "ready", duration.parse_duration(value)
    except ValueError:
        report(WAIT, f"{WAIT} is neither none, ready nor a duration", "write 90s, 5m or 1h30m")
        return "ready", None


def _items(ours: Mapping[str, str], key: str) -> list[str]:
    return [item.strip() for item in ours.get(key, "").split(",") if item.strip()]


def _paths(ours: Mapping[str, str], key: str, report: Report) -> tuple[FieldPath, ...]:
    found: list[FieldPath] = []
    for item in _items(ours, key):
        try:
            found.append(field_path.parse_path(item))
        except ValueError:
            report(
                key,
                f"{key} holds something that is no field path",
                "write spec.replicas or spec.containers[name=a].image",
            )
    return tuple(found)


def _addresses(ours: Mapping[str, str], report: Report) -> tuple[Address, ...]:
    found: list[Address] = []
    for item in _items(ours, DEPENDS_ON):
        try:
            found.append(Address.parse(item))
        except ValueError:
            report(
                DEPENDS_ON, f"{DEPENDS_ON} holds something that is no address", "write Kind[.group]/[namespace/]name"
            )
    return tuple(found)
