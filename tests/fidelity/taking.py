"""What a forced apply takes from other managers, read off the server's answer and reported by the local merge."""

from __future__ import annotations

from providers.kubernetes.preview.field_takeover import has_same_value, taken_fields
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.ownership import fields_applied_by
from tests.fidelity.story import US, Case, Doc


def check_taken(case: Case, live: Doc, answer: Doc, merged: merge.ApplyOutcome) -> list[str]:
    """Where the two do not agree about a field, or about whether it keeps its value."""
    ours, name = fields_applied_by(merged.object, US), f"case {case.seed} ({case.kind})"
    reported = {(c.path, has_same_value(live, merged.object, c.path, ours)) for c in merged.conflicts}
    seen = {(item.path, item.same) for item in taken_fields(live, answer)}
    case.verdict.counts["fields taken"] += len(seen)
    case.verdict.counts["fields taken that keep their value"] += sum(same for _, same in seen)
    wrong = [f"{name}: taken, but not reported: {path} (same: {same})" for path, same in seen - reported]
    outer = [path for path, _ in seen]
    hidden = [path for path, _ in reported if not any(path[: len(one)] == one for one in outer)]
    return wrong + [f"{name}: a conflict that the answer does not show: {p}" for p in hidden]
