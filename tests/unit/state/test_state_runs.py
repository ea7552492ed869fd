"""Runs, journal and records: what is retained of what was done, and what a resumed run finds."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from planner.applied_state import KindInNamespace
from planner.errors import SelectionError
from planner.events import ChangeEnded, ChangeResult, ChangeWaiting
from planner.plan import Action
from planner.source_line_ref import SourceRef
from planner.values import OutputRef, SealedSecret, document_digest, encode_special_leaves
from tests.unit.state.state_plans import address, applied, began, carry_out, change, ended, opened, plan, whole_run


def test_a_run_is_on_record(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert whole_run(store, change("a")) == 1
        assert whole_run(store, change("b"), outcome="failed") == 2
        second, first = store.history()
        assert (first.number, first.outcome, second.outcome, second.operation) == (1, "done", "failed", "apply")
        assert first.selection == plan().selection
        assert first.started <= first.ended <= second.started
        assert "@" in first.who
        assert store.run(2) == second
        assert store.run(3) is None
        assert store.history(1) == (second,)


def test_records_are_what_was_applied(tmp_path: Path) -> None:
    a, b = change("a", data={"k": "v"}), change("b", owned="other")
    with opened(tmp_path) as store:
        assert store.snapshot(["app"]).serial == 0
        whole_run(store, a, b)
        record = store.snapshot(["app"]).records[address("a")]
        assert (record.api_version, record.owned_by, record.scope, record.uid, record.run) == (
            "v1", "app", "infra", "u1", 1)  # fmt: skip
        assert record.applied == document_digest(encode_special_leaves(a.desired))
        assert record.source == SourceRef("config/a.yaml", 3, 5)
        assert set(store.snapshot(["app"]).records) == {address("a")}
        assert set(store.snapshot(["app", "other"]).records) == {address("a"), address("b")}
        assert store.snapshot(["app"]).places() == {KindInNamespace("", "v1", "ConfigMap", "ns")}
        assert [record.address.name for record in store.records()] == ["a", "b"]


def test_the_annotated_digest_is_the_one_that_counts(tmp_path: Path) -> None:
    one = change("a")
    assert one.desired is not None
    one.desired["metadata"]["annotations"] = {"hwplan.dev/applied": "sha256:given"}
    with opened(tmp_path) as store:
        whole_run(store, one)
        assert store.records()[0].applied == "sha256:given"


def test_the_serial_grows_with_every_write_of_records(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        serials = []
        for name in "abc":
            whole_run(store, change(name))
            serials.append(store.snapshot([]).serial)
        store.forget(address("a"))
        serials.append(store.snapshot([]).serial)
        assert serials == sorted(set(serials))
        assert serials[0] > 0


def test_every_version_is_kept_with_its_pre_image(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        whole_run(store, change("a", data={"k": "1"}))
        whole_run(store, change("a", Action.UPDATE, data={"k": "2"}))
        whole_run(store, change("a", Action.DELETE))
        versions = store.versions(address=address("a"))
        assert [(v.record.run, v.action) for v in versions] == [(1, "create"), (2, "update"), (3, "delete")]
        assert [v.document and v.document["data"] for v in versions] == [{"k": "1"}, {"k": "2"}, None]
        assert versions[1].before == ({"path": "data.k", "op": "change", "before": "old"},)
        assert versions[2].record.owned_by == "app", "a delete keeps the owner"
        assert store.records() == ()
        assert [v.record.run for v in store.versions(run=2)] == [2]


def test_special_leaves_survive(tmp_path: Path) -> None:
    data = {"p": SealedSecret("file:pw#P", "hmac-sha256:00"), "r": OutputRef(address("git"), "commit")}
    with opened(tmp_path) as store:
        whole_run(store, change("a", data=data))
        (version,) = store.versions()
        assert version.document is not None
        assert version.document["data"] == data


def test_a_deleted_object_stays_on_record_until_it_is_gone(tmp_path: Path) -> None:
    gone, stuck = change("gone", Action.DELETE), change("stuck", Action.DELETE)
    with opened(tmp_path) as store:
        whole_run(store, change("gone"), change("stuck"))
        with store.acquire("destroy") as lease:
            run = store.begin_run(lease, "p", plan(gone, stuck), b"{}")
            for one, result in ((gone, ChangeResult.DONE), (stuck, ChangeResult.PENDING)):
                run.observer.on(began(one))
                run.observer.on(applied(one))
                run.observer.on(ended(one, result))
            run.end("pending")
        assert [record.address.name for record in store.records()] == ["stuck"]


def test_forgetting_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with opened(tmp_path) as store, pytest.raises(SelectionError):
        store.forget(address("a"))


def test_an_effect_applied_twice_in_a_run_has_one_version_with_the_last_uid(tmp_path: Path) -> None:
    one = change("a")
    with opened(tmp_path) as store, store.acquire("apply") as lease:
        run = store.begin_run(lease, "p", plan(one), b"{}")
        run.observer.on(began(one))
        run.observer.on(applied(one, "u1"))
        run.observer.on(applied(one, "u2"))
        run.observer.on(ended(one))
        lease.check()
        assert [record.uid for record in store.records()] == ["u2"]
        assert len(store.versions()) == 1


def test_the_journal_keeps_reasons(tmp_path: Path) -> None:
    one, two = change("a"), change("b")
    with opened(tmp_path) as store, store.acquire("apply") as lease:
        run = store.begin_run(lease, "p", plan(one, two), b"{}")
        run.observer.on(began(one))
        run.observer.on(ChangeWaiting("t", one.address, "0 of 1 ready", 1.0))
        failed = ChangeEnded("t", one.address, one.action, ChangeResult.FAILED, 2.0, "quota", "raise it")
        run.observer.on(failed)
        run.observer.on(
            ChangeEnded("t", two.address, two.action, ChangeResult.SKIPPED, 0.0, "needs a", cause=one.address)
        )
        run.end("failed")
        first, second = store.nodes(1)
        assert (first.phase, first.result) == ("END", "failed")
        assert first.detail == {"seconds": 2.0, "message": "quota", "remedy": "raise it"}
        assert second.detail["cause"] == "ConfigMap/ns/a"


# Resuming


def test_nothing_to_resume(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.unfinished_run() is None
        whole_run(store, change("a"))
        assert store.unfinished_run() is None


def test_a_run_that_did_not_end_tells_what_is_done_and_what_was_begun(tmp_path: Path) -> None:
    a, b, c, d, e = (change(name) for name in "abcde")
    with opened(tmp_path) as store, store.acquire("apply") as lease:
        run = store.begin_run(lease, "sha256:p", plan(a, b, c, d, e), b'{"the": "plan"}')
        carry_out(run, a)
        run.observer.on(began(b))
        run.observer.on(began(c))
        run.observer.on(applied(c))
        run.observer.on(began(d))
        run.observer.on(ended(d, ChangeResult.FAILED))
        lease.check()
        left = store.unfinished_run()
        assert left is not None
        assert left.killed
        assert left.document == b'{"the": "plan"}'
        assert left.info.plan_id == "sha256:p"
        assert left.done == {address("a"): {"uid": "u1"}}
        assert set(left.begun) == {address("b"), address("c")}


def test_a_chain_of_resumed_runs_adds_up(tmp_path: Path) -> None:
    a, b, c = (change(name) for name in "abc")
    with opened(tmp_path) as store, store.acquire("apply") as lease:
        first = store.begin_run(lease, "p", plan(a, b, c), b"1")
        carry_out(first, a)
        first.observer.on(began(b))
        second = store.begin_run(lease, "p", plan(a, b, c), b"1", resumes=first.number)
        second.observer.on(began(b))
        second.observer.on(applied(b, outputs={"commit": "c0ffee"}))
        second.observer.on(ended(b, ChangeResult.UNCHANGED))
        lease.check()
        left = store.unfinished_run()
        assert left is not None
        assert left.info.resumes == 1
        assert left.done == {address("a"): {"uid": "u1"}, address("b"): {"commit": "c0ffee"}}
        assert left.begun == {}
        third = store.begin_run(lease, "other", plan(a), b"2")
        again = store.unfinished_run()
        assert again is not None
        assert (again.done, again.info.number) == ({}, third.number), "another plan starts from nothing"


def test_a_run_that_failed_can_be_resumed_but_was_not_killed(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        whole_run(store, change("a"), outcome="failed")
        left = store.unfinished_run()
        assert left is not None
        assert not left.killed


def test_only_the_newest_plans_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for _ in range(8):
            whole_run(store, change("a"))
        retained = store._database.rows("SELECT number FROM runs WHERE document <> '' ORDER BY number")
        assert [number for (number,) in retained] == [4, 5, 6, 7, 8]
        assert len(store.history()) == 8


# Group commit


def test_a_thousand_nodes_share_commits(tmp_path: Path) -> None:
    changes = [change(f"n{number:04}", data={"k": "v" * 200}) for number in range(1000)]
    with opened(tmp_path) as store, store.acquire("apply") as lease:
        run = store.begin_run(lease, "p", plan(*changes), b"{}")
        before = lease.writer.commits
        parts = [changes[number::16] for number in range(16)]
        threads = [threading.Thread(target=carry_out, args=(run, *part)) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        commits = lease.writer.commits - before
        run.end("done")
        assert commits <= 250, "one durable event for each node, and sixteen share a commit"
        assert len(store.records()) == 1000
        assert {node.result for node in store.nodes(1)} == {"done"}


def test_one_thread_alone_pays_one_commit_for_a_node(tmp_path: Path) -> None:
    changes = [change(f"n{number}") for number in range(20)]
    with opened(tmp_path) as store, store.acquire("apply") as lease:
        run = store.begin_run(lease, "p", plan(*changes), b"{}")
        before = lease.writer.commits
        carry_out(run, *changes)
        assert 20 <= lease.writer.commits - before <= 60, "one is waited for; more where the writer is quick"


def test_an_end_is_on_disk_with_the_begin_of_what_comes_after_it(tmp_path: Path) -> None:
    """Nobody waits for an END, and still no effect is tried before those that it builds on are on record as over."""
    changes = [change(f"n{number}") for number in range(50)]
    with opened(tmp_path) as store, opened(tmp_path) as other, store.acquire("apply") as lease:
        run = store.begin_run(lease, "p", plan(*changes), b"{}")
        for number, one in enumerate(changes):
            run.observer.on(began(one))
            over = {node.address.name for node in other.nodes(1) if node.phase == "END"}
            assert over == {f"n{before}" for before in range(number)}
            run.observer.on(applied(one))
            run.observer.on(ended(one))
