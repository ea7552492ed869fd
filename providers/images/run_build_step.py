"""Runs one step of a builder: a bounded program of its own process group, of whose output the end is retained.

It gets an argument list and a small environment. Errors name the step, as the builder named it, and the private file
that has the end of the output of the last build of a target; no output gets into an error itself.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

from planner.errors import PermanentError, TemporaryError
from planner.user_cache_folder import user_cache_folder
from providers.images.image_reference import ImageReference

_SECONDS = 3600.0
_KEPT = 64 << 10
_STEP = re.compile(rb"^(?:STEP [^\n]*|Step [0-9][^\n]*|#[0-9]+ \[[^\n]*)$", re.MULTILINE)
_PASSED = ("PATH", "HOME", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "SSL_CERT_FILE", "DOCKER_HOST")


def run_build_step(argv: Sequence[str], temp: Path, target: ImageReference) -> None:
    """Run a step of building the image for `target`, in `temp`.

    Raises PermanentError when it cannot be started or fails, TemporaryError when time runs out.
    """
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=temp,
            env=_environment(temp),
            start_new_session=True,
        )
    except OSError:
        remedy = "install it, or choose another spec.build.builder"
        raise PermanentError(f"cannot run {argv[0]}", remedy=remedy) from None
    with child, ThreadPoolExecutor(1) as pool:
        assert child.stdout is not None
        tail = pool.submit(_tail, child.stdout)
        try:
            code = child.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            raise TemporaryError(f"{argv[0]} did not end within {_SECONDS:.0f} s") from None
        finally:
            _end(child)
        said = tail.result()
    if code:
        retained = _kept(said, target)
        remedy = f"what it printed is in {retained}" if retained else f"try it by hand with {argv[0]}"
        raise PermanentError(f"{argv[0]} ended with {code}{_step(said)}", where=str(target), remedy=remedy)


def _kept(said: bytes, target: ImageReference) -> Path | None:
    """Keep the end of the output in a file for the user; None where that is not possible."""
    path = user_cache_folder("builds") / (re.sub(r"[^a-z0-9.]+", "-", str(target)) + ".log")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(said)
    except OSError:
        return None
    return path


def _tail(pipe: IO[bytes]) -> bytes:
    retained = b""
    while piece := pipe.read(8192):
        retained = (retained + piece)[-_KEPT:]
    return retained


def _environment(temp: Path) -> dict[str, str]:
    retained = {name: os.environ[name] for name in _PASSED if name in os.environ}
    fixed = {"LC_ALL": "C.UTF-8", "TMPDIR": str(temp), "BUILDX_BUILDER": "default"}
    return {"PATH": os.defpath, **retained, **fixed}


def _step(said: bytes) -> str:
    """` at STEP 2/5: RUN ...`: where it failed, as far as the end of the output says."""
    steps = _STEP.findall(said)
    text = steps[-1].decode(errors="replace")[:160] if steps else ""
    return (" at " if text else "") + "".join(char if char.isprintable() else "?" for char in text)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the whole group: a builder may leave children that hold its output open."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
