"""The diagnosis of a catalog that did not reach the planning step: everything is built for a small change.

Pure. The facts are results of the run (A13): `buildServices`, `reusedServices`, `affectedServices` and `changedFiles`.
"""

from __future__ import annotations

import json

from planner.values import JsonObject, JsonValue

NOT_HYDRATED = "catalog-not-hydrated"


def warning_of_full_build_without_catalog(outputs: JsonObject, services: int, small_diff: int) -> str:
    """The warning that a small change built every service because the catalog was missing; empty where that is not so.
    `services` is how many the lane has, `small_diff` the number
    of changed files up to which a change is small."""
    built, reused = parse_name_list(outputs.get("buildServices")), parse_name_list(outputs.get("reusedServices"))
    changed = _number(outputs.get("changedFiles"))
    if built is None or reused is None or changed is None:
        return ""
    if reused or services < 2 or len(built) < services or changed > small_diff:
        return ""
    return (
        f"{NOT_HYDRATED}: the commit changes {changed} files, all {len(built)} services were built and none reused; "
        "probably the catalog of the GitOps branch did not reach plan-artifacts; do not rerun: look at the log of "
        "plan-artifacts and at the catalog in the GitOps branch"
    )


def parse_name_list(value: JsonValue) -> tuple[str, ...] | None:
    """Read a list of names: an array result, or a string with JSON or words in it; None where there is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return tuple(str(value).replace(",", " ").split())
    return tuple(str(one) for one in value) if isinstance(value, (list, tuple)) else None


def _number(value: JsonValue) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None
