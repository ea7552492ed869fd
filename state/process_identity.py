"""Which process holds a lease, and whether it can still be alive.

A process is named by machine, boot, pid namespace, pid and start time: two containers on one machine see different
pids, and pids are used again. Only a process of our own pid namespace can be found dead; any other is believed until
its lease runs out. Expiry uses the clock of the boot where both sides share it, so that a jump of the wall clock
neither ends a lease early nor keeps it for an hour (fault F21).
"""

from __future__ import annotations

import json
import os
import pwd
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path

from planner.dataclass import dataclass

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """Identity of a process. `started` is in clock ticks since boot."""

    host: str
    boot: str
    namespace: str
    pid: int
    started: int

    def text(self) -> str:
        """The form retained in the lease."""
        return json.dumps(asdict(self), sort_keys=True)


def this_process() -> ProcessIdentity:
    """The identity of the current process."""
    pid = os.getpid()
    return ProcessIdentity(os.uname().nodename, _boot(), _link("/proc/self/ns/pid"), pid, _started(pid) or 0)


def parse_process_identity(text: str) -> ProcessIdentity | None:
    """Read the form retained in the lease; None when it is not one."""
    try:
        return ProcessIdentity(**json.loads(text))
    except (ValueError, TypeError):
        return None


def is_process_dead(process: ProcessIdentity) -> bool:
    """Whether the process is known to be gone. False when it cannot be determined."""
    here = this_process()
    if not here.namespace or process.host != here.host or process.namespace != here.namespace:
        return False
    return process.boot != here.boot or _started(process.pid) != process.started


def has_lease_expired(process: ProcessIdentity | None, expires: int, steady: int, wall_now: int) -> bool:
    """Whether a lease has expired that lasts until `expires` (wall ms), or `steady` (ms of the holder's boot)."""
    if process is not None and process.boot and process.boot == _boot():
        return milliseconds_since_boot() >= steady
    return wall_now >= expires


def milliseconds_since_boot() -> int:
    """Milliseconds since boot; never jumps."""
    return time.clock_gettime_ns(_STEADY) // 1_000_000


def moment_of_boot() -> str:
    """Now, by the clock of this boot, for `seconds_since_moment`."""
    return f"{_boot()} {milliseconds_since_boot()}"


def seconds_since_moment(moment: str) -> float | None:
    """Seconds since such a moment, whatever the wall clock did since; None for a moment of another boot."""
    boot, _, milliseconds = moment.rpartition(" ")
    if not boot or boot != _boot() or not milliseconds.isdecimal():
        return None
    return (milliseconds_since_boot() - int(milliseconds)) / 1000


@cache
def user_at_host() -> str:
    """`user@host` of the current process, for people."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return f"{user}@{os.uname().nodename}"


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def _started(pid: int) -> int | None:
    """Start time of a process, or None when there is none (a zombie does nothing any more: none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name in parentheses may hold anything
    return None if fields[0] in "ZX" else int(fields[19])
