"""A pull request as stages: merge, mirror, run, GitOps, Argo CD, pods, gate. Pure, safe to show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from planner.dataclass import dataclass
from planner.duration import render_duration
from planner.plan import Action, Change, Plan, SideEffect, SideEffectKind
from planner.pull_requests.github_facts import PullRequestState
from planner.pull_requests.predicted_merge_verification import ConflictingMerge, PredictedMerge
from planner.render.field_detail import inline_value
from planner.render.git_change_under_review import ReviewFact
from planner.render.sentences_with_outside_names import OutsideText, Part, Words, name_list, words_safe_to_show
from planner.resource import DEFAULT_WAIT_SECONDS
from planner.rollout.argo_prediction import ArgoPrediction
from planner.spec.kinds.probes import HttpProbeSpec
from planner.values import JsonObject

_MOST = 8
_WITHIN = HttpProbeSpec.model_fields["within"].default
_WORDS = {Action.CREATE: "creates ", Action.UPDATE: "changes ", Action.DELETE: "deletes ", Action.RUN: "runs "}


@dataclass(frozen=True, slots=True)
class PredictedPullRequestStagesInput:
    """What the predicted stages of a pull request are made from.

    `merge` is None where it cannot be predicted; `files` are what it changes. `gitops` says of each file of the
    GitOps branch that changes what becomes of it; `builds` and `reused` are services. `pods` follow from the
    delivered workloads. `documents` are all resources of the rollout, `problem` says why a part is unknown,
    `authority` is the node that merges.
    """

    repo: str
    pull: PullRequestState
    method: str
    merge: PredictedMerge | ConflictingMerge | None
    files: tuple[str, ...]
    gitops_branch: str
    gitops: Mapping[str, str]
    builds: tuple[str, ...]
    reused: tuple[str, ...]
    argo: ArgoPrediction | None
    pods: tuple[SideEffect, ...]
    problem: str
    authority: str
    documents: Sequence[JsonObject] = field(default=(), repr=False)


def predicted_pull_request_stage_facts(way: PredictedPullRequestStagesInput, plan: Plan) -> tuple[ReviewFact, ...]:
    """The stages that a pull request will pass once it is merged, in their order, with what each will change; what
    nobody can know before says so."""
    changes = {change.address.kind: change for change in plan.changes if not change.address.group}
    found: list[tuple[str, Iterator[Part]]] = [
        ("merge", _merge(way)),
        ("mirror", _mirror(way, plan)),
        ("run", _run(way, changes.get("PipelineRun"))),
        ("GitOps", _gitops(way)),
        ("Argo CD", _argo(way, changes.get("ArgoSync"))),
        ("pods", _pods(way)),
        ("migration", _migrations(plan)),
        ("gate", _gate(way)),
        ("unknown", _unknown(way)),
    ]
    facts = (ReviewFact(title, words_safe_to_show(parts)) for title, parts in found)
    return tuple(fact for fact in facts if "".join(fact.words))


def pull_request_merge_effect_headline(way: PredictedPullRequestStagesInput) -> Words:
    """The effect of the merge in a sentence or two: what is built, which pods start, stop or restart, what goes."""
    return words_safe_to_show(_headline(way))


def _headline(way: PredictedPullRequestStagesInput) -> Iterator[Part]:
    pull = way.pull
    if isinstance(way.merge, ConflictingMerge):
        yield "It cannot be merged: "
        yield OutsideText(way.merge.described())
        return
    yield "Its merge into " if not pull.merged else "It was merged into "
    yield OutsideText(pull.base_branch)
    yield ", which changes 1 file," if len(way.files) == 1 else f", which changes {len(way.files)} files,"
    if not (way.builds or way.reused):
        yield " starts a run; what that builds is unknown: "
        yield OutsideText(way.problem or "the lane has no list of services")
        return
    yield f" starts a run that builds {len(way.builds)} services and reuses {len(way.reused)}. "
    told: dict[str, list[str]] = {}
    for one in way.pods:
        if one.kind is not SideEffectKind.CALLERS:
            told.setdefault(one.text, []).append(one.address.name)
    for at, (text, names) in enumerate(told.items()):
        yield "; " if at else ""
        yield from name_list(names, _MOST)
        yield f": {text}"
    yield "No pod starts or stops" if not told else ""
    gone = [one.address.local for one in way.argo.changes if one.action is Action.DELETE] if way.argo else []
    if gone:
        yield "; deleted: "
        yield from name_list(gone, _MOST)
    elif way.argo is not None and not way.argo.problem:
        yield "; nothing is deleted"
    yield "."


def what_pull_request_approval_covers(way: PredictedPullRequestStagesInput, identifier: str) -> Words:
    """What an approval of this pull request's plan covers, what voids it, and who acts."""
    return words_safe_to_show(
        (
            "An approval of this id covers the merge of head ",
            OutsideText(way.pull.head[:12]),
            " and everything above, whatever commit the merge makes. It stays valid when the base moves on without"
            " changing any of that, and after the merge. It becomes void after a push, and when the configuration or"
            " one of the changed objects changes. To approve, write a comment with ",
            OutsideText(f"hwplan approve {identifier}"),
            " alone on a line, or ",
            OutsideText(f"hwplan approve {identifier} --head {way.pull.head}"),
            ". The approval itself applies nothing: the monitor of ",
            OutsideText(way.authority),
            " merges, and each node of the lane rolls out.",
        )
    )


def _merge(way: PredictedPullRequestStagesInput) -> Iterator[Part]:
    pull = way.pull
    yield "pull request "
    yield OutsideText(f"{pull.number} of {way.repo}")
    yield ", head "
    yield OutsideText(f"{pull.head_branch} {pull.head[:12]}")
    if pull.merged:
        yield ": merged as "
        yield OutsideText(pull.merge_commit[:12])
    if isinstance(way.merge, ConflictingMerge):
        yield ": "
        yield OutsideText(way.merge.described())
        return
    if way.merge is not None:
        yield f", by {way.method} on "
        yield OutsideText(f"{pull.base_branch} {way.merge.base[:12]}")
        yield "; tree "
        yield OutsideText(way.merge.tree[:12])
        yield ", 1 file changes: " if len(way.files) == 1 else f", {len(way.files)} files change: "
        yield from name_list(way.files, _MOST)
    elif way.problem:
        yield "; what the merge makes is unknown: "
        yield OutsideText(way.problem)
    yield "."


def _mirror(way: PredictedPullRequestStagesInput, plan: Plan) -> Iterator[Part]:
    refs = [one for one in plan.changes if one.address.kind == "GitRef" and not _is_flush(one)]
    if not refs:
        yield "has the commit already, under a ref that never moves."
        return
    yield "gets the merge commit, under a ref that never moves: "
    yield from name_list([str(one.address.name) for one in refs])
    yield "."


def _is_flush(change: Change) -> bool:
    return change.address.name.startswith("flush-")


def _run(way: PredictedPullRequestStagesInput, change: Change | None) -> Iterator[Part]:
    if change is None:
        yield "the run of the merge commit has finished. "
    else:
        run = ((change.desired or {}).get("spec") or {}).get("manifest") or {}
        yield "PipelineRun "
        yield OutsideText(inline_value((run.get("metadata") or {}).get("name", "")).strip('"'))
        yield f", waited for up to {_waited(change)}. "
    if way.builds:
        yield f"Builds {len(way.builds)}: "
        yield from name_list(way.builds)
        yield ". "
    if way.reused:
        yield f"Reuses {len(way.reused)}: "
        yield from name_list(way.reused)
        yield "."
    if not (way.builds or way.reused):
        yield "What it builds is unknown: "
        yield OutsideText(way.problem or "the lane has no list of services")


def _waited(change: Change) -> str:
    """How long it is waited for at most; longer is pending, exit code 4."""
    return render_duration(DEFAULT_WAIT_SECONDS if change.wait_seconds is None else change.wait_seconds)


def _gitops(way: PredictedPullRequestStagesInput) -> Iterator[Part]:
    if not (way.builds or way.reused):
        yield "unknown: "
        yield OutsideText(way.problem or "the lane promotes nothing")
        return
    yield "one commit on "
    yield OutsideText(way.gitops_branch)
    yield ": " if way.gitops else " with no change of a manifest."
    for at, (name, word) in enumerate(way.gitops.items()):
        yield ", " if at else ""
        yield OutsideText(name)
        yield f" ({word})"


def _argo(way: PredictedPullRequestStagesInput, change: Change | None) -> Iterator[Part]:
    if change is None:
        yield "nothing to sync."
        return
    yield "syncs "
    yield OutsideText(str(((change.desired or {}).get("spec") or {}).get("application") or change.address.name))
    yield " at the promoted revision, once, and waits until it is Synced and Healthy"
    yield f", for up to {_waited(change)}. "
    if way.argo is None or way.argo.problem:
        yield "Which live objects that changes is unknown: "
        yield OutsideText(way.argo.problem if way.argo is not None else way.problem)
        return
    for action, words in _WORDS.items():
        if found := [one.address.local for one in way.argo.changes if one.action is action]:
            yield f"It {words}"
            yield from name_list(found)
            yield ". "
    yield f"{way.argo.unchanged} objects do not change."


def _pods(way: PredictedPullRequestStagesInput) -> Iterator[Part]:
    if not way.pods:
        yield "none starts or stops." if way.builds or way.reused else "unknown."
    for at, one in enumerate(way.pods):
        yield "; " if at else ""
        yield OutsideText(one.address.name)
        yield ", known callers: " if one.kind is SideEffectKind.CALLERS else ": "
        yield OutsideText(one.text) if one.kind is SideEffectKind.CALLERS else one.text


def _gate(way: PredictedPullRequestStagesInput) -> Iterator[Part]:
    probes = [(one.get("spec") or {}) for one in way.documents if one.get("kind") == "HttpProbe"]
    for role in ("gate", "diagnostic"):
        if urls := [str(one.get("url")) for one in probes if one.get("role", "gate") == role]:
            yield "asks " if role == "gate" else "; diagnostic only: "
            yield from name_list(urls)
    if not probes:
        yield "none declared"
    limits = sorted({str(one.get("within") or _WITHIN) for one in probes})
    yield f"; all tries of one within {' or '.join(limits)}" if limits else ""
    yield "."


def _migrations(plan: Plan) -> Iterator[Part]:
    """The commands in containers that come after the sync; nothing where there are none."""
    commands = [one for one in plan.changes if (one.address.kind, one.address.group) == ("PodExec", "")]
    for at, change in enumerate(commands):
        spec = (change.desired or {}).get("spec") or {}
        yield "; " if at else "after the sync, before the gate: "
        yield OutsideText(" ".join(map(str, spec.get("command") or ())))
        yield " in "
        yield OutsideText(f"{spec.get('target')} {spec.get('container')}")
        yield ", once for each image that really runs there (imageID)" if spec.get("oncePerImage") is True else ""
    yield ". Neither undo nor an older image takes back what a migration did to data." if commands else ""


def _unknown(way: PredictedPullRequestStagesInput) -> Iterator[Part]:
    yield "" if way.pull.merged else "the merge commit, "
    if way.builds:
        yield f"the digests of {len(way.builds)} images, "
    yield "the promoted revision."
