"""What Argo CD will change when a promotion is synced, object by object. Values only; gathered by planner.app.lane."""

from __future__ import annotations

from planner.address import Address
from planner.dataclass import dataclass
from planner.plan import Action, FieldChange

AFTER_BUILD = "(known after the build)"


@dataclass(frozen=True, slots=True)
class PredictedArgoChange:
    """One object: `create`, `update`, `delete`, or `run` for a hook. `fields` are those of an update."""

    address: Address
    action: Action
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class ArgoPrediction:
    """Changes by address, and how many objects stay as they are. `unknown` are the services whose digest is not known
    before the build: nothing else is unknown. `problem` says why nothing can be predicted ("" when it can)."""

    changes: tuple[PredictedArgoChange, ...] = ()
    unchanged: int = 0
    unknown: tuple[str, ...] = ()
    problem: str = ""
