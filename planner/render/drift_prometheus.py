"""A drift report as Prometheus metrics: the text exposition format, ready for node exporter's textfile collector.

https://prometheus.io/docs/instrumenting/exposition_formats/. No sample carries a time of its own: that collector
refuses those. Objects are listed up to a limit, and how many were not is a metric too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from planner.drift import DriftReport, DriftState, ObjectDrift
from planner.render.drift_fields import drifted_fields, undeclared_drift_fields
from planner.text_safe import safe_text

MOST_OBJECTS = 200  # series of single objects; every one costs memory in the server
_LISTED = (
    DriftState.INCOMPLETE,
    DriftState.DRIFTED,
    DriftState.BOTH,
    DriftState.PENDING,
    DriftState.ACKNOWLEDGED,
    DriftState.IGNORED,
)
_MOST_CHARACTERS = 500  # of a label


def render_drift_prometheus(report: DriftReport) -> str:
    """A drift report as Prometheus metrics, with a newline at its end. The same report gives the same bytes."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: DriftReport) -> Iterator[str]:
    where = _where(report)
    yield from _head("hwplan_drift_objects", "Declared objects by what became of them.")
    for state in DriftState:
        yield _sample("hwplan_drift_objects", {**where, "state": _word(state)}, report.count(state))
    yield from _head("hwplan_drift_fields", "Fields that somebody else changed (declared) or added, not acknowledged.")
    ours = sum(len(drifted_fields(row)) for row in report.rows)
    added = sum(
        len(undeclared_drift_fields(row)) for row in report.rows if row.state in (DriftState.DRIFTED, DriftState.BOTH)
    )
    yield _sample("hwplan_drift_fields", {**where, "declared": "true"}, ours)
    yield _sample("hwplan_drift_fields", {**where, "declared": "false"}, added)
    left = sum(len(row.ignored) for row in report.rows)
    yield from _one("hwplan_drift_fields_ignored", "Fields that a rule leaves to their owner.", where, left)
    yield from _objects(report, where)
    yield from _one(
        "hwplan_drift_acknowledgements_expired", "Acknowledgements past their day.", where, len(report.expired)
    )
    yield from _one(
        "hwplan_drift_exit_code", "0 clean, 2 drift, 1 not everything could be determined.", where, report.exit_code
    )
    yield from _times(report, where)


def _objects(report: DriftReport, where: Mapping[str, str]) -> Iterator[str]:
    """One series for each object that is not in sync, the worst first, as many as there may be."""
    rows = [row for state in _LISTED for row in report.rows if row.state is state]
    yield from _head("hwplan_drift_object", "An object that is not in sync, with the managers that changed it.")
    for row in rows[:MOST_OBJECTS]:
        labels = {**where, "object": str(row.address), "state": _word(row.state), "managers": _managers(row)}
        yield _sample("hwplan_drift_object", labels, 1)
    left = max(0, len(rows) - MOST_OBJECTS)
    yield from _one("hwplan_drift_objects_unlisted", "Objects that hwplan_drift_object leaves out.", where, left)


def _times(report: DriftReport, where: Mapping[str, str]) -> Iterator[str]:
    if not report.at:
        return
    seconds = int(datetime.fromisoformat(report.at).timestamp())
    yield from _one("hwplan_drift_last_run_timestamp_seconds", "When the cluster was last looked at.", where, seconds)
    if report.is_complete:
        name, text = "hwplan_drift_last_success_timestamp_seconds", "When every object could last be judged."
        yield from _one(name, text, where, seconds)


def _where(report: DriftReport) -> dict[str, str]:
    """Labels that distinguish reports: the selection and the cluster."""
    selection = report.selection
    return {
        "set": selection.product or selection.name,
        "node": ",".join(selection.nodes),
        "lane": ",".join(selection.lanes),
        "scope": ",".join(selection.scopes),
        "cluster": report.cluster.uid,
    }


def _managers(row: ObjectDrift) -> str:
    return ",".join(
        sorted({change.manager for change in (*drifted_fields(row), *undeclared_drift_fields(row)) if change.manager})
    )


def _word(state: DriftState) -> str:
    return str(state).replace(" ", "_")


def _head(name: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"


def _one(name: str, text: str, labels: Mapping[str, str], value: int) -> Iterator[str]:
    yield from _head(name, text)
    yield _sample(name, labels, value)


def _sample(name: str, labels: Mapping[str, str], value: int) -> str:
    reported = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{reported}}} {value}"


def _escaped(text: str) -> str:
    """A label value: control characters made visible, cut, then what the format itself wants escaped."""
    return safe_text(text)[:_MOST_CHARACTERS].replace("\\", "\\\\").replace('"', '\\"')
