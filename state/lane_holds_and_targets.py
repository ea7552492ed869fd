"""What a lane is to stand on: its hold, and the targets of its rollouts. Appended, never changed (R7, R9).

The newest row of a lane says how it stands; what follows from it is planner.app's.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.dataclass import dataclass
from planner.errors import StalePlan
from planner.failpoint import hit_failpoint
from state import process_identity
from state.row_checksum import row_checksum, verify_checksum
from state.sqlite_connection import Database
from state.timestamps import utc_now_text

_HOLD = "lane, number, state, target, reason, run, who, at"
_TARGET = "lane, number, target, who, at"


@dataclass(frozen=True, slots=True)
class LaneHold:
    """That a lane is held, or was released. `commit` is what it stands on ("" where none is named), `run` the run that
    rolls that out (0 for none)."""

    lane: str
    number: int
    state: str
    commit: str
    reason: str
    run: int
    who: str
    at: str

    @property
    def stands(self) -> bool:
        """Whether it is in force."""
        return self.state == "set"

    def __str__(self) -> str:
        """What, who, when, why and run, in a line."""
        on = f" at {self.commit[:12]}" if self.commit else ""
        run = f", run {self.run}" if self.run else ""
        return f"{self.lane} is held{on} by {self.who} since {self.at}{run}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RolloutTarget:
    """A commit that somebody began to roll out, or waits to."""

    lane: str
    number: int
    commit: str
    who: str
    at: str


def newest_lane_hold(database: Database, lane: str) -> LaneHold | None:
    """The newest hold or release of a lane; None where it was never held. Raises StateError for a damaged row."""
    return next(iter(_read(database, "WHERE lane = ? ORDER BY number DESC LIMIT 1", (lane,))), None)


def hold_history(database: Database, lane: str, limit: int) -> tuple[LaneHold, ...]:
    """The newest holds and releases of a lane ("" for any), newest first."""
    return _read(database, "WHERE (? = '' OR lane = ?) ORDER BY rowid DESC LIMIT ?", (lane, lane, limit))


def _read(database: Database, tail: str, values: Sequence[object]) -> tuple[LaneHold, ...]:
    rows = database.rows(f"SELECT {_HOLD}, seal FROM holds {tail}", values)  # noqa: S608 (constants)
    for row in rows:
        verify_checksum(row_checksum(row[:-1]), str(row[-1]), "a hold of the state", database.path)
    return tuple(LaneHold(*row[:-1]) for row in rows)


def append_hold(
    database: Database, lane: str, number: int, state: str, *, commit: str = "", reason: str = "", run: int = 0
) -> LaneHold:
    """Write the hold with this number, which has to be the next one of the lane. In a transaction.

    Raises StalePlan when somebody else wrote one meanwhile.
    """
    hit_failpoint("hold.write.begin")
    last = newest_lane_hold(database, lane)
    if number != (last.number if last else 0) + 1:
        raise StalePlan(f"the hold of {lane} was changed meanwhile", remedy="hwplan hold show, then again")
    row = (lane, number, state, commit, reason, run, process_identity.user_at_host(), utc_now_text())
    database.insert(f"INSERT INTO holds ({_HOLD}, seal)", [(*row, row_checksum(row))])
    hit_failpoint("hold.write.commit")
    return LaneHold(*row)


def record_rollout_target(database: Database, lane: str, commit: str) -> RolloutTarget:
    """Write what is rolled out next; whoever rolls out something else is superseded from now on. In a transaction."""
    last = newest_rollout_target(database, lane)
    if last is not None and last.commit == commit:
        return last
    row = (lane, (last.number if last else 0) + 1, commit, process_identity.user_at_host(), utc_now_text())
    database.insert(f"INSERT INTO targets ({_TARGET}, seal)", [(*row, row_checksum(row))])
    hit_failpoint("target.write.commit")
    return RolloutTarget(*row)


def newest_rollout_target(database: Database, lane: str) -> RolloutTarget | None:
    """The newest rollout target of a lane: the commit it is to be brought to now; None where nobody ever rolled it
    out."""
    rows = database.rows(
        f"SELECT {_TARGET}, seal FROM targets WHERE lane = ? ORDER BY number DESC LIMIT 1",  # noqa: S608
        (lane,),
    )
    for row in rows:
        verify_checksum(row_checksum(row[:-1]), str(row[-1]), "a target of the state", database.path)
        return RolloutTarget(*row[:-1])
    return None
