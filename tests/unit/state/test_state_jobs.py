"""Jobs and closeout records of the state: what is written once, what is found again, and what a job is said to be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from planner.errors import SelectionError
from state import closeouts, detached_jobs, process_identity
from tests.unit.state.state_plans import opened


def test_a_job_begins_once_and_its_first_end_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        database = store._database
        with database.transaction():
            made = detached_jobs.create_detached_job(database, "nightly", ("apply", "--confirm"))
        assert (made.id, made.state, made.ok, made.pid) == ("job-1", "queued", None, None)
        with database.transaction():
            begun = detached_jobs.begin_detached_job(database, 1)
        assert begun.state == "running" and begun.pid == process_identity.this_process().pid
        with pytest.raises(SelectionError, match="job-1 is running"):
            detached_jobs.begin_detached_job(database, 1)
        with database.transaction():
            detached_jobs.end_detached_job(database, 1, 0)
            detached_jobs.end_detached_job(database, 1, 1)
        found = detached_jobs.find_job_by_number(database, 1)
        assert (found.state, found.ok, found.command) == ("succeeded", True, ("apply", "--confirm"))
        assert detached_jobs.newest_jobs(database, 5) == (found,)
        with pytest.raises(SelectionError, match="there is no job-2"):
            detached_jobs.find_job_by_number(database, 2)


def test_a_job_that_never_began_or_whose_process_is_gone_has_died(tmp_path: Path) -> None:
    with opened(tmp_path) as store, store._database.transaction():
        made = detached_jobs.create_detached_job(store._database, "x", ())
    gone = replace(process_identity.this_process(), started=1).text()
    assert replace(made, created="2020-01-01T00:00:00Z", process="").state == "died", "as an older version wrote it"
    assert replace(made, created="2020-01-01T00:00:00Z", process="queued other-boot 1").state == "died"
    assert replace(made, process=gone).state == "died" and replace(made, process=gone).ok is False
    assert replace(made, process=gone, code=99).state == "failed"


@pytest.mark.parametrize("jump", [timedelta(days=1), -timedelta(days=1)])
def test_a_queued_job_stays_queued_when_the_wall_clock_jumps_and_dies_by_the_clock_of_the_boot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    """A job that reads `died` is not begun: after the clock was set its command would never have run."""
    with opened(tmp_path) as store:
        database = store._database
        with database.transaction():
            made = detached_jobs.create_detached_job(database, "nightly", ("apply", "--confirm"))
        later = (datetime.now(UTC) + jump).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        monkeypatch.setattr(detached_jobs, "utc_now_text", lambda: later)
        assert made.state == "queued"
        boot = process_identity.milliseconds_since_boot()
        with monkeypatch.context() as patch:
            patch.setattr(process_identity, "milliseconds_since_boot", lambda: boot + 61_000)
            assert made.state == "died", "a minute went by, whatever the wall clock says"
        with database.transaction():
            assert detached_jobs.begin_detached_job(database, 1).state == "running"


def test_the_same_closeout_is_written_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        database = store._database
        first, new = closeouts.append_closeout(database, "D601/v03", "c1", lambda before: (f"d1{before}", "one"))
        assert new and (first.number, first.digest) == (1, "d1")
        assert closeouts.append_closeout(database, "D601/v03", "c1", lambda _: ("d1", "one")) == (first, False)
        second, new = closeouts.append_closeout(database, "D601/v03", "c1", lambda before: (f"{before}+", "two"))
        assert new and (second.number, second.digest) == (2, "d1+")
        assert {one.number for one in closeouts.find_closeouts(database, "D601/v03", "c1")} == {1, 2}
        assert closeouts.find_closeouts(database, "D601/v02") == ()
