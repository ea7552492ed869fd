"""Pushes of the mirror that succeeded while the fetch after them failed, and the recheck of each: as the JSON of the
mirror reports them (spec 02, S16). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from planner.dataclass import dataclass
from planner.values import JsonObject

PARTIAL = "partialSuccess=push-succeeded-fetch-failed"
RECOVERED = "partialSuccessRecovered=true"


@dataclass(frozen=True, slots=True)
class UnconfirmedPushRecheck:
    """What the newest flush reported: whether a push was not confirmed at once, and whether the one recheck did it.

    `run` is the number of the run and `at` when the flush ended; 0 and "" where there was none."""

    partial: bool = False
    recovered: bool = False
    run: int = 0
    at: str = ""

    def document(self) -> JsonObject:
        """The three keys; null where no push was partial."""
        recheck: JsonObject = {"action": "recheck", "attempts": 1, "ok": self.recovered, "run": self.run, "at": self.at}
        return {
            "partialSuccess": PARTIAL.partition("=")[2] if self.partial else None,
            "partialSuccessRecovered": self.recovered if self.partial else None,
            "postPushRecovery": recheck if self.partial else None,
        }


NO_FLUSH = UnconfirmedPushRecheck()


def judge_unconfirmed_push_rechecks(
    pushes: Iterable[tuple[bool, Iterable[str]]], *, run: int = 0, at: str = ""
) -> UnconfirmedPushRecheck:
    """Judge pushes by whether each ended well and by its messages and warnings: all partial ones have to end well."""
    partial = [well for well, lines in pushes if any(PARTIAL in line for line in lines)]
    return UnconfirmedPushRecheck(bool(partial), bool(partial) and all(partial), run, at)
