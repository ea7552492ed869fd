"""What the simulated GitHub remembers: one JSON file that a person reads and edits, changed under a lock.

Owns the file and its shape. Commits are not in it: they are in the bare repositories that it names.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import JsonObject
from planner.whole_file import write_whole_file
from providers.sandbox.initial_github_file import FILE

_KINDS = ("pulls", "issues", "comments", "reviews", "statuses", "check_runs")


def current_github_time() -> str:
    """The time as GitHub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class StoredRepository:
    """A repository of the file. `data` is changed in place and written back when the request ends well."""

    name: str
    git: Path
    data: JsonObject
    now: Callable[[], str] = field(default=current_github_time)

    def rows(self, kind: str) -> list[JsonObject]:
        """All rows of `pulls`, `issues`, `comments`, `reviews`, `statuses` or `check_runs`."""
        found: list[JsonObject] = self.data[kind]
        return found

    def next_number(self) -> int:
        """The number of a new issue or pull request: one sequence for both."""
        taken = (int(row["number"]) for kind in ("pulls", "issues") for row in self.rows(kind))
        return max(taken, default=0) + 1

    def add(self, kind: str, **fields: Any) -> JsonObject:
        """A new row with an id higher than all before it, also than those of deleted ones."""
        self.data["last_id"] = int(self.data.get("last_id", 0)) + 1
        row = {"id": self.data["last_id"], "created_at": self.now(), "updated_at": self.now(), **fields}
        self.rows(kind).append(row)
        return row


@dataclass(frozen=True, slots=True)
class GitHubStoreFile:
    """The JSON file in `folder` that stores what the simulated GitHub remembers; the bare repositories stand below
    `git`."""

    folder: Path
    git: Path
    now: Callable[[], str] = field(default=current_github_time)

    @contextmanager
    def open(self) -> Iterator[Mapping[str, StoredRepository]]:
        """All repositories by `owner/name`, for one request at a time over all processes. What was changed is written
        when the block ends without an error. Raises PermanentError for a file that cannot be read."""
        with (self.folder / f".{FILE}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before, document = self._read()
            rows = document["repositories"]
            yield {name: StoredRepository(name, self.git / row["git"], row, self.now) for name, row in rows.items()}
            after = _text(document)
            if after != before:
                write_whole_file(self.folder / FILE, after.encode())

    def _read(self) -> tuple[str, JsonObject]:
        path = self.folder / FILE
        try:
            document: JsonObject = json.loads(path.read_text())
            for row in document["repositories"].values():
                if not isinstance(row["git"], str):
                    raise ValueError("no repository")
                for kind in _KINDS:
                    row.setdefault(kind, [])
        except FileNotFoundError:
            return "", {"repositories": {}}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            raise PermanentError(
                "the simulated GitHub cannot be read",
                where=path.name,
                remedy="JSON: repositories by owner/name, each with the folder of its git repository",
            ) from None
        return _text(document), document


def _text(document: JsonObject) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
