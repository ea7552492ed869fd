"""Temporary folders that do not pile up: what a killed run left behind, the next run removes.

Owns the folders named `hwplan-testbed-*` of the system's temporary folder. A run holds a lock on a file in its own; a
folder whose lock is free has no owner any more.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "hwplan-testbed-"
_LOCK = "owner.lock"


@contextmanager
def folder() -> Iterator[Path]:
    """Give a new folder for as long as the block lasts, after removing those that have no owner any more."""
    _sweep()
    path = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with (path / "new.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            (path / "new.lock").rename(path / _LOCK)
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _sweep() -> None:
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            with lock.open() as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # it has an owner, or is another user's, or is being removed just now
            continue
