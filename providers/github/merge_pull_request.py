"""Merges one pull request: read by number, predict with git, ask GitHub, verify in git (P3, P8, P9, P10).

Never asks for the merge of anything but the reviewed head. What became of a request is read, not believed; a second
request is sent only when the pull request is still open. The commit is handed on only when it is the predicted one.
"""

from __future__ import annotations

from collections.abc import Callable

from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, ProviderError, TemporaryError
from planner.ports import Written
from planner.pull_requests.github_facts import PullRequestState
from planner.pull_requests.github_mergeability import GitHubMergeability, interpret_github_mergeability
from planner.pull_requests.merge_answers import (
    PAUSES,
    GitHubMergeReply,
    MergeAnswerMeaning,
    StepAfterMergeAnswer,
    decide_step_after_merge_answer,
)
from planner.pull_requests.predicted_merge_verification import ConflictingMerge, MergeMismatch, PredictedMerge
from providers.github.client import GitHubClient
from providers.github.conflicting_pull_requests import add_conflicting_pull_requests
from providers.github.pull_request_spec import GitMergePredictor, ParsedPullRequestSpec, merge_outputs
from providers.github.verify_merge import MergeVerifier

RESERVE = 100  # requests that are left for reading and reporting: below it nothing is merged (P18)
_UPDATE = "have the branch brought up to date; then review it again"
_LOOKS = (1.0, 2.0, 4.0, 8.0)  # seconds between two looks while GitHub computes mergeability (P5)


class UnpredictedMerge(PermanentError):
    """A merge that is not the one that was predicted: nothing after it may go on. `mismatch` has both trees."""

    def __init__(self, mismatch: MergeMismatch, where: str) -> None:
        remedy = "look at the branch; nothing was rolled out. Revert it, or accept it by hand"
        super().__init__(mismatch.described(), where=where, remedy=remedy)
        self.mismatch = mismatch


@dataclass(frozen=True, slots=True)
class MergeContext:
    """What merging a pull request needs: the client, git, and the check of the result."""

    client: GitHubClient
    verifier: MergeVerifier
    sleep: Callable[[float], None]
    reserve: int = RESERVE


def merge_pull_request(wanted: ParsedPullRequestSpec, context: MergeContext) -> Written:
    """Merge a pull request at GitHub, or find it merged.

    Raises PreconditionError when the head is not the reviewed commit or it may not be merged any more,
    UnpredictedMerge, TemporaryError when nothing was done and a later try may succeed, PermanentError when an operator
    has to act, OutcomeUnknown when nobody can say whether it was merged.
    """
    reply = GitHubMergeReply(MergeAnswerMeaning.UNKNOWN)
    for tries in range(1, len(PAUSES) + 2):
        pull = wait_until_mergeable(wanted, context)
        if pull.merged:
            return _found_merged(wanted, context, pull, asked=tries > 1)
        predicted = _predicted(wanted, context)
        _keep_reserve(context)
        if context.verifier.git.tip(wanted.git, wanted.base) == predicted.base:
            reply = context.client.merge(wanted.repo, wanted.number, wanted.head, wanted.method)
        else:  # the prediction took a while, and no request can name the base
            reply = GitHubMergeReply(MergeAnswerMeaning.BASE_MOVED)
        step = decide_step_after_merge_answer(reply.answer, tries)
        if step is StepAfterMergeAnswer.VERIFY:
            return _verified(wanted, context, predicted, reply.commit)
        if reply.answer is MergeAnswerMeaning.UNKNOWN and (done := _after_silence(wanted, context, predicted)):
            return done
        if step is not StepAfterMergeAnswer.READ_AGAIN:
            break
        context.sleep(PAUSES[tries - 1])
    raise _refusal(wanted, reply)


def wait_until_mergeable(wanted: ParsedPullRequestSpec, context: MergeContext) -> PullRequestState:
    """The pull request, merged or ready to be: looked at again while GitHub computes. Raises ProviderError."""
    for pause in (*_LOOKS, 0.0):
        pull = context.client.pull(wanted.repo, wanted.number)
        if pull.merged:
            return pull
        refuse_pull_changed_since_review(wanted, pull)
        verdict = interpret_github_mergeability(pull)
        if verdict is GitHubMergeability.READY:
            return pull
        if verdict is GitHubMergeability.CONFLICT:
            _predicted(wanted, context)  # names the files, and whose change they conflict with
        if verdict is not GitHubMergeability.LOOK_AGAIN:
            raise PreconditionError(f"{wanted.shown}: {verdict.value} ({pull.mergeable_state})", where=wanted.shown)
        if pause:
            context.sleep(pause)
    raise TemporaryError("GitHub has not computed yet whether it can be merged", where=wanted.shown)


def refuse_pull_changed_since_review(wanted: ParsedPullRequestSpec, pull: PullRequestState) -> None:
    """Raise PreconditionError when an open pull request is not the one that was reviewed (P3, P7)."""
    reason = describe_change_since_review(wanted, pull)
    if reason:
        raise PreconditionError(f"{wanted.shown}: {reason}", where=wanted.shown, remedy="review it, and plan again")


def describe_change_since_review(wanted: ParsedPullRequestSpec, pull: PullRequestState) -> str:
    """Say what of a pull request is not as it was reviewed (head, base branch, closed); "" for nothing."""
    if pull.head != wanted.head:
        return f"its head is {pull.head}, and {wanted.head} was reviewed"
    if pull.base_branch != wanted.base:
        return f"it is for the branch {pull.base_branch}, and not for {wanted.base}"
    if not pull.is_open and not pull.merged:
        return "it was closed without a merge"
    return ""


def _found_merged(
    wanted: ParsedPullRequestSpec, context: MergeContext, pull: PullRequestState, *, asked: bool
) -> Written:
    """Merged before we asked, by whomever: it enters at the same check (P11, P21)."""
    commit = context.verifier.of_others(wanted, pull)
    if isinstance(commit, MergeMismatch):
        raise UnpredictedMerge(commit, wanted.shown)
    return Written(str(wanted.number), merge_outputs(commit), already=not asked)


def _predicted(wanted: ParsedPullRequestSpec, context: MergeContext) -> PredictedMerge:
    predicted = context.verifier.git.predict(wanted.git, wanted.base, wanted.head, wanted.method)
    if isinstance(predicted, ConflictingMerge):
        predicted = add_conflicting_pull_requests(predicted, context.client, wanted.repo, wanted.base)
        raise PreconditionError(f"{wanted.shown}: {predicted.described()}", where=wanted.shown, remedy=_UPDATE)
    if reason := why_behind_base(wanted, context.verifier.git, predicted):
        raise PreconditionError(f"{wanted.shown}: {reason}", where=wanted.shown, remedy=_UPDATE)
    return predicted


def why_behind_base(wanted: ParsedPullRequestSpec, git: GitMergePredictor, predicted: PredictedMerge) -> str:
    """Why a head is not up to date that has to be; "" where it is or need not be (P6)."""
    if not wanted.up_to_date or git.is_ancestor(predicted.base, predicted.head):
        return ""
    return f"its head does not contain {predicted.base[:12]}, where {wanted.base} stands"


def _keep_reserve(context: MergeContext) -> None:
    quota = context.client.connection.quota
    if quota is not None and quota.remaining < min(context.reserve, quota.limit // 2):
        raise TemporaryError(
            f"only {quota.remaining} requests are left: nothing is merged below {context.reserve}",
            retry_after=quota.resets_in,
        )


def _verified(wanted: ParsedPullRequestSpec, context: MergeContext, predicted: PredictedMerge, named: str) -> Written:
    found = context.verifier.after_merge(wanted, context.client, predicted, named)
    if isinstance(found, MergeMismatch):
        raise UnpredictedMerge(found, wanted.shown)
    moved = f"the base moved on to {found.moved_to[:12]} right before the merge; it is what git makes of that one"
    return Written(str(wanted.number), merge_outputs(found.commit), warnings=(moved,) if found.moved_to else ())


def _after_silence(wanted: ParsedPullRequestSpec, context: MergeContext, predicted: PredictedMerge) -> Written | None:
    """What reading says after an answer that was lost: merged, or None where it is still open (P9)."""
    try:
        pull = context.client.pull(wanted.repo, wanted.number)
    except ProviderError as error:
        raise OutcomeUnknown(
            f"whether it was merged is not known, and then: {error.message}", where=wanted.shown, remedy="run it again"
        ) from None
    return _verified(wanted, context, predicted, "") if pull.merged else None


def _refusal(wanted: ParsedPullRequestSpec, reply: GitHubMergeReply) -> ProviderError:
    said = f' ("{reply.said[:200]}")' if reply.said else ""
    text = f"{wanted.shown}: {reply.answer.value}{said}"
    match reply.answer:
        case MergeAnswerMeaning.HEAD_MOVED:
            return PreconditionError(text, where=wanted.shown, remedy="review it, and plan again")
        case MergeAnswerMeaning.METHOD_REFUSED | MergeAnswerMeaning.FORBIDDEN:
            return PermanentError(text, where=wanted.shown, remedy="an operator has to act: spec.method, or the token")
        case MergeAnswerMeaning.UNKNOWN:
            return OutcomeUnknown(text, where=wanted.shown, remedy="run it again: it reads first")
        case MergeAnswerMeaning.INVALID:
            return PermanentError(text, where=wanted.shown)
        case _:
            return TemporaryError(text, where=wanted.shown)
