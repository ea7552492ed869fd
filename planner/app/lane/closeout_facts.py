"""Reads the facts against which a closeout record is checked: git folders, registries, a cluster. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from planner.app.lane.cluster_evidence import ClusterEvidenceReader, Workload
from planner.app.lane.git_evidence import DIGESTS
from planner.app.lane.lane_parts import LaneParts, LaneRunLocation
from planner.app.lane.registry_evidence import open_registry_reader
from planner.commit_id import is_commit_id
from planner.field_path import FieldPath
from planner.rollout import lane_evidence as names
from planner.rollout.lane_evidence import EvidenceReading, LaneEvidence
from planner.values import JsonObject
from providers.cluster_interface import Cluster
from providers.git.git_client import GitClient
from providers.images.image_reference import is_loopback

Now = Callable[[], str]
_AT_ONCE = 4


def read_closeout_git_facts(evidence: LaneEvidence, folders: Sequence[Path], now: Now) -> dict[str, EvidenceReading]:
    """Read the facts of a closeout that git has: in the repositories of these folders, what contains what, the
    snapshot ref, the digests of a commit."""
    repositories = [folder / ".git" if (folder / ".git").is_dir() else folder for folder in folders]
    asked = _Git(GitClient(), repositories, now)
    wanted = {name: one for name, one in evidence.readings.items() if one.readable and _is_git(name)}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda item: asked.fact(*item), wanted.items())
        return dict(zip(wanted, found, strict=True))


def _is_git(name: str) -> bool:
    return name.startswith("contains/") or name in (names.SNAPSHOT, names.GITOPS_NAMES, names.TIP)


class _Git:
    """Asks the first repository that has what is asked about."""

    def __init__(self, client: GitClient, repositories: Sequence[Path], now: Now) -> None:
        self._client = client
        self._repositories = repositories
        self._now = now

    def fact(self, name: str, recorded: EvidenceReading) -> EvidenceReading:
        if name == names.SNAPSHOT:
            return self._ref(recorded.source.rpartition("#")[2])
        if name == names.TIP:
            return self._commit(recorded)
        value = recorded.value if isinstance(recorded.value, dict) else {}
        return self._names(value, recorded) if name == names.GITOPS_NAMES else self._contains(value)

    def _commit(self, recorded: EvidenceReading) -> EvidenceReading:
        """A tip moves on; what can be checked is that the commit exists."""
        repository = self._having(str(recorded.value))
        return (
            self._unknown("no repository has the commit")
            if repository is None
            else self._said(recorded.value, repository)
        )

    def _contains(self, value: JsonObject) -> EvidenceReading:
        old, new = str(value.get("ancestor")), str(value.get("descendant"))
        if value.get("descendant") is None:  # there was no revision, so there is nothing in git to compare
            return EvidenceReading(value, "record", self._now())
        repository = self._having(new)
        if repository is None:
            return self._unknown(f"no repository has the commit {new[:12]}")
        done = self._client.local(repository, "merge-base", "--is-ancestor", old, new)
        holds = False if self._having(old) is None else {0: True, 1: False}.get(done.code)
        return self._said({"ancestor": old, "descendant": new, "holds": holds}, repository)

    def _ref(self, ref: str) -> EvidenceReading:
        for repository in self._repositories:
            done = self._client.local(repository, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", "--")
            commit = done.out.decode(errors="replace").split()
            if ref.startswith("refs/") and done.code == 0 and commit:
                return self._said(commit[0], repository)
        return self._unknown(f"no repository has {ref}")

    def _names(self, value: JsonObject, recorded: EvidenceReading) -> EvidenceReading:
        commit, path = str(value.get("commit")), recorded.source.rpartition("#")[2].partition(":")[2]
        repository = self._having(commit)
        if repository is None:
            return self._unknown(f"no repository has the commit {commit[:12]}")
        words = ("grep", "-hIoE", "-e", DIGESTS, commit, "--", *([path] if path else []))
        found = sorted(set(self._client.local(repository, *words).out.decode(errors="replace").split()))
        digests = sorted({one.rpartition("@")[2] for one in found})
        return self._said(
            {"commit": commit, "digests": digests, "images": [one for one in found if "@" in one]}, repository
        )

    def _having(self, commit: str) -> Path | None:
        if not is_commit_id(commit):
            return None
        return next(
            (one for one in self._repositories if not self._client.local(one, "cat-file", "-e", commit).code), None
        )

    def _said(self, value: object, repository: Path) -> EvidenceReading:
        return EvidenceReading(
            value, repository.name if repository.name != ".git" else repository.parent.name, self._now()
        )

    def _unknown(self, problem: str) -> EvidenceReading:
        return EvidenceReading(None, "git", self._now(), problem=problem)


def read_closeout_registry_facts(
    evidence: LaneEvidence, host: str, now: Now, sandbox: Path | None = None
) -> dict[str, EvidenceReading]:
    """The digests in the registry of the recorded images; `host` is asked instead of the recorded one, if given."""
    images = {names.IMAGE + name: one for name, one in evidence.items(names.IMAGE)}
    plain = frozenset({host} if host and is_loopback(host) else ())
    return open_registry_reader(Path(), sandbox, plain, now, host).digests(images)


def read_closeout_cluster_facts(evidence: LaneEvidence, cluster: Cluster, now: Now) -> dict[str, EvidenceReading]:
    """The run, the Applications and the workloads of a record, as the cluster has them now."""
    reader = ClusterEvidenceReader(
        cluster, LaneParts(runs=tuple(_runs(evidence)), applications=tuple(_applications(evidence))), now
    )
    found: dict[str, EvidenceReading] = {}
    run = evidence.get(names.RUN)
    if run is not None and run.readable and run.value:
        lives, problem = reader.runs()
        live = next((one for one in lives if one["metadata"]["name"] == run.value["name"]), None)
        found[names.RUN] = reader.run(live, evidence.commit, problem or ("" if live else "the run is gone"))[names.RUN]
    found |= {names.ARGO + name: one for name, (one, _) in reader.applications().items()}
    return found | reader.workloads(_workloads(evidence))


def _runs(evidence: LaneEvidence) -> Iterator[LaneRunLocation]:
    run = evidence.get(names.RUN)
    if run is not None and run.readable and run.value:
        yield LaneRunLocation(str(run.value["namespace"]))


def _applications(evidence: LaneEvidence) -> Iterator[tuple[str, str]]:
    for _, one in evidence.items(names.ARGO):
        _, _, rest = one.source.partition("/")
        namespace, _, name = rest.partition("/")
        yield namespace, name


def _workloads(evidence: LaneEvidence) -> Mapping[Workload, FieldPath]:
    found: dict[Workload, FieldPath] = {}
    for _, one in evidence.items(names.WORKLOAD):
        kind, _, rest = one.source.partition("/")
        namespace, _, name = rest.partition("/")
        found[kind.partition(".")[0], namespace, name] = ()
    return found
