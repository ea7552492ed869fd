"""Disk errors at chosen system calls of a process: the kernel asks us about each call that writes to a disk (seccomp
user notification), and we let it pass or fail it. Needs no tool and no privilege; no line of the program knows of it.

Children of the process are asked about as well. x86-64 only: numbers of system calls differ elsewhere.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import select
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SUPPORTED = platform.machine() == "x86_64" and platform.system() == "Linux"
_OPENAT = 257
_BY_DESCRIPTOR = {
    1: "write",
    18: "pwrite64",
    20: "writev",
    74: "fsync",
    75: "fdatasync",
    77: "ftruncate",
    285: "fallocate",
}
_BY_NAME = {
    82: "rename", 83: "mkdir", 86: "link", 87: "unlink", 258: "mkdirat", 263: "unlinkat", 264: "renameat",
    265: "linkat", 316: "renameat2", _OPENAT: "openat",
}  # fmt: skip
_NAMES = _BY_DESCRIPTOR | _BY_NAME
_NEVER_FULL = frozenset(("unlink", "unlinkat"))  # what takes no room

_ARCH = 0xC000003E  # AUDIT_ARCH_X86_64
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, _SEND
_CONTINUE = 1
_REQUEST, _REPLY = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")


@dataclass
class DiskFaults:
    """Which disk calls fail: those from number `first` on (from 1, 0 for none), one or all that follow."""

    first: int = 0
    error: int = errno.ENOSPC
    lasting: bool = False
    calls: list[str] = field(default_factory=list)  # every disk call so far: its name
    failed: int = 0

    def fails(self, name: str) -> bool:
        """Whether this call, the next one, fails."""
        if self.error == errno.ENOSPC and name in _NEVER_FULL:
            return False
        self.calls.append(name)
        number = len(self.calls)
        hit = bool(self.first) and (number >= self.first if self.lasting else number == self.first)
        self.failed += hit
        return hit


def run_with_disk_faults(call: Callable[[], int], faults: DiskFaults, seconds: float = 60.0) -> int:
    """Fork, and run `call` in the child with the faults; its exit code, or minus the signal that ended it.

    Raises TimeoutError after ending a child that takes longer.
    """
    ours, theirs = socket.socketpair()
    if (pid := os.fork()) == 0:
        code = 1
        try:
            ours.close()
            socket.send_fds(theirs, [b"x"], [_listener()])
            theirs.close()
            code = call()
        except BaseException:
            traceback.print_exc(file=sys.stderr)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    theirs.close()
    with ours:
        _, (listener, *_), _, _ = socket.recv_fds(ours, 1, 1)
    pidfd = os.pidfd_open(pid)
    try:
        _answer_until_end(listener, pidfd, faults, seconds)
    except TimeoutError:
        os.kill(pid, 9)
        raise
    finally:
        os.close(listener)
        os.close(pidfd)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code


def _answer_until_end(listener: int, pidfd: int, faults: DiskFaults, seconds: float) -> None:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    poll.register(pidfd, select.POLLIN)
    while True:
        ready = dict(poll.poll(seconds * 1000))
        if not ready:
            raise TimeoutError("the command does not end")
        if ready.get(listener, 0) & select.POLLIN:
            _answer(listener, faults)
        elif pidfd in ready:
            return


def _answer(listener: int, faults: DiskFaults) -> None:
    buffer = bytearray(_REQUEST.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, buffer)
        identity, pid, _, number, _, _, *arguments = _REQUEST.unpack(buffer)
        name = _NAMES[number]
        on_disk = number in _BY_NAME or _is_file(pid, arguments[0])
        error = faults.error if on_disk and faults.fails(name) else 0
        reply = _REPLY.pack(identity, 0, -error, 0 if error else _CONTINUE)
        fcntl.ioctl(listener, _ANSWER, bytearray(reply))
    except OSError as gone:
        if gone.errno != errno.ENOENT:  # the process that asked was killed meanwhile
            raise


def _is_file(pid: int, descriptor: int) -> bool:
    """Whether a descriptor is an open file or folder of a file system, and no pipe, socket or device."""
    try:
        to = str(Path(f"/proc/{pid}/fd/{descriptor & 0xFFFFFFFF}").readlink())
    except OSError:
        return False
    return to.startswith("/") and not to.startswith(("/dev/null", "/dev/pts", "/dev/tty", "/proc", "/memfd"))


def _listener() -> int:
    """Install the filter in this thread, and in all that it begets; the descriptor on which is asked."""
    plain = [number for number in _NAMES if number != _OPENAT]
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, _ARCH), (0x06, 0, 0, _ALLOW), (0x20, 0, 0, 0)]  # other machine: allowed
    program += [(0x15, len(plain) - at + 3, 0, number) for at, number in enumerate(plain)]  # one of these: ask
    program += [(0x15, 0, 2, _OPENAT), (0x20, 0, 0, 32), (0x45, 1, 0, os.O_CREAT)]  # one that may make a file: ask
    program += [(0x06, 0, 0, _ALLOW), (0x06, 0, 0, _ASK)]
    code = b"".join(struct.pack("=HBBI", *one) for one in program)
    held = ctypes.create_string_buffer(code)
    filters = struct.pack("=H6xQ", len(program), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0):  # PR_SET_NO_NEW_PRIVS
        raise OSError(ctypes.get_errno(), "prctl")
    packed = ctypes.create_string_buffer(filters)
    descriptor: int = libc.syscall(317, 1, 8, packed)  # seccomp(SECCOMP_SET_MODE_FILTER, NEW_LISTENER)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return descriptor
