"""The lease: one holder, fenced by token, renewed, given back, taken over (reliability F21-F25)."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from planner.errors import LockedError, SelectionError, StateError
from planner.failpoint import arm_failpoints
from state import process_identity
from state.sqlite_connection import Database
from tests.unit.state.state_plans import address, applied, began, carry_out, change, ended, opened, plan, whole_run


def test_a_second_taker_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store, opened(tmp_path) as other:
        with store.acquire("apply", "sha256:abc") as lease:
            with pytest.raises(LockedError) as caught:
                other.acquire("drift")
            for part in (process_identity.user_at_host(), "apply of sha256:abc", f"lock id {lease.token}"):
                assert part in caught.value.message
            assert f"state unlock {lease.token}" in caught.value.remedy
            assert process_identity.user_at_host() in other.holder()
        assert other.holder() == ""
        other.acquire("drift").release()


def test_tokens_grow_with_every_holder(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        tokens = []
        for _ in range(3):
            with store.acquire("apply") as lease:
                tokens.append(lease.token)
    with opened(tmp_path) as store, store.acquire("apply") as lease:
        assert [*tokens, lease.token] == [1, 2, 3, 4]


def test_patience_is_rewarded(tmp_path: Path) -> None:
    with opened(tmp_path) as store, opened(tmp_path) as other:
        lease = store.acquire("apply")
        threading.Timer(0.15, lease.release).start()
        other.acquire("apply", timeout=5).release()


def test_a_lease_outlives_its_seconds_while_its_holder_lives(tmp_path: Path) -> None:
    with opened(tmp_path) as store, opened(tmp_path) as other, store.acquire("apply", seconds=0.3):
        time.sleep(0.7)
        with pytest.raises(LockedError):
            other.acquire("apply")


def expire(store: object) -> None:
    """Let the lease look as if its holder had stopped long ago."""
    database = store._database  # type: ignore[attr-defined]
    with database.transaction():
        database.run("UPDATE lease SET expires = 0, steady = 0")


def test_nothing_is_written_under_a_lease_that_was_taken_over(tmp_path: Path) -> None:
    a, b, c = change("a"), change("b"), change("c")
    with opened(tmp_path) as store, opened(tmp_path) as other:
        stale = store.acquire("apply")
        run = store.begin_run(stale, "p", plan(a, b, c), b"{}")
        carry_out(run, a)
        run.observer.on(began(b))
        expire(other)
        with other.acquire("apply"):
            run.observer.on(applied(b))  # not waited for: its error comes with what is
            for attempt in (lambda: run.observer.on(began(c)), lambda: run.observer.on(ended(b)),
                            lambda: run.end("done"), stale.check,
                            lambda: store.begin_run(stale, "q", plan(), b"{}")):  # fmt: skip
                with pytest.raises(LockedError):
                    attempt()
            stale.release()
            assert other.holder(), "the stale holder must not give back what is not his"
        assert [record.address.name for record in other.records()] == ["a"]
        assert [(node.address.name, node.phase) for node in other.nodes(1)] == [("a", "END"), ("b", "BEGIN")]
        assert [info.ended for info in other.history()] == [""]


def test_a_lease_that_ran_out_but_was_not_taken_is_still_good(tmp_path: Path) -> None:
    with opened(tmp_path) as store, opened(tmp_path) as other, store.acquire("apply") as lease:
        expire(other)
        lease.check()
        with pytest.raises(LockedError):
            other.acquire("apply")


def test_unlock_by_its_id_only_and_for_good(tmp_path: Path) -> None:
    with opened(tmp_path) as store, opened(tmp_path) as other, store.acquire("apply") as lease:
        for wrong in (0, lease.token + 1):
            with pytest.raises(SelectionError):
                other.unlock(wrong)
        lease.check()
        other.unlock(lease.token)
        with pytest.raises(LockedError):
            lease.check()
        other.acquire("apply").release()
    with opened(tmp_path) as store, pytest.raises(SelectionError):
        store.unlock(1)


def pretend(store: object, **fields: object) -> None:
    """Change who the lease says its process is."""
    database = store._database  # type: ignore[attr-defined]
    with database.transaction():
        ((text,),) = database.rows("SELECT process FROM lease")
        database.run("UPDATE lease SET process = ?", (json.dumps(json.loads(text) | fields),))


def dead_pid() -> int:
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({"pid": "dead"}, True),
        ({"started": 1}, True),  # the pid was used again
        ({"boot": "an earlier one"}, True),
        ({"pid": "dead", "host": "elsewhere"}, False),  # cannot be determined from here
        ({"pid": "dead", "namespace": "pid:[1]"}, False),  # another container
        ({"pid": "dead", "namespace": ""}, False),
        ({}, False),
    ],
)
def test_whether_a_holder_is_dead_is_told_on_its_own_machine_only(
    tmp_path: Path, fields: dict[str, object], taken: bool
) -> None:
    with opened(tmp_path) as store, opened(tmp_path) as other, store.acquire("apply"):
        pretend(other, **(fields | ({"pid": dead_pid()} if fields.get("pid") else {})))
        if taken:
            other.acquire("apply").release()
        else:
            with pytest.raises(LockedError):
                other.acquire("apply")


def test_a_zombie_is_dead() -> None:
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    started = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    child = replace(process_identity.this_process(), pid=pid, started=started)
    try:
        assert not process_identity.is_process_dead(child)
        os.close(write)
        deadline = time.monotonic() + 5
        while not process_identity.is_process_dead(child) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process_identity.is_process_dead(child)
    finally:
        os.close(read)
        os.waitpid(pid, 0)


def test_a_jump_of_the_wall_clock_neither_ends_nor_prolongs_a_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time_ns
    with opened(tmp_path) as store, opened(tmp_path) as other, store.acquire("apply"):
        monkeypatch.setattr(time, "time_ns", lambda: real() + 3_600_000_000_000)
        with pytest.raises(LockedError):
            other.acquire("apply")
        monkeypatch.setattr(time, "time_ns", lambda: real() - 3_600_000_000_000)
        steady = process_identity.milliseconds_since_boot
        monkeypatch.setattr(process_identity, "milliseconds_since_boot", lambda: steady() + 31_000)
        other.acquire("apply").release()


def test_state_rm_is_refused_while_somebody_applies(tmp_path: Path) -> None:
    with opened(tmp_path) as store, opened(tmp_path) as other:
        whole_run(store, change("a"))
        with store.acquire("apply"), pytest.raises(LockedError):
            other.forget(address("a"))
        other.forget(address("a"))
        assert other.records() == ()


def test_after_the_first_error_of_the_disk_nothing_more_is_written(tmp_path: Path) -> None:
    a, b = change("a"), change("b")
    with opened(tmp_path) as store:
        lease = store.acquire("apply")
        run = store.begin_run(lease, "p", plan(a, b), b"{}")
        ((page_count,),) = store._database.rows("PRAGMA page_count")
        store._database.rows(f"PRAGMA max_page_count = {page_count}")
        run.observer.on(began(a))
        run.observer.on(applied(a))

        def grow(database: Database, _: object) -> None:
            database.run("CREATE TABLE x AS SELECT 1")

        lease.writer.submit(grow, durable=False)
        with pytest.raises(StateError) as caught:
            lease.check()
        assert "the disk is full" in caught.value.message
        store._database.rows("PRAGMA max_page_count = 1000000")
        with pytest.raises(StateError):
            run.observer.on(began(b))
        lease.release()
        assert store.holder() == ""
        assert [(node.address.name, node.phase) for node in store.nodes(1)] in ([("a", "BEGIN")], [("a", "APPLIED")])


def test_that_something_vanishing_was_made_is_on_disk_before_it_is_waited_for(tmp_path: Path) -> None:
    a = change("a")
    with opened(tmp_path) as store, store.acquire("apply") as lease:
        run = store.begin_run(lease, "p", plan(a), b"{}")
        run.observer.on(began(a))
        arm_failpoints("journal.batch.begin=sleep:500")  # what nobody waits for is not there yet
        try:
            run.observer.on(replace(applied(a, uid="made"), vanishes=True))
            with opened(tmp_path) as other:  # as a process that comes after a kill
                left = other.unfinished_run()
        finally:
            arm_failpoints("")
        assert left is not None and left.begun[a.address].uid == "made"
