"""Plans that were shown lately, beside the state by their id: to say what an approval that no longer fits approved.

Only for the reader. Nothing is decided by a kept plan, and losing it loses one sentence of an error.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from planner.app.request import Request
from planner.app.world import state_folder
from planner.errors import HwplanError
from planner.plan import Plan
from planner.plan_difference import first_difference
from planner.plan_document import dump, load, plan_id

_KEPT = 20


def keep(request: Request, plan: Plan) -> None:
    """Keep a plan that is shown; the oldest beyond a few go. A folder that cannot be written is no error."""
    if plan.is_empty:
        return
    folder = state_folder(request) / "plans"
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / _name(plan_id(plan))
        partial = path.with_suffix(".partial")
        partial.write_bytes(dump(plan))
        partial.replace(path)
        kept = sorted(folder.glob("*.json"), key=lambda one: (one.stat().st_mtime_ns, one.name))
        for old in kept[:-_KEPT]:
            old.unlink(missing_ok=True)


def difference(request: Request, approved: str, now: Plan) -> str:
    """What `now` has that the approved plan had not, as far as this machine knows; "" when it never saw that plan."""
    folder = state_folder(request) / "plans"
    digits = approved.removeprefix("sha256:").rstrip("…")
    for path in sorted(folder.glob(f"{digits}*.json")) if digits.isalnum() else ():
        with suppress(OSError, HwplanError):
            return first_difference(load(path.read_bytes()), now)
    return ""


def _name(identifier: str) -> str:
    return f"{Path(identifier.removeprefix('sha256:')).name}.json"
