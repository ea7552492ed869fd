"""Where the state file lies, and whether that place can be trusted (reliability F31, rules R10 and R23).

Looks at names and modes only. It never opens the live file: closing any descriptor of it would drop the POSIX locks
that SQLite holds in this process (sqlite.org/howtocorrupt, 2.2).
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from planner.disk_errors import disk_error_text
from planner.errors import StateError

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph"})


def prepare_state_folder(folder: Path) -> None:
    """Make `folder` with mode 0700 when it is missing. Raises StateError when others could swap files in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = folder.stat()
    except OSError as error:
        raise StateError(
            f"the folder of the state cannot be used: {disk_error_text(error)}",
            where=str(folder),
            remedy="name another place with HWPLAN_STATE",
        ) from None
    open_to_others = info.st_mode & 0o022 and not info.st_mode & stat.S_ISVTX
    if info.st_uid not in (os.geteuid(), 0) or open_to_others:
        raise StateError(
            "the folder of the state belongs to somebody else or can be written by others",
            where=str(folder),
            remedy=f"chmod 700 {folder}, or name another place with HWPLAN_STATE",
        )


def refuse_network_filesystem(folder: Path) -> None:
    """Raise StateError when `folder` lies on a network file system, whose locks SQLite cannot rely on."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    real, best, kind = f"{folder.resolve()}/", "", ""
    for line in mounts:
        left, _, right = line.partition(" - ")
        point = left.split(" ")[4].rstrip("/") + "/"
        if real.startswith(point) and len(point) >= len(best):
            best, kind = point, right.split(" ")[0]
    if kind in _NETWORK:
        raise StateError(
            f"the state lies on a network file system ({kind}); its locks cannot be relied on",
            where=str(folder),
            remedy="name a local place with HWPLAN_STATE",
        )


def check_state_file(path: Path) -> bool:
    """Whether the state file exists. Raises StateError when what stands there is not a private file of ours."""
    try:
        info = path.lstat()
        if info.st_nlink > 1:
            remove_temporary_state_files(path)
            info = path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StateError(f"the state file cannot be looked at: {disk_error_text(error)}", where=str(path)) from None
    problem, remedy = _problem(path, info)
    if problem:
        raise StateError(f"the state file {problem}", where=str(path), remedy=remedy)
    return True


def _problem(path: Path, info: os.stat_result) -> tuple[str, str]:
    elsewhere = "name another place with HWPLAN_STATE"
    if stat.S_ISLNK(info.st_mode):
        return "is a symbolic link", "name the file itself with HWPLAN_STATE"
    if not stat.S_ISREG(info.st_mode):
        return "is not a regular file", elsewhere
    if info.st_uid != os.geteuid():
        return "belongs to another user", elsewhere
    if info.st_mode & 0o077:
        return f"can be used by others (mode {stat.S_IMODE(info.st_mode):04o})", f"chmod 600 {path}"
    if info.st_size == 0:
        return (
            "is empty: it was cut off or made by something else",
            "restore it from a backup, or remove it to start anew",
        )
    if info.st_nlink - len(_newborn(path, info)) > 1:
        return "has a second name (hard link)", "remove the other name: one file, one journal"
    return "", ""


def temporary_state_file_name(path: Path) -> Path:
    """The name under which this process builds the file before it appears under its own name, complete."""
    return path.with_name(f".{path.name}.{os.getpid()}.new")


def remove_temporary_state_files(path: Path) -> None:
    """Remove what killed processes left of building the file, here and with their SQLite journals."""
    for left in path.parent.glob(f".{path.name}.*.new*"):
        pid = left.name.removeprefix(f".{path.name}.").partition(".")[0]
        if pid.isdigit() and (int(pid) == os.getpid() or not _runs(int(pid))):
            with suppress(OSError):  # what cannot be removed now is by the next one that makes a state
                left.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def create_private_file(path: Path) -> None:
    """Create an empty file with mode 0600 that was not there before. Raises StateError."""
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(path, flags, 0o600))
    except OSError as error:
        raise StateError(
            f"the file cannot be created: {disk_error_text(error)}",
            where=str(path),
            remedy="name another place, or make the folder writable",
        ) from None


def flush_folder_to_disk(folder: Path) -> None:
    """Make names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _newborn(path: Path, info: os.stat_result) -> list[Path]:
    """The building names that are still linked to the same file: its maker is between `link` and `unlink`."""
    if info.st_nlink == 1:
        return []
    found = []
    for other in path.parent.glob(f".{path.name}.*.new"):
        try:
            same = other.lstat().st_ino == info.st_ino
        except FileNotFoundError:
            continue
        if same:
            found.append(other)
    return found
