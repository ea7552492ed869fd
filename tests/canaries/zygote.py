"""A process that has hwplan imported and forks for each command: a real process each time, without the start-up.

`python -m tests.canaries.zygote READ WRITE` reads one JSON line a command from one descriptor and answers with its exit
code on the other; output goes to the files that the command names.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent.parent.parent


@dataclass
class Zygote:
    """The running process as its parent sees it."""

    ask: int
    answer: int
    pending: bytes = b""

    def run(self, words: list[str], folder: Path, env: Mapping[str, str], out: Path, err: Path) -> int:
        """Run `hwplan` with these words, and only these variables; its exit code."""
        job = {"words": words, "folder": str(folder), "env": dict(env), "out": str(out), "err": str(err)}
        os.write(self.ask, json.dumps(job).encode() + b"\n")
        while b"\n" not in self.pending:
            piece = os.read(self.answer, 4096)
            assert piece, "the zygote died"
            self.pending += piece
        line, _, self.pending = self.pending.partition(b"\n")
        return int(line)


@contextmanager
def zygote() -> Iterator[Zygote]:
    """Start the process; it ends with the block."""
    (their_in, ask), (answer, their_out) = os.pipe(), os.pipe()
    argv = [sys.executable, "-m", "tests.canaries.zygote", str(their_in), str(their_out)]
    with subprocess.Popen(argv, cwd=_ROOT, pass_fds=(their_in, their_out)) as process:
        os.close(their_in)
        os.close(their_out)
        try:
            yield Zygote(ask, answer)
        finally:
            os.close(ask)
            os.close(answer)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _serve(read: int, write: int) -> None:
    for package in ("planner", "providers", "state"):
        for module in pkgutil.walk_packages([str(_ROOT / package)], f"{package}."):
            if not module.name.endswith(("__main__", "ssa.generate")):
                with suppress(ImportError):
                    importlib.import_module(module.name)
    _warm_up()
    for line in os.fdopen(read):
        child = os.fork()
        if not child:
            os._exit(_run(json.loads(line)))
        _, status = os.waitpid(child, 0)
        os.write(write, b"%d\n" % os.waitstatus_to_exitcode(status))


def _warm_up() -> None:
    """Build what is built once in a process: models, patterns. No secret is read."""
    from planner.loading.config import load_config
    from planner.spec.kinds import sources

    load_config(_ROOT / "tests" / "cases" / "config" / "base" / "config")
    sources.SecretSource.model_rebuild(force=True)


def _run(job: Any) -> int:
    for number, path in ((1, job["out"]), (2, job["err"])):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["env"])
    code = 70
    try:
        importlib.import_module("planner.cli.main").main(job["words"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())  # as the interpreter does at the end of a process
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
