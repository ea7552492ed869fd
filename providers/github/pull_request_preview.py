"""The PullRequest kind: what is seen of it, and what a plan says of the merge. The merge itself is
`merge_pull_request.py`."""

from __future__ import annotations

from planner.address import Address
from planner.errors import ProviderError
from planner.field_path import FieldPath
from planner.plan import FieldChange, FieldOp
from planner.ports import PresentObject, Preview, PreviewEffect
from planner.pull_requests.github_facts import PullRequestState
from planner.pull_requests.github_mergeability import GitHubMergeability, interpret_github_mergeability
from planner.pull_requests.predicted_merge_verification import ConflictingMerge, MergeMismatch
from planner.resource import Resource
from planner.values import document_digest
from providers.github.conflicting_pull_requests import add_conflicting_pull_requests
from providers.github.merge_pull_request import MergeContext, describe_change_since_review, why_behind_base
from providers.github.pull_request_spec import ParsedPullRequestSpec, merge_outputs

_MERGED: FieldPath = ("merged",)
_SOON = "GitHub is still computing whether it can be merged; the apply waits for it"


def observation_of_pull_request(address: Address, pull: PullRequestState) -> PresentObject:
    """Make the observation of a pull request that was read. Its version is head, base branch and state: what else
    happens to it, or to the base, makes no plan stale, because the apply predicts the merge anew."""
    version = document_digest([pull.head, pull.base_branch, pull.is_open, pull.merged])
    outputs = merge_outputs(pull.merge_commit) if pull.merged else {}
    return PresentObject(
        address, str(pull.number), version, {"merged": pull.merged, "head": pull.head}, outputs=outputs
    )


def preview_pull_request_merge(resource: Resource, wanted: ParsedPullRequestSpec, context: MergeContext) -> Preview:
    """What an apply would do: merge it, nothing because it is merged and verified, or why it cannot."""
    pull = context.client.pull(wanted.repo, wanted.number)
    if pull.merged:
        return _preview_merged(wanted, context, pull)
    fields = (FieldChange(_MERGED, FieldOp.CHANGE, False, True),)
    remedy = "review it, and plan again"
    if reason := describe_change_since_review(wanted, pull):
        return Preview(PreviewEffect.RUN, fields, blocked=reason, remedy=remedy)
    verdict = interpret_github_mergeability(pull)
    if verdict not in (GitHubMergeability.READY, GitHubMergeability.LOOK_AGAIN, GitHubMergeability.CONFLICT):
        return Preview(PreviewEffect.RUN, fields, blocked=verdict.value, evidence=pull.mergeable_state)
    try:
        predicted = context.verifier.git.predict(wanted.git, wanted.base, wanted.head, wanted.method)
    except ProviderError as error:
        return Preview(PreviewEffect.RUN, fields, blocked=f"the merge cannot be predicted: {error.described()}")
    if isinstance(predicted, ConflictingMerge):
        predicted = add_conflicting_pull_requests(predicted, context.client, wanted.repo, wanted.base)
        return Preview(
            PreviewEffect.RUN, fields, blocked=predicted.described(), remedy="have the branch brought up to date"
        )
    if reason := why_behind_base(wanted, context.verifier.git, predicted):
        return Preview(PreviewEffect.RUN, fields, blocked=reason, remedy="have the branch brought up to date")
    if verdict is GitHubMergeability.CONFLICT:
        return Preview(PreviewEffect.RUN, fields, blocked=verdict.value, evidence="git alone finds no conflict")
    warnings = (_SOON,) if verdict is GitHubMergeability.LOOK_AGAIN else ()
    evidence = f"tree {predicted.tree[:12]} on {predicted.base[:12]}"
    return Preview(PreviewEffect.RUN, fields, desired=resource.manifest, evidence=evidence, warnings=warnings)


def _preview_merged(wanted: ParsedPullRequestSpec, context: MergeContext, pull: PullRequestState) -> Preview:
    commit = context.verifier.of_others(wanted, pull)
    if isinstance(commit, MergeMismatch):
        remedy = "look at the branch; revert it, or accept it by hand"
        return Preview(PreviewEffect.RUN, blocked=commit.described(), remedy=remedy)
    return Preview(PreviewEffect.NONE, outputs=merge_outputs(commit))
