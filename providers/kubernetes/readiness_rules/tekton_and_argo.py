"""Readiness of the objects of Tekton and Argo CD, with what others may refer to."""

from __future__ import annotations

from planner.ports import Readiness
from planner.values import Json, JsonObject
from providers.kubernetes.readiness_rules.status_parts import map_field_or_empty, reason_text, status_conditions


def tekton_run_readiness(live: JsonObject) -> Readiness:
    """PipelineRun, TaskRun, CustomRun: over as soon as Succeeded is not Unknown. Outputs: state, reason, results."""
    status, condition = map_field_or_empty(live, "status"), status_conditions(live).get("Succeeded")
    reason = str((condition or {}).get("reason") or "")
    outcome = (condition or {}).get("status")
    state = {"True": "succeeded", "False": "failed"}.get(str(outcome), "running" if condition else "pending")
    outputs: JsonObject = {"state": state, "reason": reason, "results": _results(status)}
    outputs |= {key: status[key] for key in ("startTime", "completionTime") if status.get(key)}
    done = outcome in ("True", "False")
    message = "" if outcome == "True" else reason_text(condition, "no controller has picked it up yet")
    return Readiness(done=done, ok=outcome == "True", message=message, outputs=outputs)


def _results(status: JsonObject) -> dict[str, Json]:
    entries = status.get("results") or status.get("pipelineResults") or ()
    return {str(entry["name"]): entry.get("value") for entry in entries if isinstance(entry, dict) and "name" in entry}


def application_readiness(live: JsonObject, converge: bool) -> Readiness:
    """An Argo CD Application is ready when it exists; with `converge`, when Synced, Healthy, and no sync running.
    Outputs: revision, sync, health."""
    status = map_field_or_empty(live, "status")
    sync, health = map_field_or_empty(status, "sync").get("status"), map_field_or_empty(status, "health").get("status")
    outputs = {"revision": map_field_or_empty(status, "sync").get("revision"), "sync": sync, "health": health}
    outputs = {key: value for key, value in outputs.items() if value is not None}
    operation = map_field_or_empty(status, "operationState")
    running = bool(live.get("operation")) or operation.get("phase") in ("Running", "Terminating")
    ok = not converge or (sync == "Synced" and health == "Healthy" and not running)
    seen = f"{sync or 'not compared yet'}, {health or 'health unknown'}"
    failed = converge and operation.get("phase") in ("Failed", "Error") and not running and sync != "Synced"
    message = "" if ok and converge else seen
    if failed:
        message = f"{seen}: {operation.get('message') or 'the last sync failed'}"
    elif running:
        message = f"{seen}, sync running"
    return Readiness(done=ok or failed, ok=ok, message=message, outputs=outputs)
