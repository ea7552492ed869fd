"""The plan of a pull request: its merge and the whole rollout after it, as one graph, before anything is merged.

What the merge makes has no value yet; whatever takes it refers to the pull request by name. So the same plan can be
made after the merge, and has the same id (planner.plan_id.merge_and_rollout_effect).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from planner.address import Address, address_of_document, is_hwplan_kind
from planner.app.lane.argo_preview import (
    GitOpsPromotionPreview,
    predict_argo_sync_of_promotion,
    preview_gitops_promotion,
)
from planner.app.load_desired import load_desired_offline
from planner.app.manifests_in_config_maps import manifests_in_config_map, manifests_in_text
from planner.app.plan_with_inputs import PlanWithInputs, plan_selected_resources
from planner.app.pull_requests.monitored_lane import MonitoredLane, find_monitored_lane
from planner.app.request import Request
from planner.app.session import Session
from planner.app.trigger.rollout_plan import open_rollout_session
from planner.dataclass import dataclass
from planner.document_diff import diff_documents
from planner.errors import ConfigError, ProviderError, SelectionError
from planner.graph.resource_index import pod_spec
from planner.loading.yaml.load_documents import MANIFEST, load_documents
from planner.plan import Action, Change, Plan, Precondition, SideEffect, SideEffectKind
from planner.plan_id import merge_and_rollout_effect, parts_of_merge_and_rollout
from planner.pull_requests.github_facts import PullRequestState
from planner.pull_requests.predicted_merge_verification import ConflictingMerge, PredictedMerge
from planner.render.predicted_pull_request_stages import PredictedPullRequestStagesInput
from planner.resource import Resource
from planner.rollout.argo_prediction import ArgoPrediction
from planner.rollout.promotion_commit_prediction import CATALOG
from planner.side_effects import UntouchedObjects
from planner.side_effects.known_callers import effects_on_callers
from planner.side_effects.pod_disruptions import effects_on_workload
from planner.source_line_ref import SourceRef
from planner.user_cache_folder import user_cache_folder
from planner.values import Json, JsonObject, JsonValue, OutputRef, OutputTemplate, document_digest
from providers.git.git_client import GitClient
from providers.git.git_merges import RemoteGitMergePredictor
from providers.git.object_cache import ObjectCache
from providers.git.remotes import open_remote_locations
from providers.github.conflicting_pull_requests import add_conflicting_pull_requests
from providers.github.provider import GitHubProvider
from providers.github_provider_with_git import create_github_provider_without_cluster

_API = "hwplan.dev/v1"
_COMMAND = SourceRef("the command line")
_MOST_FILES = 300


@dataclass(frozen=True, slots=True)
class PullRequestPlan:
    """The plan with what is predicted of it.

    `merge` is what git makes of base and head, None for a pull request that is merged; `files` are those that it
    changes. `promotion` is what the GitOps branch will hold and `argo` what that changes; None where `problem` says why
    nobody knows. `identifier` is what an approval names, `parts` the digests of what it is made of.
    """

    made: PlanWithInputs
    session: Session
    place: MonitoredLane
    pull: PullRequestState
    merge: PredictedMerge | ConflictingMerge | None
    files: tuple[str, ...]
    promotion: GitOpsPromotionPreview | None
    argo: ArgoPrediction | None
    problem: str
    identifier: str
    parts: Mapping[str, str]

    @property
    def plan(self) -> Plan:
        """The plan itself."""
        return self.made.plan


@contextmanager
def open_pull_request_plan(request: Request, number: int) -> Iterator[PullRequestPlan]:
    """Plan the pull request of the one selected lane; the session stays open.

    Raises SelectionError where the words select no lane with pull requests and a rollout, or it is closed,
    ProviderError where it cannot be read.
    """
    place = find_monitored_lane(request)
    with open_rollout_session(place.request, secrets=False) as parts:
        github = create_github_provider_without_cluster(request.config, parts.session.world.sandbox)
        pull = github.clients.of(place.access).pull(place.repo, number)
        _check(pull, place)
        merging = _resource(place, pull, parts.run.address.node_lane)
        resources = tuple(
            _following(one, parts.head.address, merging.address)
            for one in parts.resources
            if one.address != parts.head.address
        )
        wanted = (merging, *resources)
        session = replace(parts.session, stack=replace(parts.session.stack, resources=wanted))
        made = plan_selected_resources(session)
        predicted = _predicted(session, place, pull, github)
        effect = _effect(made, merging, {one.address: one for one in wanted})
        yield PullRequestPlan(
            made, session, place, pull, predicted.merge, predicted.files, predicted.promotion, predicted.argo,
            predicted.problem, document_digest(effect), parts_of_merge_and_rollout(effect),
        )  # fmt: skip


def make_predicted_pull_request_stages_input(found: PullRequestPlan) -> PredictedPullRequestStagesInput:
    """What the predicted stages on the page of a pull request are made from."""
    promotion, pull = found.promotion, found.pull
    after = promotion.after if promotion is not None else None
    services = tuple(name.removesuffix(".yaml") for name in (after.files if after else ()))
    builds = tuple(after.builds) if after else ()
    return PredictedPullRequestStagesInput(
        repo=found.place.repo,
        pull=pull,
        method=found.place.rules.method,
        merge=found.merge,
        files=found.files,
        gitops_branch=found.place.spec.gitops_branch or "",
        gitops=dict(_changed_files(promotion)) if promotion else {},
        builds=builds,
        reused=tuple(name for name in services if name not in builds),
        argo=found.argo,
        pods=_pods_and_callers(promotion, found) if promotion else (),
        problem=found.problem,
        authority=found.place.rules.authority,
        documents=tuple(one.manifest for one in found.session.stack.resources if is_hwplan_kind(one.api_version)),
    )


def _changed_files(promotion: GitOpsPromotionPreview) -> Iterator[tuple[str, str]]:
    before, after = promotion.before, promotion.after
    for name in sorted({*before, *after.files} - {CATALOG}):
        if name not in after.files:
            yield name, "goes"
        elif name.removesuffix(".yaml") in after.builds:
            yield name, "new" if name not in before else "new image"
        elif before.get(name) != after.files[name]:
            yield name, "new" if name not in before else "changed"


def _pods_and_callers(promotion: GitOpsPromotionPreview, found: PullRequestPlan) -> tuple[SideEffect, ...]:
    """What happens to the pods, and who calls those that stop or restart: of everything that the lane declares and that
    is delivered."""
    pods = tuple(_pods(promotion))
    if all(one.kind is SideEffectKind.SCALE for one in pods):
        return pods
    declared = {one.address: one for one in load_desired_offline(found.place.request).resources}
    holders = {one: () for one, each in declared.items() if any(manifests_in_config_map(one, each.manifest))}
    before, after = (
        {one.address: one for name, text in files.items() for one in manifests_in_text(name, text)}
        for files in (promotion.before, promotion.after.files)
    )
    gone = [one for address, one in before.items() if address not in after]
    return (*pods, *effects_on_callers(pods, {**declared, **after}, gone, UntouchedObjects(delivered=holders)))


def _pods(promotion: GitOpsPromotionPreview) -> Iterator[SideEffect]:
    """What the delivered workloads set off, as far as their manifests say: an image that is built is another one."""
    before, after = _workloads(promotion.before), _workloads(promotion.after.files)
    for address in sorted({*before, *after}):
        old, new = before.get(address), after.get(address)
        action = Action.DELETE if new is None else Action.CREATE if old is None else Action.UPDATE
        fields = diff_documents(old or {}, new or {})
        if not fields:
            continue
        change = Change(address, action, "", "", "", Precondition(), _COMMAND, desired=new, fields=fields)
        gone = [Resource(address, "", old, "", "", _COMMAND)] if old is not None and new is None else []
        yield from effects_on_workload(change, None, gone)


def _workloads(files: Mapping[str, str]) -> dict[Address, JsonObject]:
    found: dict[Address, JsonObject] = {}
    for name, text in files.items():
        for one in load_documents(text.encode(), name, MANIFEST) if name.endswith(".yaml") else ():
            if isinstance(one.value, dict) and pod_spec(one.value) is not None:
                found[address_of_document(one.value)] = one.value
    return found


def _check(pull: PullRequestState, place: MonitoredLane) -> None:
    if not (pull.is_open or pull.merged):
        raise SelectionError(f"pull request {pull.number} was closed without a merge", where="--pr")
    if pull.base_branch != place.branch:
        raise SelectionError(
            f"pull request {pull.number} is for another branch than {place.branch}",
            where="--pr",
            remedy=f"{place.node}/{place.lane} rolls out {place.branch} of {place.repo}",
        )


def _resource(place: MonitoredLane, pull: PullRequestState, node_lane: str) -> Resource:
    name = f"pr-{pull.number}"
    spec: JsonObject = {
        "repo": place.repo, "number": pull.number, "base": place.branch, "headSha": pull.head, "git": place.git,
        "method": place.rules.method, "access": place.access,
    }  # fmt: skip
    manifest: JsonObject = {"apiVersion": _API, "kind": "PullRequest", "metadata": {"name": name}, "spec": spec}
    return Resource(Address(node_lane, "PullRequest", "", "", name), _API, manifest, "", "pull request", _COMMAND)


def _following(one: Resource, head: Address, pull: Address) -> Resource:
    """The resource with the merge commit in place of the tip of the branch. What brings the branch itself into the
    mirror takes the commit too: the tip is another one by then."""
    manifest = _renamed(one.manifest, head, pull)
    spec = manifest["spec"] if one.address.kind == "GitRef" and not one.address.group else {}
    source = spec.get("from") or {}
    if spec.get("mode") == "mirror" and source.get("ref") and one.address.name == f"sync-{head.name}":
        commit = {key: value for key, value in source.items() if key != "ref"} | {
            "commit": OutputRef(pull, "mergeCommit")
        }
        manifest = {**manifest, "spec": {**spec, "from": commit}}
    return one if manifest is one.manifest else replace(one, manifest=manifest)


def _renamed(value: JsonValue, head: Address, pull: Address) -> Json:
    match value:
        case dict():
            return {key: _renamed(item, head, pull) for key, item in value.items()}
        case list():
            return [_renamed(item, head, pull) for item in value]
        case OutputRef():
            return _of_merge(value, head, pull)
        case OutputTemplate(parts):
            return OutputTemplate(
                tuple(part if isinstance(part, str) else _of_merge(part, head, pull) for part in parts)
            )
        case _:
            return value


def _of_merge(ref: OutputRef, head: Address, pull: Address) -> OutputRef:
    if (ref.address.kind, ref.address.name) != (head.kind, head.name):
        return ref
    return OutputRef(pull, "mergeCommit" if ref.output == "commit" else ref.output)


def _effect(made: PlanWithInputs, merging: Resource, wanted: Mapping[Address, Resource]) -> JsonObject:
    """What an approval names. Refs of the mirror are made as they are declared whenever they are: how far they have
    come is nothing that anybody approves."""
    after = made.graph.downstream((merging.address,)) if merging.address in made.graph.nodes else frozenset()
    follows = {
        address: one.manifest
        for address, one in wanted.items()
        if is_hwplan_kind(one.api_version) and one is not merging and (address in after or address.kind == "GitRef")
    }
    spec = merging.manifest["spec"]
    pull = {key: spec[key] for key in ("repo", "number", "headSha", "base", "method")}
    return merge_and_rollout_effect(made.plan, pull, follows)


@dataclass(frozen=True, slots=True)
class _Foretold:
    merge: PredictedMerge | ConflictingMerge | None = None
    files: tuple[str, ...] = ()
    promotion: GitOpsPromotionPreview | None = None
    argo: ArgoPrediction | None = None
    problem: str = ""


def _predicted(session: Session, place: MonitoredLane, pull: PullRequestState, github: GitHubProvider) -> _Foretold:
    """What git and Argo CD are predicted to make of it. What cannot be read is the problem, and no error."""
    sandbox = session.world.sandbox
    with TemporaryDirectory(prefix="hwplan-git-") as scratch:
        client = GitClient()
        objects = ObjectCache(client, Path(scratch) if sandbox is not None else user_cache_folder("git"))
        merges = RemoteGitMergePredictor(client, objects, open_remote_locations(session.request.config, sandbox))
        found = _Foretold()
        try:
            base = _base_of(merges, place, pull)
            merge = merges.predict(place.git, place.branch, pull.head, place.rules.method, base)
            found = _Foretold(merge)
            if isinstance(merge, ConflictingMerge):
                merge = add_conflicting_pull_requests(merge, github.clients.of(place.access), place.repo, place.branch)
                return replace(found, merge=merge, problem=merge.described())
            found = replace(found, files=_files(objects, merge))
            promotion = preview_gitops_promotion(session, place.spec, objects, merge.tree)
            return replace(found, promotion=promotion, argo=predict_argo_sync_of_promotion(session, promotion.after))
        except (ProviderError, ConfigError) as error:
            return replace(found, problem=error.message)


def _base_of(merges: RemoteGitMergePredictor, place: MonitoredLane, pull: PullRequestState) -> str:
    """The commit that it is merged into: the tip, or, of a merged one, the first parent of its merge."""
    if not pull.merged:
        return ""
    history = merges.merged(place.git, place.branch, pull.merge_commit, 1)
    return history.commits[0].parents[0] if history.commits and history.commits[0].parents else ""


def _files(objects: ObjectCache, merge: PredictedMerge) -> tuple[str, ...]:
    done = objects.local(merge.head, "diff-tree", "-r", "-z", "--name-only", "--no-commit-id", merge.base, merge.tree)
    names = [name for name in done.out.decode(errors="replace").split("\0") if name]
    return tuple(names[:_MOST_FILES])
