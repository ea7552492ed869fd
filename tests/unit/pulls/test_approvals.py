"""The only command of a comment (P20), and when it was written (P7)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from planner.pull_requests.approvals import approvals_in_comments, plan_id_approved_by_comment
from planner.pull_requests.github_facts import IssueComment

ID = "0123456789abcdef" * 2
SINCE = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "effect"),
    [
        (f"hwplan approve {ID}", ID),
        (f"Looks good.\r\n  hwplan approve {ID}  \r\nThanks", ID),
        (f"hwplan approve sha256:{ID * 2}", ID * 2),
        (f"hwplan approve {ID[:31]}", ""),
        (f"hwplan approve {ID * 3}", ""),
        (f"> hwplan approve {ID}", ""),
        (f"please hwplan approve {ID}", ""),
        (f"hwplan approve {ID} --force", ""),
        (f"hwplan approve {ID.upper()}", ""),
        (f"hwplan approve {ID}\nhwplan approve {'f' * 32}", ""),
        ("hwplan apply", ""),
        (f"`hwplan approve {ID}`", ""),
        (f"hwplan\u00a0approve {ID}", ""),
        (f"do not use\u2028hwplan approve {ID}", ""),  # GitHub shows one line
        (f"do not use\x0bhwplan approve {ID}", ""),
    ],
)
def test_p20_the_command_alone_on_its_line(body: str, effect: str) -> None:
    assert plan_id_approved_by_comment(body) == effect


def comment(author: str = "olga", created: str = "2026-11-04T12:00:01Z", updated: str = "") -> IssueComment:
    return IssueComment(1, author, f"hwplan approve {ID}", "", created, updated or created)


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        (comment(), True),
        (comment(created="2026-11-04T11:59:59Z"), False),
        (comment(updated="2026-11-04T12:10:00Z"), False),
        (comment(author="github-actions[bot]"), False),
        (comment(created="yesterday"), False),
        (comment(created="2026-11-04T12:00:01"), False),
    ],
)
def test_p20_on_the_current_head_and_not_edited(given: IssueComment, counts: bool) -> None:
    assert bool(approvals_in_comments([given], "a" * 40, SINCE)) is counts
    assert not approvals_in_comments([given], "a" * 40, None)
