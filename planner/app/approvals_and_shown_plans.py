"""Approvals by id, and plans that were shown lately, beside the state: to say what an approval that no longer fits
approved.

Only for the reader. Nothing is decided by a retained plan, and losing it loses one sentence of an error.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from planner.app.plan_with_inputs import PlanWithInputs
from planner.app.request import Request
from planner.app.runtime import state_folder
from planner.errors import HwplanError, StalePlan
from planner.plan import Plan
from planner.plan_bytes import encode_compact_plan, load_plan
from planner.plan_id import SHOWN_DIGITS, plan_id, short_plan_id
from planner.whole_file import write_whole_file

_KEPT = 20
_FEWEST = SHOWN_DIGITS  # with fewer, two plans that look alike in them could be made on purpose


def store_shown_plan(request: Request, made: PlanWithInputs) -> None:
    """Keep a plan that is shown; the oldest beyond a few go. A folder that cannot be written is no error."""
    if made.plan.is_empty:
        return
    folder = state_folder(request) / "plans"
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole_file(folder / _name(made.identifier), encode_compact_plan(made.plan, made.identifier))
        retained = sorted(folder.glob("*.json"), key=lambda one: (one.stat().st_mtime_ns, one.name))
        for old in retained[:-_KEPT]:
            old.unlink(missing_ok=True)


def refuse_unapproved_plan(request: Request, approved: str, now: Plan) -> None:
    """Refuse a plan that is not the approved one: a whole id, 32 hex digits of it, or the file of the plan.

    Raises StalePlan that names the first difference where the approved plan is known, ForeignPlan for a broken file.
    """
    identifier = plan_id(now)
    known = load_plan(Path(approved).read_bytes()) if _is_file(approved) else None
    wanted = plan_id(known) if known else approved
    digits = wanted.removeprefix("sha256:").rstrip("…")
    same = identifier.removeprefix("sha256:").startswith(digits)
    if same and len(digits) >= _FEWEST:
        return
    if same:
        message = f"{len(digits)} digits are too few to approve by"
        raise StalePlan(message, where="--plan-id", remedy=f"give the whole id, or its first {_FEWEST} digits")
    if known is None:
        known = _kept(request, digits)
    from planner.plan_difference import first_plan_difference  # only for the words of an error

    found = first_plan_difference(known, now) if known else ""
    unknown = "" if found else "; to see what is different, name the file of the approved plan: --plan-id plan.json"
    raise StalePlan(
        f"this plan is {short_plan_id(identifier)}, not {short_plan_id(wanted)}" + (f"; {found}" if found else ""),
        where="--plan-id",
        remedy=f"the configuration or the live world changed since the approval: plan again and compare{unknown}",
    )


def _is_file(approved: str) -> bool:
    return approved.endswith(".json") and Path(approved).is_file()


def find_shown_plan(request: Request, digits: str) -> Plan | None:
    """The plan with such an id (32 hex digits or more), when it was shown with this state lately."""
    found = _kept(request, digits)
    return found if found is not None and plan_id(found).removeprefix("sha256:").startswith(digits) else None


def _kept(request: Request, digits: str) -> Plan | None:
    """The plan with such an id, when it was shown on this machine lately."""
    folder = state_folder(request) / "plans"
    for path in sorted(folder.glob(f"{digits}*.json")) if digits.isalnum() else ():
        with suppress(OSError, HwplanError):
            return load_plan(path.read_bytes())
    return None


def _name(identifier: str) -> str:
    return f"{Path(identifier.removeprefix('sha256:')).name}.json"
