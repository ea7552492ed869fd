"""The state file: how it is created, what is refused, how damage is found (reliability F30, F31, F56)."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from planner.errors import StateError
from state import StateStore
from state.migrate import STEPS
from state.state_file_location import temporary_state_file_name
from tests.unit.state.state_plans import applied, change, opened, plan, whole_run


def test_it_is_private_from_its_first_moment_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with opened(tmp_path) as store:
            whole_run(store, change("a"))
    finally:
        os.umask(before)
    folder = tmp_path / "s"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in folder.iterdir()} == {
        "state.db": 0o600,
        "state.db-journal": 0o600,
    }


def test_settings_are_those_that_keep_acknowledged_commits(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        database = store._database
        assert (database.pragma("journal_mode"), database.pragma("synchronous")) == ("truncate", 3)
        assert database.pragma("secure_delete") == 1


def test_identity_lasts_and_differs_between_states(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        lineage, one = store.lineage, store.fingerprinter().fingerprint(b"secret")
    with opened(tmp_path) as store:
        assert store.lineage == lineage
        assert store.fingerprinter().fingerprint(b"secret") == one
        assert store.fingerprinter().fingerprint(b"other") != one
    with opened(tmp_path / "other") as store:
        assert store.lineage != lineage
        assert store.fingerprinter().fingerprint(b"secret") != one


def test_a_fingerprint_has_its_form_and_its_maker_hides_the_key(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        maker = store.fingerprinter()
        assert maker.fingerprint(b"")[:12] == "hmac-sha256:"
        assert len(maker.fingerprint(b"")) == 12 + 16
        assert store._key.hex() not in repr(maker) + str(vars(type(maker)))


def refused(path: Path) -> StateError:
    with pytest.raises(StateError) as caught:
        StateStore.open(path)
    assert caught.value.where
    assert caught.value.remedy
    return caught.value


def test_a_symlink_is_refused(tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "real.db"):
        pass
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    assert "symbolic link" in refused(tmp_path / "link.db").message


def test_a_dangling_symlink_is_refused_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "nowhere.db")
    refused(tmp_path / "link.db")
    assert not (tmp_path / "nowhere.db").exists()


def test_a_second_name_is_refused(tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "a.db"):
        pass
    (tmp_path / "b.db").hardlink_to(tmp_path / "a.db")
    assert "second name" in refused(tmp_path / "a.db").message


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    with StateStore.open(tmp_path / "a.db"):
        pass
    (tmp_path / "a.db").chmod(mode)
    assert "chmod 600" in refused(tmp_path / "a.db").remedy


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    refused(tmp_path / "open" / "a.db")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "a.db"):
        pass
    os.chown(tmp_path / "a.db", 12345, -1)
    assert "another user" in refused(tmp_path / "a.db").message


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to look like one" * 40, b"{}"])
def test_an_empty_or_foreign_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    path.chmod(0o600)
    refused(path)
    assert path.read_bytes() == content


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.db").mkdir()
    refused(tmp_path / "a.db")


def test_another_database_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    (tmp_path / "a.db").chmod(0o600)
    assert "not a state of hwplan" in refused(tmp_path / "a.db").message


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "a.db"):
        pass
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    connection.close()
    assert "newer" in refused(tmp_path / "a.db").message


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with StateStore.open(path) as store:
        whole_run(store, *(change(f"n{i}", data={"k": "v" * 500}) for i in range(50)))
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StateError), StateStore.open(path) as store:
        store.acquire("apply")


def test_a_flipped_bit_never_goes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with StateStore.open(path) as store:
        whole_run(store, *(change(f"n{i}", data={"k": f"value-{i}"}) for i in range(5)))
        expected = _everything(store)
    good = path.read_bytes()
    noticed = 0
    for position in range(0, len(good), 97):
        path.write_bytes(good[:position] + bytes([good[position] ^ 4]) + good[position + 1 :])
        try:
            with StateStore.open(path) as store:
                store.check()
                assert _everything(store) == expected, f"a wrong answer after a flip at byte {position}"
        except StateError:
            noticed += 1
    assert noticed > 20


def _everything(store: StateStore) -> object:
    return store.records(), store.versions(), store.nodes(1), [run.number for run in store.history()]


def test_the_left_overs_of_a_killed_creation_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    dead = path.with_name(".a.db.4194305.new")  # above the largest pid
    dead.touch(0o600)
    Path(f"{dead}-journal").touch(0o600)
    with StateStore.open(path):
        pass
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.db"]


def test_a_creation_killed_between_link_and_unlink_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with StateStore.open(path):
        pass
    temporary_state_file_name(path).hardlink_to(path)
    with StateStore.open(path) as store:
        assert store.records() == ()


def test_migrating_twice_does_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        lineage = store.lineage
    for _ in range(3):
        with opened(tmp_path) as store:
            assert store.lineage == lineage


def test_a_backup_is_consistent_private_and_a_state_of_its_own(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        whole_run(store, change("a"))
        store.backup(tmp_path / "copy.db")
        with pytest.raises(StateError):
            store.backup(tmp_path / "copy.db")
        whole_run(store, change("b"))
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    with StateStore.open(tmp_path / "copy.db") as copy:
        assert [record.address.name for record in copy.records()] == ["a"]


def test_no_secret_can_be_in_it_because_documents_hold_seals_only(tmp_path: Path) -> None:
    from planner.values import SealedSecret, SecretValue

    with opened(tmp_path) as store, store.acquire("apply") as lease:
        good = change("s", data={"password": SealedSecret("file:pw#P", "hmac-sha256:0123456789abcdef")})
        bad = change("t", data={"password": SecretValue(b"hunter2")})
        run = store.begin_run(lease, "p", plan(good, bad), b"{}")
        run.observer.on(applied(good))
        with pytest.raises(ValueError, match="Circular") as caught:
            run.observer.on(applied(bad))
        assert "hunter2" not in str(caught.value)
        run.end("failed")
        (version,) = store.versions()
        assert version.document is not None
        assert version.document["data"]["password"] == SealedSecret("file:pw#P", "hmac-sha256:0123456789abcdef")
    assert b"hunter2" not in (tmp_path / "s" / "state.db").read_bytes()
