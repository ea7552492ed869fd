"""One parser under broken input: what it is given, what it may raise, and a run that counts what went wrong."""

from __future__ import annotations

import contextlib
import random
import resource
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from planner.errors import HwplanError
from tests.fuzz.mutation import document_bytes, mutate_bytes, mutate_document, mutate_text

SECONDS_EACH = 5.0  # of processor time for one input
MOST_MEMORY = 256 << 20  # bytes by which the process may grow over a target
_MOST_INPUT = 256 << 10
_UNBROKEN = 50  # one input of so many is a seed as it is


@dataclass(frozen=True)
class FuzzTarget:
    """A parser. Seeds are good inputs: a `str` is broken as a text and given as one, `bytes` likewise, anything else is
    a JSON document, broken by its structure and given as bytes. `allowed` are the errors of its contract beside ours.
    """

    name: str
    seeds: tuple[Any, ...]
    parse: Callable[[Any], object]
    allowed: tuple[type[Exception], ...] = ()


@dataclass
class FuzzResult:
    """What a run of a target came to: errors that are not ours by where they came from, with one input of each."""

    inputs: int = 0
    accepted: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    grown: int = 0
    faults: dict[str, tuple[int, Any]] = field(default_factory=dict)


class HangError(BaseException):
    """An input took longer than it may."""


def fuzz_inputs(target: FuzzTarget, count: int, seed: int) -> Iterator[Any]:
    """So many inputs for a target, the same for the same seed."""
    rng = random.Random(f"{target.name}/{seed}")
    for number in range(count):
        chosen = rng.choice(target.seeds)
        whole = number % _UNBROKEN == 0
        if isinstance(chosen, str):
            texts = tuple(one for one in target.seeds if isinstance(one, str))
            yield chosen if whole else mutate_text(rng, chosen, texts)[:_MOST_INPUT]
        elif isinstance(chosen, bytes):
            pieces = tuple(one for one in target.seeds if isinstance(one, bytes))
            yield chosen if whole else mutate_bytes(rng, chosen, pieces)[:_MOST_INPUT]
        else:
            documents = tuple(one for one in target.seeds if not isinstance(one, str | bytes))
            data = document_bytes(chosen if whole else mutate_document(rng, chosen, documents))
            yield mutate_bytes(rng, data) if not whole and rng.random() < 0.1 else data


def run_target(target: FuzzTarget, count: int, seed: int = 1) -> FuzzResult:
    """Feed a target. On the main thread: the timer interrupts it."""
    found = FuzzResult()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    with _timer():
        for one in fuzz_inputs(target, count, seed):
            start = time.process_time()
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_EACH)
            try:
                target.parse(one)
                found.accepted += 1
            except (Exception, HangError) as error:
                if not isinstance(error, (HwplanError, *target.allowed)):
                    place = _place(error)
                    times, first = found.faults.get(place, (0, one))
                    found.faults[place] = (times + 1, first)
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            found.inputs += 1
            found.slowest = max(found.slowest, time.process_time() - start)
    found.seconds = time.process_time() - began
    found.grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    if found.grown > MOST_MEMORY:
        found.faults[f"the process grew by {found.grown >> 20} MiB"] = (1, None)
    return found


@contextlib.contextmanager
def _timer() -> Iterator[None]:
    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGVTALRM, ring)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if "/tests/" not in one.filename and "/site-packages/" not in one.filename]
    last = own[-1] if own else frames[-1]
    ours = [one for one in own if "/lib/python" not in one.filename]
    at = ours[-1] if ours else last
    return f"{type(error).__name__} at {'/'.join(Path(at.filename).parts[-3:])}:{at.lineno} in {at.name}"
