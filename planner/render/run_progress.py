"""What a run does while it does it: events to lines, or to a live tree on a terminal. Rich is imported for a tree only.

Every node that is over is one line, in the order of their ends. On a terminal those lines scroll by above a tree of
what runs and waits now, with elapsed times; otherwise begins and waits are lines too, with the time in UTC.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO, assert_never

from planner.address import Address
from planner.duration import render_duration as duration
from planner.events import ChangeApplied, ChangeBegan, ChangeEnded, ChangeResult, ChangeWaiting, Event, EventObserver
from planner.plan import Action, Plan
from planner.render.blocked_reasons_and_warnings import shorten_reason
from planner.text_safe import safe_text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

MOST_ROWS = 16  # of the tree; the rest is counted
_WIDTH = 9  # of the longest action or result, and a space
_COLOURS = {
    ChangeResult.DONE: "green",
    ChangeResult.UNCHANGED: "dim",
    ChangeResult.FAILED: "bold red",
    ChangeResult.STALE: "red",
    ChangeResult.UNKNOWN: "red",
    ChangeResult.SKIPPED: "dim",
    ChangeResult.PENDING: "yellow",
    ChangeResult.CANCELLED: "dim",
}


def progress_observer(plan: Plan | None = None, stream: TextIO | None = None) -> EventObserver:
    """An observer that shows a run on `stream` (stderr unless given).

    With a plan, lines carry its order numbers and the tree says how many changes are over.
    """
    out = stream if stream is not None else sys.stderr
    numbers = _numbers(plan)
    if out.isatty() and os.environ.get("TERM") != "dumb":
        return ProgressTree(out, numbers)
    return ProgressLines(out, numbers)


def _numbers(plan: Plan | None) -> dict[Address, int]:
    return {change.address: order for order, change in enumerate(plan.changes, start=1)} if plan else {}


class ProgressLines:
    """Shows the progress of a run as one line per event: UTC time, order number, action, address, what happened."""

    def __init__(self, out: TextIO, numbers: dict[Address, int]) -> None:
        self._out: TextIO | None = out
        self._numbers = numbers
        self._actions: dict[Address, Action] = {}

    def on(self, event: Event) -> None:
        """Write one line; a closed pipe is not an error of the run."""
        match event:
            case ChangeBegan(action=action):
                self._actions[event.address] = action
                self._line(event, "begins")
            case ChangeApplied():
                pass  # its end, or a wait, is a line of its own
            case ChangeWaiting():
                self._line(event, f"waits: {safe_text(event.message)} ({duration(event.seconds)})")
            case ChangeEnded(action=action):
                self._actions[event.address] = action
                self._line(event, _end_text(event))
            case _:
                assert_never(event)

    def _line(self, event: ChangeBegan | ChangeWaiting | ChangeEnded, text: str) -> None:
        number = self._numbers.get(event.address)
        order = f"{number:>4}" if number else "    "
        action = self._actions.get(event.address, "")
        if self._out is None:
            return
        try:
            self._out.write(f"{_seconds(event.at)} {order} {action:<{_WIDTH}}{safe_text(str(event.address))}  {text}\n")
            self._out.flush()
        except (BrokenPipeError, ValueError):
            self._out = None


class ProgressTree:
    """Shows the progress of a run on a terminal: ends scroll by; below them a tree of what runs, drawn again four
    times a second while anything does."""

    def __init__(self, out: TextIO, numbers: dict[Address, int], clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console

        self._console: Console = Console(file=out, highlight=False, markup=False, emoji=False)
        self._numbers = numbers
        self._clock = clock
        self._running: dict[Address, tuple[Action, float]] = {}
        self._messages: dict[Address, str] = {}
        self._over = 0
        self._live: Live | None = None

    def on(self, event: Event) -> None:
        """Show one event."""
        match event:
            case ChangeBegan(address=address, action=action):
                self._running[address] = (action, self._clock())
                self._show()
            case ChangeApplied(address=address):
                self._messages[address] = "made"
            case ChangeWaiting(address=address, message=message):
                self._messages[address] = message
            case ChangeEnded():
                self._end(event)
            case _:
                assert_never(event)

    def _show(self) -> None:
        if self._live is None:
            self._live = _live(self._console, self.tree)
            self._live.start()

    def _end(self, event: ChangeEnded) -> None:
        self._over += 1
        self._running.pop(event.address, None)
        self._messages.pop(event.address, None)
        self._console.print(_end_row(event, self._numbers.get(event.address)), soft_wrap=True)
        if not self._running and self._live is not None:
            self._live.stop()  # nothing runs: the screen is left as a reader of lines expects it
            self._live = None

    def tree(self) -> RenderableType:
        """The tree as it is now. Called from the drawing thread."""
        from rich.text import Text
        from rich.tree import Tree

        running = list(self._running.items())
        total = f" of {len(self._numbers)}" if self._numbers else ""
        tree = Tree(Text(f"{self._over}{total} over, {len(running)} under way", style="bold"), guide_style="dim")
        for address, (action, since) in running[:MOST_ROWS]:
            tree.add(self._row(address, action, since))
        if len(running) > MOST_ROWS:
            tree.add(Text(f"and {len(running) - MOST_ROWS} more", style="dim"))
        return tree

    def _row(self, address: Address, action: Action, since: float) -> RenderableType:
        from rich.text import Text

        row = Text(no_wrap=True, overflow="ellipsis")
        row.append(f"{duration(self._clock() - since):>6} ", style="cyan")
        row.append(f"{action:<{_WIDTH}}{safe_text(str(address))}")
        if message := self._messages.get(address):
            row.append(f"  {safe_text(message)}", style="dim")
        return row


def _live(console: Console, tree: Callable[[], RenderableType]) -> Live:
    from rich.live import Live

    return Live(console=console, get_renderable=tree, transient=True, refresh_per_second=4)


def _end_text(event: ChangeEnded) -> str:
    headline = event.message.partition("\n")[0]
    detail = f": {shorten_reason(safe_text(headline))}" if headline else ""
    remedy = f" ({safe_text(event.remedy)})" if event.remedy and event.result is not ChangeResult.SKIPPED else ""
    took = f" in {duration(event.seconds)}" if event.seconds else ""
    return f"{event.result}{took}{detail}{remedy}"


def _end_row(event: ChangeEnded, number: int | None) -> RenderableType:
    from rich.text import Text

    row = Text()
    row.append(f"{number or '':>4} {event.action:<{_WIDTH}}{safe_text(str(event.address))}  ")
    row.append(_end_text(event), style=_COLOURS[event.result])
    return row


def _seconds(at: str) -> str:
    """UTC ISO-8601 with seconds, of one with milliseconds."""
    return f"{at[:19]}Z"
