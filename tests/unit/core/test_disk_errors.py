"""The words for what a disk refused."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from planner.disk_errors import disk_error_text, is_disk_full


@pytest.mark.parametrize(
    ("number", "text", "full"),
    [
        (errno.ENOSPC, "the disk is full", True),
        (errno.EDQUOT, "the disk is full", True),
        (errno.EIO, "the disk reported an error", False),
        (errno.EACCES, "permission denied", False),
    ],
)
def test_words(number: int, text: str, full: bool) -> None:
    error = OSError(number, os.strerror(number))
    assert (disk_error_text(error), is_disk_full(error)) == (text, full)


def test_no_words() -> None:
    assert disk_error_text(OSError("anything"), "cannot be written") == "cannot be written"


def test_no_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "missing")])
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(FileNotFoundError) as caught:
        tempfile.gettempdir()
    assert disk_error_text(caught.value).startswith("no temporary file can be written: the disk is full")
