"""The page in front of a plan that cleans runners up: by which rule, who is how active, and who would be cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.text_safe import safe_text
from planner.values import JsonObject

_MOST = 30  # lines of runners without --full


def render_ci_runner_cleanup_plan(found: JsonObject, *, full: bool = False) -> str:
    """The page in front of a plan that deletes CI runners, from the document of
    `planner.app.ci_runner_cleanup.ci_runner_cleanup_json`."""
    criteria = found["criteria"]
    lines = [f"criteria.forceActive={str(criteria['forceActive']).lower()} · order: {criteria['orderBy']}"]
    lines += [f"  {safe_text(name)}: {_rule(rule)}" for name, rule in criteria["rules"].items()]
    rows = _table(found["managerFacts"], set(found["selected"]), full=full)
    lines += ["", *(rows or ([] if found["unreadable"] else ["  no runner"])), ""]
    lines += [f"  {safe_text(name)}: nothing is known, {safe_text(why)}" for name, why in found["unreadable"].items()]
    risk = found["activeRunRisk"]
    lines.append(
        f"inactive {len(found['inactiveCandidates'])} · selected {len(found['selected'])} · activeRunRisk {len(risk)}"
    )
    lines += [f"  cut off: {safe_text(one['runner'])}{_about(one)}" for one in risk]
    return "\n".join(lines) + "\n\n"


def _rule(rule: Mapping[str, object]) -> str:
    labels = rule["selectors"]
    chosen = ", ".join(f"{key}={value}" for key, value in labels.items()) if isinstance(labels, dict) else ""
    age = f"; inactive for {rule['minAge']} go too" if rule["byAge"] else ""
    stay = f"{rule['maxRunners']} stay; active within {rule['heartbeatWindow']}"
    return safe_text(f"{stay}{age}; at most {rule['limit']} go ({chosen})")


def _table(facts: Sequence[JsonObject], selected: set[str], *, full: bool) -> list[str]:
    shown = facts if full else facts[:_MOST]
    width = max((len(safe_text(one["runner"])) for one in shown), default=0)
    lines = [
        f"  {_mark(one, selected)} {safe_text(one['runner']).ljust(width)}  {one['state']:8}  {_time(one)}{_about(one)}"
        for one in shown
    ]
    if len(shown) < len(facts):
        lines.append(f"    and {len(facts) - len(shown)} more: --full")
    return lines


def _mark(one: JsonObject, selected: set[str]) -> str:
    return "-" if one["runner"] in selected else " "


def _time(one: JsonObject) -> str:
    return str(one.get("endedAt") or one.get("lastHeartbeat") or "no heartbeat".ljust(20))


def _about(one: JsonObject) -> str:
    words = [safe_text(one["about"])] if one["about"] else []
    words += ["protected"] if one["protected"] else []
    return "".join(f"  {word}" for word in words)
