"""What GitHub's answer to a merge means, and what is done next (P9). Pure."""

from __future__ import annotations

from enum import StrEnum

from planner.dataclass import dataclass


class MergeAnswerMeaning(StrEnum):
    """What an answer to `PUT /pulls/{n}/merge` means. The value is for people."""

    MERGED = "merged"
    BASE_MOVED = "the base branch moves on"
    NOT_MERGEABLE = "GitHub says that it is not mergeable"
    METHOD_REFUSED = "this way to merge is not allowed in this repository"
    FORBIDDEN = "the token may not merge here"
    HEAD_MOVED = "the head is not the reviewed commit any more"
    INVALID = "GitHub refuses the request as invalid"
    UNKNOWN = "whether it was merged is not known"


class StepAfterMergeAnswer(StrEnum):
    """What is done next after GitHub's answer to a merge."""

    VERIFY = "verify"  # P10
    READ_AGAIN = "read again"  # read everything anew, and merge if it still may be, after a pause
    JUDGE_AGAIN = "judge again"  # P5: back to the list of unmet requirements
    WITHDRAW_APPROVAL = "withdraw the approval"  # P7
    NEXT_CYCLE = "next cycle"  # record it, nothing else
    STOP = "stop the lane"  # an operator has to act


PAUSES = (4.0, 8.0, 16.0)  # seconds before the first, second and third try again (P9)


@dataclass(frozen=True, slots=True)
class GitHubMergeReply:
    """GitHub's answer to a merge: its meaning, GitHub's own words (foreign text), and the commit that it names ("" for
    none)."""

    answer: MergeAnswerMeaning
    said: str = ""
    commit: str = ""


def classify_merge_answer(status: int, message: str, *, merged: bool = False) -> MergeAnswerMeaning:
    """Classify GitHub's answer to a merge by its HTTP status (0 where no answer came) and message. `merged` is that
    field of the document of a 200.

    404 is what GitHub says to a token without rights.
    """
    text = message.lower()
    match status:
        case 200:
            return MergeAnswerMeaning.MERGED if merged else MergeAnswerMeaning.UNKNOWN
        case 403 | 404:
            return MergeAnswerMeaning.FORBIDDEN
        case 405 if "base branch was modified" in text:
            return MergeAnswerMeaning.BASE_MOVED
        case 405 if "not allowed" in text:
            return MergeAnswerMeaning.METHOD_REFUSED
        case 405:
            return MergeAnswerMeaning.NOT_MERGEABLE
        case 409:
            return MergeAnswerMeaning.HEAD_MOVED
        case 422:
            return MergeAnswerMeaning.INVALID
        case _:
            return MergeAnswerMeaning.UNKNOWN


def decide_step_after_merge_answer(answer: MergeAnswerMeaning, tries: int) -> StepAfterMergeAnswer:
    """Decide what is done after the answer to the try of that number (1 for the first). An answer that is unknown, or
    that a moved base gave, is followed by reading at most three times; then the next cycle has it."""
    match answer:
        case MergeAnswerMeaning.MERGED:
            return StepAfterMergeAnswer.VERIFY
        case MergeAnswerMeaning.BASE_MOVED | MergeAnswerMeaning.UNKNOWN:
            return StepAfterMergeAnswer.READ_AGAIN if tries <= len(PAUSES) else StepAfterMergeAnswer.NEXT_CYCLE
        case MergeAnswerMeaning.NOT_MERGEABLE:
            return StepAfterMergeAnswer.JUDGE_AGAIN
        case MergeAnswerMeaning.HEAD_MOVED:
            return StepAfterMergeAnswer.WITHDRAW_APPROVAL
        case MergeAnswerMeaning.INVALID:
            return StepAfterMergeAnswer.NEXT_CYCLE
        case MergeAnswerMeaning.METHOD_REFUSED | MergeAnswerMeaning.FORBIDDEN:
            return StepAfterMergeAnswer.STOP
