"""A benchmark for people and for programs: its verdict, the times of its phases, and what the proxy server counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from planner.duration import render_duration
from planner.plan import ClusterIdentity
from planner.render.prometheus_metrics import bytes_text, proxy_client_traffic_json
from planner.render.terminal_style import column_count, pad_text, with_colour
from planner.rollout.ci_build_benchmark_verdict import BenchmarkVerdict
from planner.rollout.metrics_verdicts import ProxyClientTraffic
from planner.text_safe import safe_text
from planner.values import JsonObject

SCHEMA_VERSION = 1
_STYLES: Mapping[str, str] = {"passed": "green", "pending": "yellow", "inconclusive": "yellow"}


class BenchmarkView(Protocol):
    """A benchmark run and its verdict, as pages show them."""

    @property
    def cluster(self) -> ClusterIdentity: ...
    @property
    def profile(self) -> str: ...
    @property
    def outputs(self) -> JsonObject: ...
    @property
    def traffic(self) -> ProxyClientTraffic | None: ...
    @property
    def verdict(self) -> BenchmarkVerdict: ...


def render_benchmark(report: BenchmarkView, *, about: str, command: str, colour: bool) -> str:
    """The text of a benchmark run: its phases, the proxy, and the verdict with its reasons."""
    verdict, outputs = report.verdict, report.outputs
    simulated = ["simulated"] * report.cluster.simulated
    out = [
        " · ".join(
            [safe_text(about), f"benchmark {safe_text(report.profile)}", safe_text(str(outputs["run"])), *simulated]
        ),
        "",
    ]
    rows = [(name, _time(seconds)) for name, seconds in verdict.phases.items()]
    rows += [("total", _time(outputs.get("seconds"))), ("egress proxy", _proxy(report))]
    width = max(column_count(safe_text(name)) for name, _ in rows)
    out += [f"  {pad_text(safe_text(name), width)}  {text}" for name, text in rows]
    called = f": {verdict.family}" if verdict.family else ""
    out += ["", with_colour(f"{verdict.state}{safe_text(called)}", _STYLES.get(verdict.state, "red"), colour)]
    out += [f"  {safe_text(reason)}" for reason in verdict.reasons]
    return "\n".join([*out, *([f"  {command}"] if command else [])]) + "\n"


def benchmark_json(report: BenchmarkView) -> JsonObject:
    """A benchmark run and its verdict as a document for programs. `throughProxy` is null where nothing proves it:
    nothing is claimed then."""
    verdict, outputs = report.verdict, report.outputs
    return {
        "schemaVersion": SCHEMA_VERSION,
        "simulated": report.cluster.simulated,
        "profile": report.profile,
        "run": {key: outputs.get(key) for key in ("run", "namespace", "uid", "state", "reason", "startTime",
                                                  "completionTime", "seconds")},
        "state": verdict.state,
        "exitCode": verdict.exit_code,
        "failureFamily": verdict.family or None,
        "reasons": list(verdict.reasons),
        "phases": dict(verdict.phases),
        "throughProxy": verdict.proxied,
        "proxyEvidence": proxy_client_traffic_json(report.traffic) if report.traffic else None,
        "taskRuns": list(outputs.get("taskRuns") or ()),
    }  # fmt: skip


def _proxy(report: BenchmarkView) -> str:
    traffic = report.traffic
    if report.verdict.proxied is None or traffic is None:
        why = f" ({safe_text(traffic.reason)})" if traffic and traffic.reason else ""
        return f"no evidence: nothing is claimed{why}"
    return f"{bytes_text(traffic.total)} of {safe_text(traffic.client)}, {bytes_text(traffic.rate)}/s"


def _time(seconds: object) -> str:
    return render_duration(float(seconds)) if isinstance(seconds, (int, float)) else "no time"
