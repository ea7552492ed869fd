"""An approval as a file: read back as it was, refused when one byte of it is another one."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from planner.errors import ForeignPlan
from planner.pull_requests.approval_file import is_github_account_name, parse_approval_file, render_approval_file
from planner.pull_requests.approvals import Approval, count_approvals
from planner.spec.pull_requests import ApprovalRules

ID = "sha256:" + "0123456789abcdef" * 4
AT = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)
ONE = Approval("olga", ID, "a" * 40, AT, AT + timedelta(hours=3))


def seal(value: bytes, key: bytes = b"k") -> str:
    return hmac.new(key, value, hashlib.sha256).hexdigest()[:16]


def test_it_is_read_back_as_it_was() -> None:
    assert parse_approval_file(render_approval_file(ONE, seal), seal, "x") == ONE


@pytest.mark.parametrize("key", ["plan", "head", "who", "at", "until"])
def test_an_edit_shows(key: str) -> None:
    document = json.loads(render_approval_file(ONE, seal))
    document["approval"][key] = document["approval"][key].replace("0", "1").replace("a", "b")
    with pytest.raises(ForeignPlan, match="edited, or recorded with another state"):
        parse_approval_file(json.dumps(document), seal, "x")


def test_another_state_did_not_record_it() -> None:
    with pytest.raises(ForeignPlan, match="recorded with another state"):
        parse_approval_file(render_approval_file(ONE, lambda value: seal(value, b"other")), seal, "x")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"schemaVersion": 1, "approval": {"who": 7}}', "hwplan approve"]
)
def test_what_is_no_approval(text: str) -> None:
    with pytest.raises(ForeignPlan, match="this is no approval"):
        parse_approval_file(text, seal, "x")


@pytest.mark.parametrize(
    ("name", "well"), [("olga", True), ("a-b[bot]", True), ("a b", False), ("", False), ("../x", False)]
)
def test_names(name: str, well: bool) -> None:
    assert is_github_account_name(name) is well


@pytest.mark.parametrize(
    ("hours", "head", "effect", "count"),
    [
        (2, "a" * 40, ID, 1),
        (4, "a" * 40, ID, 0),
        (2, "b" * 40, ID, 0),
        (2, "a" * 40, ID.replace("0", "1"), 0),
        (-1, "a" * 40, ID, 1),
    ],
)
def test_its_own_end_counts_besides_the_rules(hours: int, head: str, effect: str, count: int) -> None:
    rules = ApprovalRules(quorum=1, people=("Olga",))
    found = count_approvals([ONE, ONE], rules, head=head, effect=effect, now=AT + timedelta(hours=hours))
    assert len(found.people) == count and bool(found.withdrawn) is not bool(count)
