"""Runs commands over a planted stack and holds every sink to what it may hold: output, files, arguments, requests."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.canaries.canary import leaks, leaks_below
from tests.canaries.planting import Planted
from tests.testbed.warm_commands import WARM


@dataclass
class World:
    """A planted stack with a place to run in; `where` are the options that say which cluster and which state."""

    planted: Planted
    where: tuple[str, ...]
    ran: list[tuple[str, int]] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    @property
    def work(self) -> Path:
        """The working folder: everything that hwplan writes is below it."""
        return self.planted.folder / "work"

    def run(self, *words: str, select: bool = True, env: dict[str, str] | None = None) -> tuple[int, str]:
        """Run a command; its output is searched at once. Gives exit code and the text of both streams."""
        self.work.mkdir(exist_ok=True)
        number = len(self.ran)
        out, err = self.planted.folder / f"{number}.out", self.planted.folder / f"{number}.err"
        line = [*words, *(self.planted.words if select else ()), *self.where]
        with out.open("wb") as written, err.open("wb") as said, Path(os.devnull).open("rb") as nothing:
            streams = (nothing.fileno(), written.fileno(), said.fileno())
            code = WARM.start(line, self.work, self._environment() | (env or {}), streams).wait()
        self.ran.append((" ".join(words), code))
        data = out.read_bytes() + err.read_bytes()
        self._note(f"output of {' '.join(words)}", data)
        assert b"Traceback (most recent" not in data, data.decode(errors="replace")[-3000:]
        return code, data.decode(errors="replace")

    def converge(self, *words: str) -> int:
        """Apply until it is done, three times at most, as one does after a lost connection; the last exit code."""
        command = (*words, "--confirm", "--no-wait")
        return next((code for code in (self.run(*command)[0] for _ in range(3)) if code == 0), 1)

    def search_files(self) -> None:
        """Search everything that was written, and what children were started with."""
        apart = (self.planted.sources, self.planted.folder / "pki")
        self.found += [f"{name}: {forms}" for name, forms in leaks_below(self.planted.folder, apart)]
        for state in self.planted.folder.rglob("*.db"):
            for table, text in rows_of(state):
                self._note(f"table {table} of {state.name}", text.encode(errors="surrogatepass"))

    def _note(self, what: str, data: bytes) -> None:
        if forms := leaks(data):
            self.found.append(f"{what}: {forms}")

    def note_requests(self, bodies: list[tuple[str, str, bytes]]) -> None:
        """Search requests: no value in a URL, and none in what is sent for a look only."""
        for method, path, body in bodies:
            self._note(f"{method} {path}", path.encode() + (body if "dryRun" in path else b""))

    def _environment(self) -> dict[str, str]:
        folder = self.planted.folder
        home = folder / "home"
        home.mkdir(exist_ok=True)
        (folder / "tmp").mkdir(exist_ok=True)
        return {
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "TMPDIR": str(folder / "tmp"),
            "COLUMNS": "200",
            **self.planted.env,
        }


def rows_of(state: Path) -> Iterator[tuple[str, str]]:
    """Every row of every table of a state, with the name of its table: a value that lies across two pages of the file
    is found in no search of its bytes."""
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"journal", "runs", "meta"} <= set(tables), tables
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                yield table, "\n".join(map(str, row))


def watch_children(folder: Path, programs: tuple[str, ...], find: Callable[[str], str | None]) -> None:
    """Put programs before the real ones that write down arguments and environment of every start."""
    (folder / "bin").mkdir(exist_ok=True)
    for program in programs:
        real = find(program)
        if real is None:
            continue
        shim = folder / "bin" / program
        log = folder / "children.log"
        shim.write_text(f'#!/bin/sh\n{{ printf "ARGV %s\\n" "$0 $*"; env; }} >> {log}\nexec {real} "$@"\n')
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
