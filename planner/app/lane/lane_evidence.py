"""Reads all evidence of one lane about one commit, at one moment. Writes nothing."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor

from planner.app.lane.cluster_evidence import (
    ClusterEvidenceReader,
    commits_named_by_run,
    newest_run_of_commit,
    runtime_workloads_of_lane,
)
from planner.app.lane.git_evidence import GitEvidenceReader, RemoteRefs
from planner.app.lane.lane_parts import LaneParts
from planner.app.lane.probe_evidence import ProbeEvidenceReader, open_probe_reader
from planner.app.lane.registry_evidence import RegistryEvidenceReader, open_registry_reader, reused_images
from planner.app.session import Session
from planner.commit_id import is_commit_id
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.redaction.clean_values import TextCleaner, clean_texts_in_value
from planner.redaction.redactor import REDACTOR
from planner.rollout import lane_evidence as names
from planner.rollout.lane_equations import gitops_commit_of_target
from planner.rollout.lane_evidence import EvidenceReading, LaneEvidence, Readings, read_at_one_moment
from planner.values import JsonObject

_AT_ONCE = 2  # beside the reading of the cluster: the remotes, and then the probes
_SHORTEST = 7  # digits of a commit id that is taken for a short one


@dataclass(frozen=True, slots=True)
class CommitOrRunToReport:
    """Which commit or PipelineRun a status is about: a commit, a run by its name, or (both empty) the tip of the
    branch."""

    commit: str = ""
    run: str = ""

    @property
    def pinned(self) -> bool:
        """Whether the user named it."""
        return bool(self.commit or self.run)


@dataclass(frozen=True, slots=True)
class EvidenceReaders:
    """The readers of git, cluster, registry and probes for one lane. `closed` are the commits that were closed
    before, newest first; `warn_after` the seconds after which the lane warns, None where it has no such limit."""

    subjects: LaneParts
    cluster: ClusterEvidenceReader
    git: GitEvidenceReader
    registry: RegistryEvidenceReader
    probes: ProbeEvidenceReader
    closed: tuple[str, ...] = ()
    warn_after: float | None = None


def read_lane_evidence(readers: EvidenceReaders, lane: str, target: CommitOrRunToReport) -> LaneEvidence:
    """The evidence of a lane, free of secrets. Raises SelectionError when the target cannot be found."""
    commits: list[str] = []

    with ThreadPoolExecutor(_AT_ONCE) as beside:

        def read() -> Readings:
            commit, readings = _read(readers, target, beside)
            commits.append(commit)
            return readings

        readings, torn = read_at_one_moment(read)
    torn = torn or commits[-1] != commits[-2]
    return clean_texts_in_value(LaneEvidence(lane, commits[-1], readings, target.pinned, torn), _STORABLE)


def _clean(text: str) -> str:
    """Without secrets, and as text that can be stored: a server may send half a surrogate pair."""
    return REDACTOR.clean(text).encode(errors="replace").decode()


_STORABLE = TextCleaner(_clean, lambda _: False)


def _read(readers: EvidenceReaders, target: CommitOrRunToReport, beside: Executor) -> tuple[str, Readings]:
    """One reading. What needs no answer of the cluster is asked for beside it: the remotes, and the probes."""
    looking = beside.submit(readers.git.look)
    runs, problem = readers.cluster.runs()
    applications = readers.cluster.applications()
    look = looking.result()
    found: dict[str, EvidenceReading] = {**look.tip()}
    commit, live = _chosen(target, found.get(names.TIP), runs, problem, look)
    answering = beside.submit(readers.probes.answers, commit)
    found |= {**look.snapshot(commit), **look.gitops(), **look.flows()} if commit else {}
    found |= readers.cluster.run(live, commit, problem)
    found |= {names.ARGO + name: one for name, (one, _) in applications.items()}
    managed = [live for _, live in applications.values() if live]
    found |= readers.cluster.workloads(runtime_workloads_of_lane(readers.subjects, managed))
    found |= _in_git(readers, commit, found, {name: live for name, (_, live) in applications.items()})
    images = {name: one for name, one in found.items() if name.startswith(names.IMAGE)}
    if (named := found.get(names.GITOPS_NAMES)) is not None:
        images |= reused_images(named, images, readers.subjects.image_hosts)
    found |= {**images, **readers.registry.digests(images)}
    return commit, found | answering.result() | _for_closeout(readers, commit)


def _for_closeout(readers: EvidenceReaders, commit: str) -> dict[str, EvidenceReading]:
    """What only a record is about: the limit of the lane, and whether what was closed before contains the commit."""
    found: dict[str, EvidenceReading] = {}
    if readers.warn_after is not None:
        found[names.BUDGET] = EvidenceReading({"warnAfter": readers.warn_after}, "configuration", readers.cluster.now())
    before = next((one for one in readers.closed if one != commit), "")
    if commit and before and readers.subjects.heads:
        (_, head), *_ = readers.subjects.heads
        found[names.CONTAINS_BEFORE] = readers.git.contains(head, commit, before, f"refs/heads/{head.get('branch')}")
    return found


def _chosen(
    target: CommitOrRunToReport, tip: EvidenceReading | None, runs: list[JsonObject], problem: str, look: RemoteRefs
) -> tuple[str, JsonObject | None]:
    """The commit of the target and its run."""
    if target.run:
        live = next((one for one in runs if one["metadata"]["name"] == target.run), None)
        if live is None:
            why = problem or "there is no such run in the lane"
            raise SelectionError(why, where=f"--pipeline-run {target.run}", remedy="hwplan status")
        return next(iter(commits_named_by_run(live)), ""), live
    if target.commit:
        commit = _whole(target.commit, {*look.commits(), *(one for run in runs for one in commits_named_by_run(run))})
    elif tip is None:  # no source is declared: the newest run says what was rolled out last
        commit = next(iter(commits_named_by_run(runs[0])), "") if runs else ""
    else:
        commit = str(tip.value or "") if tip.readable else ""
    return commit, newest_run_of_commit(runs, commit)


def _whole(given: str, known: set[str]) -> str:
    if len(given) in (40, 64):
        return given
    matching = sorted(one for one in known if one.startswith(given)) if len(given) >= _SHORTEST else []
    if len(matching) != 1:
        why = "several commits begin so" if matching else "no known commit begins so"
        why = why if len(given) >= _SHORTEST else f"a short commit id has {_SHORTEST} digits or more"
        raise SelectionError(why, where=f"--source-commit {given}", remedy="give the whole commit id")
    return matching[0]


def _in_git(
    readers: EvidenceReaders, commit: str, found: Readings, applications: dict[str, JsonObject]
) -> dict[str, EvidenceReading]:
    """What git says about commits that were read elsewhere: ancestors, and the digests of the GitOps commit."""
    more: dict[str, EvidenceReading] = {}
    git, subjects = readers.git, readers.subjects
    tip = found.get(names.TIP)
    if tip is not None and commit and tip.readable and tip.value:
        (_, head), *_ = subjects.heads
        more[names.CONTAINS_TIP] = git.contains(head, commit, str(tip.value), f"refs/heads/{head.get('branch')}")
    gitops = gitops_commit_of_target(LaneEvidence("", commit, found))
    if not gitops:
        return more
    for name, live in applications.items():
        side = _gitops_side(subjects, live)
        reached = found[names.ARGO + name]
        revision = reached.value.get("revision") if reached.readable and reached.value else None
        if revision and is_commit_id(str(revision)):
            more[names.CONTAINS_ARGO + name] = git.contains(side, gitops, str(revision), str(side.get("ref") or ""))
        elif reached.readable:  # never compared, or with a name, which is no commit that could contain another
            value = {"ancestor": gitops, "descendant": revision, "holds": False}
            more[names.CONTAINS_ARGO + name] = EvidenceReading(value, reached.source, reached.at, reached.version)
    if applications:
        live = next(iter(applications.values()))
        side, path = _gitops_side(subjects, live), str(_source(live).get("path") or "")
        more[names.GITOPS_NAMES] = git.named_digests(side, gitops, path.strip("./"), str(side.get("ref") or ""))
    return more


def _gitops_side(subjects: LaneParts, application: JsonObject) -> JsonObject:
    """The repository of the GitOps branch as it is reached from here: the mirror's, else the one that Argo CD uses."""
    flows = [spec["from"] for _, spec in subjects.flows]
    side: JsonObject = flows[0] if len(flows) == 1 else {"remote": _source(application).get("repoURL") or ""}
    return side


def _source(application: JsonObject) -> JsonObject:
    source: JsonObject = (application.get("spec") or {}).get("source") or {}
    return source


def open_evidence_readers(session: Session, subjects: LaneParts) -> EvidenceReaders:
    """Open the readers of git, cluster, registry and probes that one command needs."""
    world, folder = session.world, session.request.config
    now = world.clock.now
    return EvidenceReaders(
        subjects,
        ClusterEvidenceReader(world.cluster, subjects, now),
        GitEvidenceReader(subjects, folder, world.sandbox, now),
        open_registry_reader(folder, world.sandbox, subjects.plain_hosts, now),
        open_probe_reader(subjects, world.sandbox, now),
    )
