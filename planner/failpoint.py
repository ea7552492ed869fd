"""Failpoints: named places where a test can kill, stop, delay or break the process.

Off unless `arm` was called (the app does so from HWPLAN_FAILPOINT), and then a `hit` is one look at a module variable.
Owns the registry of all names, so that a test can enumerate every place and a misspelt name is an error. Decides
nothing: the code around a failpoint must be right whatever happens there.

A specification is a comma-separated list of `name=action[@occurrence]`:

    kill            SIGKILL to this process, as a power cut would look to the outside
    stop            SIGSTOP to this process, until somebody continues it
    exit            leave at once with code 70, without cleaning up
    error:TYPE      raise the planner.errors class or built-in OSError type of that name
    sleep:MS        sleep that many milliseconds
    count           do nothing but count (see `counts`); the name `*` stands for every name

`@3` means only the third time that this process comes by; without it the action is taken every time.
"""

from __future__ import annotations

import builtins
import os
import re
import signal
import threading
import time
from typing import Literal, TypeAlias, assert_never, cast

from planner import errors
from planner.dataclass import dataclass

ENVIRONMENT = "HWPLAN_FAILPOINT"

NAMES = (
    # a closeout record is written
    "closeout.write.begin",
    "closeout.write.commit",
    "closeout.written",
    # what a lane is to stand on
    "hold.write.begin",
    "hold.write.commit",
    "target.write.commit",
    # pull requests of a lane: a cycle, a step of a delivery, what a monitor remembers
    "pulls.cycle.commit",
    "pulls.delivery.begin",
    "pulls.delivery.commit",
    "pulls.memory.commit",
    # the state file comes into being
    "state.create.begin",
    "state.create.file",
    "state.create.migrated",
    "state.create.linked",
    "state.created",
    "state.migrate.begin",
    "state.migrate.step",
    "state.migrate.commit",
    "state.migrated",
    # the lease
    "lease.take.commit",
    "lease.taken",
    "lease.renew.commit",
    "lease.renewed",
    "lease.release.commit",
    "lease.released",
    # the run as a whole
    "run.begin.commit",
    "run.begun",
    "run.drained",
    "run.end.commit",
    "run.ended",
    # one transaction of the journal, whatever it holds
    "journal.batch.begin",
    "journal.batch.fenced",
    "journal.batch.commit",
    "journal.batch.committed",
    # one node
    "node.begin",
    "node.began",
    "node.effect",
    "node.effected",
    "node.applied",
    "node.wait",
    "node.look",
    "node.ready",
    "node.end",
    "node.ended",
    "node.skipped",
    "node.cancelled",
    # a command in a container, around its durable marks
    "exec.begin",
    "exec.begun",
    "exec.ended",
    "exec.recorded",
)

Verb: TypeAlias = Literal["kill", "stop", "exit", "error", "sleep", "count"]
EXIT_CODE = 70
_SPEC = re.compile(
    r"^(?P<name>[a-z.*]+)=(?P<verb>kill|stop|exit|error|sleep|count)(:(?P<what>\w+))?(@(?P<at>[1-9]\d*))?$"
)


@dataclass(frozen=True, slots=True)
class _Point:
    verb: Verb
    what: str
    occurrence: int  # 0: every time


@dataclass(slots=True)
class _Armed:
    points: dict[str, _Point]
    counts: dict[str, int]
    lock: threading.Lock


_armed: list[_Armed] = []  # at most one


def hit_failpoint(name: str) -> None:
    """Pass the failpoint `name`. Does nothing unless armed; then an unregistered name raises ValueError."""
    if _armed:
        _fire(_armed[0], name)


def arm_failpoints(spec: str) -> None:
    """Arm the failpoints of `spec` and start counting from zero; an empty text disarms.

    Raises ValueError that names the part which is no specification, or the unknown name.
    """
    points = dict(_parse(part.strip()) for part in spec.split(",") if part.strip())
    _armed[:] = [_Armed(points, {}, threading.Lock())] if points else []


def failpoint_counts() -> dict[str, int]:
    """How often each failpoint was passed since it was armed, by name."""
    return dict(sorted(_armed[0].counts.items())) if _armed else {}


def _parse(part: str) -> tuple[str, _Point]:
    match = _SPEC.match(part)
    if match is None:
        raise ValueError(f"{part!r} is no failpoint: expected name=kill|stop|exit|error:TYPE|sleep:MS|count[@N]")
    name, verb, what = match["name"], cast(Verb, match["verb"]), match["what"] or ""
    if name != "*" and name not in NAMES:
        raise ValueError(f"{name!r} is not the name of a failpoint")
    if verb == "error":
        _error_type(what)
    if verb == "sleep" and not what.isdigit():
        raise ValueError(f"{part!r} needs its milliseconds")
    return name, _Point(verb, what, int(match["at"] or 0))


def _fire(armed: _Armed, name: str) -> None:
    if name not in NAMES:
        raise ValueError(f"{name!r} is not the name of a failpoint")
    with armed.lock:
        count = armed.counts[name] = armed.counts.get(name, 0) + 1
    point = armed.points.get(name) or armed.points.get("*")
    if point is not None and point.occurrence in (0, count):
        _act(point, name)


def _act(point: _Point, name: str) -> None:
    match point.verb:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # to this thread: it stops right here
        case "exit":
            os._exit(EXIT_CODE)
        case "error":
            raise _error_type(point.what)(f"failpoint {name}")
        case "sleep":
            time.sleep(int(point.what) / 1000)
        case "count":
            pass
        case _:
            assert_never(point.verb)


def _error_type(name: str) -> type[Exception]:
    found = getattr(errors, name, None) or getattr(builtins, name, None)
    if isinstance(found, type) and issubclass(found, (errors.HwplanError, OSError)):
        return found
    raise ValueError(f"{name!r} is neither an error of hwplan nor an OSError")
