"""What GitHub's answer to a merge means, and what is done next (P9). Pure."""

from __future__ import annotations

from enum import StrEnum

from planner.dataclass import dataclass


class MergeAnswer(StrEnum):
    """What an answer to `PUT /pulls/{n}/merge` means. The value is for people."""

    MERGED = "merged"
    BASE_MOVED = "the base branch moves on"
    NOT_MERGEABLE = "GitHub says that it is not mergeable"
    METHOD_REFUSED = "this way to merge is not allowed in this repository"
    FORBIDDEN = "the token may not merge here"
    HEAD_MOVED = "the head is not the reviewed commit any more"
    INVALID = "GitHub refuses the request as invalid"
    UNKNOWN = "whether it was merged is not known"


class MergeFollowUp(StrEnum):
    """What follows from an answer."""

    VERIFY = "verify"  # P10
    READ_AGAIN = "read again"  # read everything anew, and merge if it still may be, after a pause
    JUDGE_AGAIN = "judge again"  # P5: back to the list of unmet requirements
    WITHDRAW_APPROVAL = "withdraw the approval"  # P7
    NEXT_CYCLE = "next cycle"  # record it, nothing else
    STOP = "stop the lane"  # an operator has to act


PAUSES = (4.0, 8.0, 16.0)  # seconds before the first, second and third try again (P9)


@dataclass(frozen=True, slots=True)
class MergeReply:
    """An answer with GitHub's own words (foreign text), and the commit that it names ("" for none)."""

    answer: MergeAnswer
    said: str = ""
    commit: str = ""


def classify_merge_answer(status: int, message: str, *, merged: bool = False) -> MergeAnswer:
    """The meaning of a status (0 where no answer came). `merged` is that field of the document of a 200.

    404 is what GitHub says to a token without rights.
    """
    text = message.lower()
    match status:
        case 200:
            return MergeAnswer.MERGED if merged else MergeAnswer.UNKNOWN
        case 403 | 404:
            return MergeAnswer.FORBIDDEN
        case 405 if "base branch was modified" in text:
            return MergeAnswer.BASE_MOVED
        case 405 if "not allowed" in text:
            return MergeAnswer.METHOD_REFUSED
        case 405:
            return MergeAnswer.NOT_MERGEABLE
        case 409:
            return MergeAnswer.HEAD_MOVED
        case 422:
            return MergeAnswer.INVALID
        case _:
            return MergeAnswer.UNKNOWN


def after_merge_answer(answer: MergeAnswer, tries: int) -> MergeFollowUp:
    """What is done after the answer to the try of that number (1 for the first). An answer that is unknown, or that a
    moved base gave, is followed by reading at most three times; then the next cycle has it."""
    match answer:
        case MergeAnswer.MERGED:
            return MergeFollowUp.VERIFY
        case MergeAnswer.BASE_MOVED | MergeAnswer.UNKNOWN:
            return MergeFollowUp.READ_AGAIN if tries <= len(PAUSES) else MergeFollowUp.NEXT_CYCLE
        case MergeAnswer.NOT_MERGEABLE:
            return MergeFollowUp.JUDGE_AGAIN
        case MergeAnswer.HEAD_MOVED:
            return MergeFollowUp.WITHDRAW_APPROVAL
        case MergeAnswer.INVALID:
            return MergeFollowUp.NEXT_CYCLE
        case MergeAnswer.METHOD_REFUSED | MergeAnswer.FORBIDDEN:
            return MergeFollowUp.STOP
