"""The tree of errors that hwplan raises on purpose, and the exit code each one ends in.

Every error says what is wrong, where, and what to do about it. Owns no formatting for a terminal and never holds a
value that came from a secret: foreign exceptions are translated here by reason, their text is not passed on blindly.

    HwplanError                    exit 1
    ├── ConfigError                exit 1   one or many Problems, each with file:line:column
    ├── SelectionError             exit 1   no such node, lane, scope or target
    ├── GraphError                 exit 1   a cycle, a reference to nothing
    ├── StateError                 exit 1   the state file is damaged, foreign or too new
    ├── RefusedError               exit 3   the plan may not be applied
    │   ├── StalePlan                       the world moved since the plan was made
    │   ├── ForeignPlan                     made for another cluster, or changed by one byte
    │   └── GuardRefused                    a named guard (mass delete, empty config, missing state)
    ├── LockedError                exit 5   somebody else is applying
    └── ProviderError              exit 1   the outside world said no
        ├── TemporaryError                  worth another try (after `retry_after` seconds)
        ├── PermanentError                  the same request will fail again
        ├── PreconditionError               the object is not the one the plan saw
        └── OutcomeUnknown                  the answer was lost: read the world to know
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.dataclass import dataclass
from planner.source_line_ref import SourceRef


class HwplanError(Exception):
    """Base of every deliberate error.

    `where` is a source position or an address, `remedy` is what the reader can do; both may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in the input: its place, what it is, what to write instead, the offending line itself."""

    source: SourceRef
    message: str
    suggestion: str = ""
    line_text: str = ""


class ConfigError(HwplanError):
    """The input is wrong. Holds every independent problem of the whole set of files, in file and line order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        ordered = tuple(sorted(problems, key=lambda p: (p.source, p.message)))
        first = ordered[0]
        more = f" (and {len(ordered) - 1} more)" if len(ordered) > 1 else ""
        super().__init__(first.message + more, where=str(first.source), remedy=first.suggestion)
        self.problems = ordered


class SelectionError(HwplanError):
    """The selecting words name something that does not exist."""


def refuse_unknown_words(found: Sequence[SelectionError]) -> None:
    """Raise what is wrong with the words of a command as one SelectionError, with the remedy of each; do nothing where
    nothing is."""
    if len(found) == 1:
        raise found[0]
    if found:
        raise SelectionError(
            ", ".join(f"{one.message} ({one.remedy})" if one.remedy else one.message for one in found),
            where=", ".join(dict.fromkeys(one.where for one in found if one.where)),
            remedy="correct each of them",
        )


class GraphError(HwplanError):
    """The graph cannot be ordered: a cycle, or a reference to a resource that is not declared."""


class StateError(HwplanError):
    """The state store cannot be trusted or used; nothing was changed."""


class RefusedError(HwplanError):
    """The plan may not be applied, by a rule and not by a failure. Raised before anything is written."""

    exit_code = 3


class StalePlan(RefusedError):
    """The live world is not the one that the plan was made from."""


class ForeignPlan(RefusedError):
    """The plan belongs to another cluster, or its bytes are not what its id says."""


class GuardRefused(RefusedError):
    """A guard of the plan fired. `guard` is its name, as used in `--allow NAME`."""

    def __init__(self, guard: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message, where=f"guard {guard}", remedy=remedy)
        self.guard = guard


class LockedError(HwplanError):
    """Another run holds the lease. Carries who, what and since when in its message."""

    exit_code = 5


class ProviderError(HwplanError):
    """The outside world refused or failed. `printed` are lines that a command printed: shown, and never stored."""

    printed: str = ""

    def described(self) -> str:
        """What went wrong, with where, as one phrase: `no answer (https://ci.example/health)`."""
        return f"{self.message} ({self.where})" if self.where else self.message


class TemporaryError(ProviderError):
    """Worth another try. `retry_after` is in seconds; 0 means the caller's own back-off."""

    def __init__(self, message: str, *, where: str = "", remedy: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.retry_after = retry_after


class PermanentError(ProviderError):
    """The same request would fail again."""


class PreconditionError(ProviderError):
    """The object is not the one that the plan saw: changed, deleted, recreated or created since."""


class OutcomeUnknown(ProviderError):
    """The answer was lost after the request was sent. Whether it took effect is known only by reading."""
