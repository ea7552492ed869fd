"""The status of a lane as a document. Names of keys are contracts (spec 02, S04, S30; decision A1)."""

from __future__ import annotations

from planner.render.closeout_record import closeout_line
from planner.render.lane_status import LaneStatusView
from planner.rollout import lane_evidence as names
from planner.rollout.closeout_record import lane_equation_document, lane_verdict_document, seconds_of_stages
from planner.values import Json, JsonObject

SCHEMA_VERSION = 1


def lane_status_json(page: LaneStatusView, *, raw: bool = False) -> JsonObject:
    """The status of a lane as a document for programs: the verdicts, one value for each line, the next command; with
    `raw` the evidence with its sources as well.

    `data` holds the names that readers of the earlier tool know.
    """
    evidence, verdict = page.evidence, lane_verdict_document(page.verdict)
    document: JsonObject = {
        "schemaVersion": SCHEMA_VERSION,
        "simulated": page.cluster.simulated,
        "lane": evidence.lane,
        "cluster": {"uid": page.cluster.uid, "server": page.cluster.server},
        "config": page.config,
        "target": {"commit": evidence.commit or None, "pinned": evidence.pinned},
        **verdict,
        "hold": page.hold or None,
        "torn": evidence.torn,
        "source": {
            "commit": evidence.commit or None,
            "tip": _value(page, names.TIP),
            "sourceStageRef": _stage_ref(page),
        },
        "pipelineRun": _value(page, names.RUN),
        "images": _all(page, names.IMAGE),
        "argo": _all(page, names.ARGO),
        "runtime": _all(page, names.WORKLOAD),
        "probe": _all(page, names.PROBE),
        "mirror": _all(page, names.MIRROR),
        "counters": seconds_of_stages(evidence),
        "equations": [lane_equation_document(one) for one in page.verdict.equations],
        "next": {"command": page.command or None, "blockers": [one.code for one in page.verdict.blockers]},
        "closeouts": [_closeout(one) for one in page.closeouts],
        "data": _data(page, verdict),
    }
    if raw:
        document["evidence"] = {
            name: {
                "value": one.value,
                "source": one.source,
                "at": one.at,
                "version": one.version,
                "problem": one.problem,
            }
            for name, one in sorted(evidence.readings.items())
        }
    return document


def _closeout(record: JsonObject) -> JsonObject:
    state = record["verdict"]["targetValidation"]["state"]
    return {
        "commit": record["key"]["commit"],
        "state": state,
        "digest": record["digest"],
        "line": closeout_line(record),
    }


def _data(page: LaneStatusView, verdict: JsonObject) -> JsonObject:
    run = _value(page, names.RUN) or {}
    return {
        "summary": {
            "sourceCommit": page.evidence.commit or None,
            "expectedPipelineRun": page.expected_run or run.get("name"),
            "gitMirror": _all(page, names.MIRROR),
            "argo": _all(page, names.ARGO),
            "branchDrift": verdict["branchDrift"],
            "ci": {"pipelineRun": {"status": run.get("state")}},
            "runtimeAlignment": {
                "argoSyncedToGitops": verdict["argoSyncedToGitops"],
                "managerSourceMatchesExpected": verdict["managerSourceMatchesExpected"],
            },
        },
        "alignment": {key: verdict[key] for key in ("aligned", "blockers", "branchDrift")},
    }


def _stage_ref(page: LaneStatusView) -> str | None:
    """The immutable ref of the mirror that the target is built from (A14)."""
    snapshot = page.evidence.get(names.SNAPSHOT)
    return snapshot.source.partition("#")[2] or None if snapshot is not None else None


def _value(page: LaneStatusView, name: str) -> Json:
    one = page.evidence.get(name)
    return one.value if one is not None and one.readable else None


def _all(page: LaneStatusView, prefix: str) -> JsonObject:
    return {name: one.value if one.readable else None for name, one in page.evidence.items(prefix)}
