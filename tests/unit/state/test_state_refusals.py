"""Refusals that depend on the machine: file systems, processes and folders that are not what they should be."""

from __future__ import annotations

import os
import pwd
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.errors import StateError
from planner.events import ChangeWaiting
from state import process_identity, state_file_location
from state.sqlite_connection import Database
from state.state_store import StateStore
from tests.unit.state.state_plans import change, ended, opened, plan

NETWORK = "31 25 0:44 / {point} rw,relatime shared:1 - nfs4 server:/x rw"
LOCAL = "25 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"


def mounted(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Let the machine have these mounts; none given: it does not say."""
    real = Path.read_text

    def read_text(path: Path, *words: str | None, **named: str | None) -> str:
        if str(path) != "/proc/self/mountinfo":
            return real(path, *words, **named)
        if not lines:
            raise PermissionError
        return "\n".join(lines)

    monkeypatch.setattr(Path, "read_text", read_text)


def test_a_network_file_system_is_refused_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted(monkeypatch, LOCAL, NETWORK.format(point=tmp_path))
    with pytest.raises(StateError, match=r"network file system \(nfs4\)") as caught:
        state_file_location.refuse_network_filesystem(tmp_path / "deep")
    assert "HWPLAN_STATE" in caught.value.remedy


@pytest.mark.parametrize("lines", [(), (LOCAL,), (LOCAL, NETWORK.format(point="/elsewhere"))])
def test_other_file_systems_are_taken(lines: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted(monkeypatch, *lines)
    state_file_location.refuse_network_filesystem(tmp_path)


def test_the_innermost_mount_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = "40 31 8:2 / {point} rw - ext4 /dev/sdb rw"
    (tmp_path / "in").mkdir()
    mounted(monkeypatch, inner.format(point=tmp_path / "in"), NETWORK.format(point=tmp_path), LOCAL)
    state_file_location.refuse_network_filesystem(tmp_path / "in")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="the folder of the state cannot be used") as caught:
        state_file_location.prepare_state_folder(tmp_path / "file" / "below")
    assert caught.value.where == str(tmp_path / "file" / "below")


def _long(folder: Path) -> Path:
    return folder / ("x" * 300)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (state_file_location.check_state_file, "the state file cannot be looked at"),
        (state_file_location.create_private_file, "the file cannot be created"),
    ],
)
def test_a_name_that_the_system_refuses(call: Callable[[Path], object], message: str, tmp_path: Path) -> None:
    with pytest.raises(StateError, match=message):
        call(_long(tmp_path))


def test_whose_left_overs_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    names = {pid: tmp_path / f".state.db.{pid}.new" for pid in (str(os.getpid()), "1", "999999999", "word")}
    for one in names.values():
        one.write_text("")
    state_file_location.remove_temporary_state_files(path)
    assert {pid for pid, one in names.items() if one.exists()} == {"1", "word"}


def test_a_state_that_cannot_be_linked_into_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(StateError, match="the state file cannot be created: operation not permitted"):
        StateStore.open(tmp_path / "state.db").close()


def test_a_faster_process_made_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.link

    def late(source: Path, target: Path) -> None:
        real(source, target)
        raise FileExistsError

    monkeypatch.setattr(os, "link", late)
    with opened(tmp_path) as store:
        assert store.lineage


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> object:
        raise KeyError(uid)

    process_identity.user_at_host.cache_clear()
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert process_identity.user_at_host() == f"{os.geteuid()}@{os.uname().nodename}"
    process_identity.user_at_host.cache_clear()


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "1", '{"host": "a"}', '{"pid": 1, "more": 2}'])
def test_what_names_no_process_is_none(text: str) -> None:
    assert process_identity.parse_process_identity(text) is None


def test_a_lease_of_another_boot_runs_by_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    here = process_identity.this_process()
    assert process_identity.parse_process_identity(here.text()) == here and not process_identity.is_process_dead(here)
    assert process_identity.has_lease_expired(None, 10, 10**15, 10)
    assert not process_identity.has_lease_expired(None, 11, 0, 10)
    assert process_identity.has_lease_expired(here, 10**15, 0, 10)


def test_a_machine_that_says_nothing_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> str:
        raise OSError

    here = process_identity.this_process()
    process_identity._boot.cache_clear()
    monkeypatch.setattr(Path, "read_text", nothing)
    monkeypatch.setattr(Path, "readlink", nothing)
    try:
        bare = process_identity.this_process()
        assert (bare.boot, bare.namespace, bare.started) == ("", "", 0)
        assert not process_identity.is_process_dead(here)  # it cannot be determined
        assert process_identity.has_lease_expired(bare, 10, 10**15, 10)
    finally:
        process_identity._boot.cache_clear()


def test_waiting_is_shown_and_not_written(tmp_path: Path) -> None:
    a = change("a")
    with opened(tmp_path) as store, store.acquire("apply") as lease:
        run = store.begin_run(lease, "p", plan(a), b"{}")
        run.observer.on(ChangeWaiting("2026-01-01T00:00:00Z", a.address, "1 of 2 pods", 3.0))
        assert store.nodes(1) == ()
        run.observer.on(ended(a))


def test_nothing_is_written_after_the_lease_was_given_back(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        lease = store.acquire("apply")
        lease.check()
        lease.release()
        lease.release()
        with pytest.raises(StateError, match="the lease was given back"):
            lease.check()


def test_a_fault_of_our_own_stops_every_later_write(tmp_path: Path) -> None:
    def broken(database: Database, items: object) -> None:
        raise ZeroDivisionError

    with opened(tmp_path) as store:
        lease = store.acquire("apply")
        with pytest.raises(StateError, match="the state cannot be written: ZeroDivisionError"):
            lease.writer.submit(broken)
        with pytest.raises(StateError):
            lease.check()
        lease.release()


def test_a_run_that_never_was(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.run(7) is None


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE lease SET token = 'x'",
        "UPDATE lease SET expires = 'x'",
        "DELETE FROM lease",
        "UPDATE lease SET who = CAST(X'ff' AS TEXT)",
        "UPDATE meta SET lineage = CAST(X'fffe' AS TEXT)",
    ],
)
def test_content_that_nobody_has_written_is_damage(damage: str, tmp_path: Path) -> None:
    """SQLite takes any type in any column, and any bytes as text."""
    opened(tmp_path).close()
    (file,) = tmp_path.rglob("*.db")
    raw = sqlite3.connect(file)
    raw.execute("PRAGMA ignore_check_constraints = ON")
    with raw:
        raw.execute(damage)
    raw.close()
    with pytest.raises(StateError) as caught, opened(tmp_path) as store, store.acquire("apply", "sha256:p", 0.0):
        pass
    assert "damaged" in caught.value.message or "changed" in caught.value.message
    assert caught.value.remedy == "restore it from a backup"
