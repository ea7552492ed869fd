"""The closeout record of a rollout: what was read, what follows from it, and digests of both (rules C1 to C12).

A record holds its evidence, and everything else in it is computed from that: who has the evidence can make the record
again, and so can a verifier. Its `digest` is about values, without the times and versions of their reading, so that the
same evidence has the same digest (C9); its `checksum` is about every byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.rfc3339 import seconds_between
from planner.rollout import lane_evidence as names
from planner.rollout.lane_equations import LaneEquation, gitops_commit_of_target
from planner.rollout.lane_evidence import EvidenceReading, LaneEvidence
from planner.rollout.lane_verdict import LaneVerdict, judge_lane
from planner.rollout.rollout_time_spent import OVER_BUDGET
from planner.values import Json, JsonObject, JsonValue, canonical_bytes, document_digest

SCHEMA_VERSION = 1
KIND = "closeout"
_VOLATILE = ("at", "version", "digest")  # of an entry of the evidence: not part of the record's digest


def closeout_record(evidence: LaneEvidence, previous: str = "") -> JsonObject:
    """The record of a rollout. `previous` is the digest of the earlier record with the same key that it follows ("" for
    the first one). The evidence must be free of secrets (C12)."""
    verdict = judge_lane(evidence)
    entries = {name: _entry(one) for name, one in sorted(evidence.readings.items())}
    body: JsonObject = {
        "schemaVersion": SCHEMA_VERSION,
        "kind": KIND,
        "key": {"lane": evidence.lane, "commit": evidence.commit},
        "pinned": evidence.pinned,
        "torn": evidence.torn,
        "previous": previous or None,
        "evidence": entries,
        "equations": [lane_equation_document(one) for one in verdict.equations],
        "verdict": lane_verdict_document(verdict),
        **_sections(evidence, aligned=verdict.aligned),
    }
    body["digest"] = closeout_record_digest(body)
    return {**body, "checksum": document_digest(body)}


def closeout_record_bytes(record: JsonObject) -> bytes:
    """The one byte form of a closeout record: canonical JSON."""
    return canonical_bytes(record) + b"\n"


def evidence_in_closeout_record(record: Mapping[str, Json]) -> LaneEvidence:
    """Make the LaneEvidence that a closeout record holds. Raises KeyError, TypeError or AttributeError for what is
    none."""
    readings = {
        str(name): EvidenceReading(one["value"], one["source"], one["at"], one["version"], one["problem"])
        for name, one in record["evidence"].items()
    }
    key = record["key"]
    return LaneEvidence(key["lane"], key["commit"], readings, record["pinned"], record["torn"])


def evidence_entry_digest(entry: Mapping[str, Json]) -> str:
    """Digest of one entry of the evidence of a closeout record, times included."""
    return document_digest({name: value for name, value in entry.items() if name != "digest"})


def closeout_record_digest(record: Mapping[str, Json]) -> str:
    """Digest of a record without what differs from one reading of the same values to the next (C9), and from one asker
    to the other: who names the commit (`pinned`) reads the same."""
    body = {key: value for key, value in record.items() if key not in ("digest", "checksum", "previous", "pinned")}
    body["evidence"] = {
        name: {key: value for key, value in entry.items() if key not in _VOLATILE}
        for name, entry in record["evidence"].items()
    }
    return document_digest(body)


def _entry(one: EvidenceReading) -> JsonObject:
    entry: JsonObject = {
        "value": one.value, "source": one.source, "at": one.at, "version": one.version, "problem": one.problem
    }  # fmt: skip
    return {**entry, "digest": evidence_entry_digest(entry)}


def lane_equation_document(one: LaneEquation) -> JsonObject:
    """An equation of a lane, with its state, as JSON."""
    return {
        "name": one.name,
        "left": one.left,
        "right": one.right,
        "result": str(one.result),
        "code": one.code,
        "reason": one.reason,
        "readings": list(one.readings),
    }


def lane_verdict_document(verdict: LaneVerdict) -> JsonObject:
    """The verdict about a lane as JSON, by the names of the contract (spec 02, S04 and S30)."""
    return {
        "aligned": verdict.aligned,
        "blockers": [{"code": one.code, "equation": one.equation, "reason": one.reason} for one in verdict.blockers],
        "argoSyncedToGitops": verdict.argo_synced_to_gitops,
        "managerSourceMatchesExpected": verdict.manager_source_matches_expected,
        "branchDrift": verdict.branch_drift,
        "superseded": verdict.superseded,
        "targetValidation": {"state": str(verdict.target)},
    }


# --- sections (C2) -------------------------------------------------------------------------------------------------


def _sections(evidence: LaneEvidence, *, aligned: bool) -> JsonObject:
    """The content of C2, from the evidence. `change` and `approval` are null until a pull request is known (B21)."""
    run = _value(evidence, names.RUN)
    tip = _value(evidence, names.TIP)
    return {
        "change": None,
        "approval": None,
        "source": {"commit": evidence.commit, "snapshot": _value(evidence, names.SNAPSHOT)},
        "run": run,
        "images": [_image(evidence, name, one) for name, one in evidence.items(names.IMAGE)],
        "gitops": {"commit": gitops_commit_of_target(evidence) or None, "tip": _value(evidence, names.GITOPS)},
        "argo": dict(_values(evidence, names.ARGO)),
        "runtime": dict(_values(evidence, names.WORKLOAD)),
        "probe": dict(_values(evidence, names.PROBE)),
        "mirror": dict(_values(evidence, names.MIRROR)),
        "tip": {"commit": tip, "containsSource": (_value(evidence, names.CONTAINS_TIP) or {}).get("holds")},
        "rollback": _rollback(evidence, aligned=aligned),
        "budget": _budget(evidence),
        "counters": seconds_of_stages(evidence),
    }


def _rollback(evidence: LaneEvidence, *, aligned: bool) -> bool | None:
    """Whether the target runs although what was closed before contains it; null where nothing was, or it is unknown."""
    held = (_value(evidence, names.CONTAINS_BEFORE) or {}).get("holds")
    return None if held is None else bool(held and aligned)


def _budget(evidence: LaneEvidence) -> JsonObject:
    """Seconds in all and of the wait for the pipeline, and the warning when one is above the lane's limit (R12)."""
    spent = seconds_of_stages(evidence)
    limit = (_value(evidence, names.BUDGET) or {}).get("warnAfter")
    known = [one for one in (spent["totalSeconds"], spent["pipelineSeconds"]) if one is not None]
    over = limit is not None and any(one > limit for one in known)
    return {
        "total": spent["totalSeconds"],
        "wait": spent["pipelineSeconds"],
        "warnAfter": limit,
        "warnings": [OVER_BUDGET] if over else [],
    }


def _value(evidence: LaneEvidence, name: str) -> Json:
    one = evidence.get(name)
    return one.value if one is not None and one.readable else None


def _values(evidence: LaneEvidence, prefix: str) -> Iterator[tuple[str, Json]]:
    for name, one in evidence.items(prefix):
        yield name, one.value if one.readable else None


def _image(evidence: LaneEvidence, name: str, one: EvidenceReading) -> JsonObject:
    found = one.value if one.readable and isinstance(one.value, dict) else {}
    return {
        "name": name,
        "url": found.get("url"),
        "reused": found.get("reused"),
        "builtDigest": found.get("digest"),
        "registryDigest": _value(evidence, names.REGISTRY + name),
    }


def seconds_of_stages(evidence: LaneEvidence) -> JsonObject:
    """Seconds of each stage, from recorded times only; what has none is null (C11). `lead` is from the approval, which
    is not known before pull requests are (B21); neither flush nor probe leave a time of their beginning."""
    run = _value(evidence, names.RUN) or {}
    syncs = [one for _, one in _values(evidence, names.ARGO) if one]
    sync = syncs[0] if len(syncs) == 1 else {}
    ends = (run.get("startTime"), sync.get("finishedAt"))
    return {
        "leadSeconds": None,
        "buildSeconds": _build_seconds(evidence),
        "waitSeconds": _seconds(run.get("completionTime"), sync.get("startedAt")),
        "flushSeconds": None,
        "probeSeconds": None,
        "pipelineSeconds": _seconds(run.get("startTime"), run.get("completionTime")),
        "syncSeconds": _seconds(sync.get("startedAt"), sync.get("finishedAt")),
        "totalSeconds": _seconds(*ends),
    }


def _build_seconds(evidence: LaneEvidence) -> float | None:
    """From the first TaskRun that made an image to the end of the last; null where the time of one is missing."""
    built = [one for one in _value(evidence, names.TASKS) or () if one.get("images")]
    begins, ends = ([one.get(key) for one in built] for key in ("startTime", "completionTime"))
    return _seconds(min(begins), max(ends)) if built and all((*begins, *ends)) else None


def _seconds(begin: JsonValue, end: JsonValue) -> float | None:
    spent = seconds_between(begin, end)
    return spent if spent is not None and spent >= 0 else None
