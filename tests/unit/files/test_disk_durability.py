"""A file that was replaced is on the disk before it has its name, and its folder after that: seen from the calls."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers import durable_file


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Every fsync and rename, in order, with what it was about. The real ones are called."""
    found: list[tuple[str, str]] = []

    def watch(name: str, about: Callable[..., str]) -> None:
        real = getattr(os, name)

        def called(*args: Any, **how: Any) -> Any:
            found.append((name, about(*args)))
            return real(*args, **how)

        monkeypatch.setattr(os, name, called)

    watch("fsync", lambda handle: Path(f"/proc/self/fd/{handle}").readlink().name)
    watch("rename", lambda old, new: f"{old} {new}")
    return found


def test_the_bytes_then_the_name_then_the_folder(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    assert durable_file.replace_file(tmp_path / "f", b"new", "0600", lambda _now: True)
    (synced, temporary), renamed, folder = calls
    assert synced == "fsync" and renamed == ("rename", f"{temporary} f") and folder == ("fsync", tmp_path.name)


def test_folders_that_are_made_are_on_the_disk_too(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    durable_file.replace_file(tmp_path / "a" / "b" / "f", b"new", "0600", lambda _now: True)
    assert [about for call, about in calls if call == "fsync"][:2] == [tmp_path.name, "a"]


def test_the_bytes_are_all_written_when_they_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, real = [], os.fsync

    def fsync(handle: int) -> None:
        sizes.append(os.fstat(handle).st_size)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    data = b"x" * 100_000
    durable_file.replace_file(tmp_path / "f", data, "0600", lambda _now: True)
    assert sizes[0] == len(data)


def test_nothing_is_written_where_it_is_not_allowed(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    assert not durable_file.replace_file(tmp_path / "f", b"new", "0600", lambda _now: False) and not calls
