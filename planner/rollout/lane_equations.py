"""The equations between the readings of a lane, each with its result and the readings it was made of (C5).

An equation holds, is broken, is pending (what it waits for is under way) or unknown (a side could not be read: C7).
One about something that the lane does not have is not made. Decides nothing about the lane: that is lane_verdict.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from planner.dataclass import dataclass
from planner.rollout import lane_evidence as names
from planner.rollout.lane_evidence import EvidenceReading, LaneEvidence
from planner.values import Json, JsonObject, JsonValue

PROMOTE = "gitops-promote"  # the task of a pipeline that pushes to the GitOps branch (spec 02, S05)
_SUPERSEDED = 3  # its exit code, as that of hwplan
_RUNS = ("pending", "running")
_SYNCS = ("Running", "Terminating", "Requested")


class LaneEquationState(StrEnum):
    """Whether an equation of a lane holds, is broken, is pending, or is unknown."""

    HOLDS = "holds"
    BROKEN = "broken"
    PENDING = "pending"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LaneEquation:
    """`left` and `right` are the values as texts; `code` names the failure; `readings` are the names of its sides."""

    name: str
    code: str
    left: str
    right: str
    result: LaneEquationState
    reason: str = ""
    readings: tuple[str, ...] = ()


def evaluate_lane_equations(evidence: LaneEvidence) -> tuple[LaneEquation, ...]:
    """Evaluate all equations of a lane, in the order in which a rollout makes them true."""
    return tuple(_all(evidence))


def _all(evidence: LaneEvidence) -> Iterator[LaneEquation]:
    yield from _source(evidence)
    yield from _run(evidence)
    for name, image in evidence.items(names.IMAGE):
        yield from _image(evidence, name, image)
    for name, argo in evidence.items(names.ARGO):
        yield from _argo(evidence, name, argo)
    for name, workload in evidence.items(names.WORKLOAD):
        yield from _workload(evidence, name, workload)
    for name, probe in evidence.items(names.PROBE):
        yield from _probe(evidence, name, probe)
    for name, flow in evidence.items(names.MIRROR):
        yield _flush(name, flow)


def _made(
    name: str,
    code: str,
    sides: tuple[Json, Json],
    result: LaneEquationState,
    reason: str,
    *readings: tuple[str, EvidenceReading | None],
) -> LaneEquation:
    """The equation, unknown where one of its readings is."""
    problems = [one.problem for _, one in readings if one is not None and not one.readable]
    used = tuple(key for key, one in readings if one is not None)
    left, right = (_text(side) for side in sides)
    if problems:
        return LaneEquation(
            name, code, left, right, LaneEquationState.UNKNOWN, "; ".join(dict.fromkeys(problems)), used
        )
    return LaneEquation(name, code, left, right, result, "" if result is LaneEquationState.HOLDS else reason, used)


def _text(value: JsonValue) -> str:
    return "" if value is None else str(value)


def _map(reading: EvidenceReading | None) -> JsonObject:
    return reading.value if reading is not None and reading.readable and isinstance(reading.value, dict) else {}


def _if(holds: bool, otherwise: LaneEquationState = LaneEquationState.BROKEN) -> LaneEquationState:
    return LaneEquationState.HOLDS if holds else otherwise


# --- source and run ------------------------------------------------------------------------------------------------


def _source(evidence: LaneEvidence) -> Iterator[LaneEquation]:
    commit, tip, held = evidence.commit, evidence.get(names.TIP), evidence.get(names.CONTAINS_TIP)
    if tip is not None:
        holds = _map(held).get("holds")
        wrong = "the branch is gone" if tip.value is None else "the branch no longer contains the commit"
        yield _made(
            "tip contains source", "branch-drift", (tip.value, commit), _if(holds is True), wrong,
            (names.TIP, tip), (names.CONTAINS_TIP, held),
        )  # fmt: skip
    if (snapshot := evidence.get(names.SNAPSHOT)) is not None:
        yield _made(
            "snapshot = source", "source-snapshot-missing", (snapshot.value, commit), _if(snapshot.value == commit),
            "the mirror has no snapshot of the commit" if snapshot.value is None else "the snapshot ref was moved",
            (names.SNAPSHOT, snapshot),
        )  # fmt: skip


def _run(evidence: LaneEvidence) -> Iterator[LaneEquation]:
    run = evidence.get(names.RUN)
    if run is None:
        return
    found = _map(run)
    state = str(found.get("state") or "")
    if run.readable and run.value is None:
        yield _made("run = source", "run-missing", ("", evidence.commit), LaneEquationState.BROKEN,
                    "no PipelineRun of the commit", (names.RUN, run))  # fmt: skip
        return
    yield _made(
        "run = source", "run-of-another-commit", (found.get("commit"), evidence.commit),
        _if(found.get("commit") == evidence.commit), "the run is of another commit", (names.RUN, run),
    )  # fmt: skip
    result = LaneEquationState.PENDING if state in _RUNS else _if(state == "succeeded")
    said = ": ".join(part for part in (state, str(found.get("reason") or "")) if part)
    code = "run-pending" if result is LaneEquationState.PENDING else f"run-{state or 'unknown'}"
    tasks = evidence.get(names.TASKS)
    if state == "failed" and _left_behind(tasks):
        code, said = "run-superseded", f"superseded: {PROMOTE} found the branch at another commit and promoted nothing"
    yield _made("run succeeded", code, (state, "succeeded"), result, f"{found.get('name')} {said}", (names.RUN, run))


def _left_behind(tasks: EvidenceReading | None) -> bool:
    """Whether a run failed at its promotion alone, which ends as hwplan does when the branch went on (B3)."""
    listed = tasks.value if tasks is not None and tasks.readable and isinstance(tasks.value, list) else []
    failed = [one for one in listed if one.get("state") == "failed"]
    codes = [step.get("exitCode") for one in failed for step in one.get("steps") or ()]
    return [one.get("task") for one in failed] == [PROMOTE] and _SUPERSEDED in codes


# --- images --------------------------------------------------------------------------------------------------------


_REBUILD = "; hwplan trigger --rebuild builds it again"  # once its logs say that it was pushed (decision A11)


def _image(evidence: LaneEvidence, name: str, image: EvidenceReading) -> Iterator[LaneEquation]:
    built, key = _map(image).get("digest"), names.IMAGE + name
    if (stored := evidence.get(names.REGISTRY + name)) is not None:
        missing = stored.value is None
        yield _made(
            f"registry digest of {name} = built digest", "image-missing" if missing else "image-tag-moved",
            (stored.value, built), _if(stored.value == built),
            f"{_map(image).get('url')} is not in the registry{_REBUILD}"
            if missing else "the tag stands on another digest",
            (names.REGISTRY + name, stored), (key, image),
        )  # fmt: skip
    if (named := evidence.get(names.GITOPS_NAMES)) is not None:
        digests = _map(named).get("digests") or ()
        yield _made(
            f"GitOps commit names {name}", "gitops-digest-missing", (_map(named).get("commit"), built),
            _if(built in digests), "the GitOps commit does not name the digest",
            (names.GITOPS_NAMES, named), (key, image),
        )  # fmt: skip


# --- Argo CD -------------------------------------------------------------------------------------------------------


def gitops_commit_of_target(evidence: LaneEvidence) -> str:
    """The GitOps commit of the target: the one that the run reports, else the tip of the GitOps branch; "" if neither
    is known."""
    revision = _map(evidence.get(names.RUN)).get("gitopsRevision")
    tip = evidence.get(names.GITOPS)
    return str(revision or (tip.value if tip is not None and tip.readable else "") or "")


def _argo(evidence: LaneEvidence, name: str, argo: EvidenceReading) -> Iterator[LaneEquation]:
    found, key = _map(argo), names.ARGO + name
    if argo.readable and argo.value is None:
        yield _made(
            f"{name} exists", "argo-missing", ("", name), LaneEquationState.BROKEN, "no such Application", (key, argo)
        )
        return
    moves = found.get("phase") in _SYNCS or bool(found.get("refreshing"))
    held = evidence.get(names.CONTAINS_ARGO + name)
    if held is not None:
        yield _made(
            f"{name} contains GitOps commit", "argo-behind", (found.get("revision"), gitops_commit_of_target(evidence)),
            _if(_map(held).get("holds") is True, LaneEquationState.PENDING if moves else LaneEquationState.BROKEN),
            "Argo CD is not at the GitOps commit yet", (key, argo), (names.CONTAINS_ARGO + name, held),
        )  # fmt: skip
    yield _made(
        f"{name} synced", "argo-out-of-sync", (found.get("sync"), "Synced"),
        _if(found.get("sync") == "Synced", LaneEquationState.PENDING if moves else LaneEquationState.BROKEN),
        str(found.get("message") or f"sync status {found.get('sync') or 'unknown'}"), (key, argo),
    )  # fmt: skip
    progressing = LaneEquationState.PENDING if found.get("health") == "Progressing" else LaneEquationState.BROKEN
    yield _made(
        f"{name} healthy", "argo-unhealthy", (found.get("health"), "Healthy"),
        _if(found.get("health") == "Healthy", progressing), f"health {found.get('health') or 'unknown'}", (key, argo),
    )  # fmt: skip


# --- what runs -----------------------------------------------------------------------------------------------------


def _workload(evidence: LaneEvidence, name: str, workload: EvidenceReading) -> Iterator[LaneEquation]:
    found, key = _map(workload), names.WORKLOAD + name
    if workload.readable and workload.value is None:
        yield _made(
            f"{name} exists",
            "runtime-missing",
            ("", name),
            LaneEquationState.BROKEN,
            "it is not there",
            (key, workload),
        )
        return
    failed = LaneEquationState.BROKEN if found.get("failed") else LaneEquationState.PENDING
    complete = found.get("complete") is True
    yield _made(
        f"{name} ready", "runtime-not-ready", (found.get("message"), "ready"), _if(complete, failed),
        str(found.get("message") or "not ready"), (key, workload),
    )  # fmt: skip
    for image, reading in evidence.items(names.IMAGE):
        yield from _pods(name, workload, image, reading, complete)
    if "source" in found:
        said = found["source"]
        silent = f"its field {found.get('sourceField', '')} does not say from which commit it was made"
        yield _made(
            f"source of {name} = source", "runtime-source-differs", (said, evidence.commit),
            LaneEquationState.UNKNOWN if said is None else _if(said == evidence.commit),
            silent if said is None else "it was made from another commit", (key, workload),
        )  # fmt: skip


def _pods(
    name: str, workload: EvidenceReading, image: str, reading: EvidenceReading, complete: bool
) -> Iterator[LaneEquation]:
    """The digests that the ready pods really run, for one image; pods of two revisions are two digests."""
    built, repository = _map(reading).get("digest"), image_repository_without_tag(str(_map(reading).get("url") or ""))
    found = _map(workload)
    if repository not in {image_repository_without_tag(str(one)) for one in (found.get("images") or {}).values()}:
        return
    ran = sorted(
        {
            _digest(one)
            for one in _containers(found)
            if image_repository_without_tag(str(one.get("image"))) == repository
        }
    )
    result = _if(ran == [built], LaneEquationState.BROKEN if complete else LaneEquationState.PENDING)
    yield _made(
        f"{name} runs {image}", "runtime-digest-differs", (" ".join(ran), built),
        LaneEquationState.UNKNOWN if "" in ran else result, _why_not(ran),
        (names.WORKLOAD + name, workload), (names.IMAGE + image, reading),
    )  # fmt: skip


def _why_not(ran: list[str]) -> str:
    if not ran:
        return "no ready pod runs it"
    if "" in ran:
        return "no digest is known of a pod"
    return "ready pods run several digests" if len(ran) > 1 else "ready pods run another digest"


def _containers(workload: JsonObject) -> Iterator[JsonObject]:
    for pod in workload.get("pods") or ():
        if pod.get("ready"):
            yield from pod.get("containers") or ()


def _digest(container: JsonObject) -> str:
    """The digest in the imageID of a container; "" where it has none, as of an image that was only loaded."""
    _, at, digest = str(container.get("imageID") or "").rpartition("@")
    return digest if at else ""


def image_repository_without_tag(image: str) -> str:
    """The repository of an image in its registry, `host/path`: the image reference without tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _probe(evidence: LaneEvidence, name: str, probe: EvidenceReading) -> Iterator[LaneEquation]:
    """A gate counts; a diagnostic probe is evidence and makes no equation."""
    found, key = _map(probe), names.PROBE + name
    if probe.readable and found.get("role") != "gate":
        return
    wrong = str(found.get("wrong") or "")
    yield _made(f"{name} answers", "probe-failed", (found.get("status"), "as expected"), _if(not wrong), wrong,
                (key, probe))  # fmt: skip
    for path, value in sorted((found.get("provenance") or {}).items()):
        if wrong and value is None:
            continue
        yield _made(
            f"{name} {path} = source", "probe-provenance", (value, evidence.commit), _if(value == evidence.commit),
            "the answer comes from another build", (key, probe),
        )  # fmt: skip


def _flush(name: str, flow: EvidenceReading) -> LaneEquation:
    found = _map(flow)
    return _made(
        f"{name} flushed", "mirror-pending-flush", (found.get("to"), found.get("from")),
        _if(found.get("inSync") is True), "the upstream does not have what was promoted", (names.MIRROR + name, flow),
    )  # fmt: skip
