"""An approval as a file: who approved which plan, on which head, until when; sealed, so that an edit shows. Pure.

The seal is keyed: the file was recorded with this state and was not edited since. Who somebody is, is the
word of whoever recorded it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from planner.errors import ForeignPlan
from planner.pull_requests.approvals import Approval
from planner.rfc3339 import parse_time

Seal: TypeAlias = Callable[[bytes], str]  # a keyed digest
_DOMAIN = b"hwplan.dev/approval/1\x00"
_EFFECT = re.compile(r"sha256:[0-9a-f]{32,64}")
_HEAD = re.compile(r"([0-9a-f]{40}([0-9a-f]{24})?)?")
_WHO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+\[\]-]{0,79}")
_KEYS = {"plan", "head", "who", "at", "until"}


def is_github_account_name(name: str) -> bool:
    """Whether a name has the form of a GitHub account, so that it may stand for who approves."""
    return _WHO.fullmatch(name) is not None


def render_approval_file(approval: Approval, seal: Seal) -> str:
    """Write an approval as the text of its file, the same bytes for the same approval. Raises ValueError for an
    approval without an end."""
    if approval.until is None:
        raise ValueError("an approval in a file has an end")
    body = {
        "plan": approval.effect,
        "head": approval.head,
        "who": approval.who,
        "at": _instant(approval.at),
        "until": _instant(approval.until),
    }
    document = {"schemaVersion": 1, "approval": body, "seal": seal(_sealed(body))}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def parse_approval_file(text: str, seal: Seal, where: str) -> Approval:
    """Read the approval in the text of its file. Raises ForeignPlan when it is none, was edited, or was recorded with
    another state."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    body = document.get("approval") if isinstance(document, dict) and document.get("schemaVersion") == 1 else None
    if not isinstance(body, dict) or set(body) != _KEYS or not all(isinstance(one, str) for one in body.values()):
        raise ForeignPlan("this is no approval", where=where, remedy="hwplan approve ID writes one")
    if document.get("seal") != seal(_sealed(body)):
        raise ForeignPlan(
            "the approval was edited, or recorded with another state",
            where=where,
            remedy="approve again with this state (--state), or name the state that it was recorded with",
        )
    at, until = parse_time(body["at"]), parse_time(body["until"])
    if not (_EFFECT.fullmatch(body["plan"]) and _HEAD.fullmatch(body["head"]) and is_github_account_name(body["who"])):
        at = None
    if at is None or until is None:
        raise ForeignPlan("this is no approval", where=where, remedy="hwplan approve ID writes one")
    return Approval(body["who"], body["plan"], body["head"], at, until)


def _sealed(body: dict[str, Any]) -> bytes:
    return _DOMAIN + json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
