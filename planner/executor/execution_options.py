"""How a plan is to be carried out: the choices of the caller, as frozen data."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path

from planner.address import Address
from planner.dataclass import dataclass
from planner.ports import Written
from planner.resource import DEFAULT_WAIT_SECONDS
from planner.values import JsonObject


class WaitPolicy(StrEnum):
    """Which changes are waited for until they are ready (an own `hwplan.dev/wait: none` is always obeyed)."""

    ALL = "all"
    NEEDED = "needed"  # only those that another change needs: `--no-wait` without breaking the order
    NONE = "none"


class ErrorPolicy(StrEnum):
    """What a failure does to changes that do not need the failed one."""

    CONTINUE = "continue"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class EarlierChangeResult:
    """How a change ended that an earlier run of the same plan had begun, and that must not be done again: its effect,
    and why it did not end well, "" when it did."""

    written: Written
    failure: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    """Choices for one execution. Times are in seconds.

    `wait_seconds` is the budget of a change that names none; `timeout` is one for the whole run, after which nothing
    begins and nothing is waited for. `attempts` bounds tries of a change after temporary errors. `cancel` is set by
    whoever is asked to stop: what runs is finished, nothing else begins. `done` are changes that ended well in an
    earlier run of the same plan, with their outputs; `ended` are those that it had begun. `crash_folder` is where
    tracebacks of foreign errors go, if set. `again` is the command that takes up what is not over, for the remedies.
    """

    parallelism: int = 16
    wait: WaitPolicy = WaitPolicy.ALL
    wait_seconds: float = DEFAULT_WAIT_SECONDS
    timeout: float | None = None
    on_error: ErrorPolicy = ErrorPolicy.CONTINUE
    attempts: int = 5
    cancel: threading.Event = field(default_factory=threading.Event)
    done: Mapping[Address, JsonObject] = field(default_factory=dict)
    ended: Mapping[Address, EarlierChangeResult] = field(default_factory=dict)
    crash_folder: Path | None = None
    again: str = "hwplan apply --resume"
