"""What adopting drift comes to, for people and as JSON: each field with its key, the diff, and what was refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from planner.field_path import render_path
from planner.render.json_text import render_document_as_json
from planner.text_safe import safe_text
from planner.values import JsonObject

if TYPE_CHECKING:
    from planner.drift_adoption import AdoptedField, DriftAdoption, UnadoptableField


def render_adoption(adoption: DriftAdoption, *, written: bool, confirm: str, plan: str) -> str:
    """The text of an adoption of drift, without a final newline. `confirm` writes the patch, `plan` shows what is
    left to do then."""
    lines = [line for one in adoption.adopted for line in _adopted(one)]
    lines += [line for one in adoption.refused for line in _refused(one)]
    if diff := adoption.patch.diff():
        lines += ["", *terminal_safe_lines(diff)]
    return "\n".join([*lines, "", *_last(adoption, written, confirm, plan)]).strip("\n")


def adoption_json(adoption: DriftAdoption, *, written: bool) -> str:
    """The adoption of drift as a document for programs."""
    document: JsonObject = {
        "schemaVersion": 1,
        "adopted": [
            {
                "address": str(one.field.address),
                "path": render_path(one.field.path),
                "live": one.field.live,
                "key": {"name": one.name, "file": one.key.file, "line": one.key.line, "path": list(one.key.path)},
            }
            for one in adoption.adopted
        ],
        "refused": [
            {
                "address": str(one.field.address),
                "path": render_path(one.field.path),
                "reason": one.reason,
                "source": {"file": one.source.file, "line": one.source.line},
            }
            for one in adoption.refused
        ],
        "patch": adoption.patch.diff(),
        "written": written,
    }
    return render_document_as_json(document, indent=2, sort_keys=False)


def terminal_safe_lines(text: str) -> Sequence[str]:
    """Lines that a terminal can be given."""
    return [safe_text(line) for line in text.splitlines()]


def _adopted(one: AdoptedField) -> list[str]:
    path = safe_text(f"{one.field.address.local}  {render_path(one.field.path)}")
    return [
        f"adopt   {path}",
        f"        {safe_text(one.name)}  {one.key}  {_short(one.before)} -> {_short(one.field.live)}",
    ]


def _refused(one: UnadoptableField) -> list[str]:
    path = safe_text(f"{one.field.address.local}  {render_path(one.field.path)}".rstrip())
    where = f" ({one.source})" if one.source.file else ""
    return [f"refused {path}", f"        {safe_text(one.reason)}{where}"]


def _short(value: object) -> str:
    text = safe_text(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 60 else f"{text[:59]}…"


def _last(adoption: DriftAdoption, written: bool, confirm: str, plan: str) -> list[str]:
    if adoption.refused:
        able = f", {len(adoption.adopted)} could be adopted" if adoption.adopted else ""
        return [f"{len(adoption.refused)} refused{able}: nothing is written"]
    if not adoption.adopted:
        return ["no drift: nothing to adopt"]
    if written:
        files = ", ".join(sorted({one.key.file for one in adoption.adopted}))
        return [
            f"written: {files}",
            "what is left is to take the fields back, without a change of a value:",
            f"  {plan}",
        ]
    return ["nothing is written yet; to write it:", f"  {confirm}"]
