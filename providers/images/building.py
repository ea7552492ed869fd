"""Runs a builder, buildah or docker, and leaves its image in an OCI layout. Pushes nothing: that is our own client's.

The programs get argument lists, a small environment and a folder of their own that goes away. Of their output only the
end is kept; errors name the step, as the builder named it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from planner.errors import PermanentError, TemporaryError
from providers.images.layout import Layout

_SECONDS = 3600.0
_KEPT = 64 << 10
_STEP = re.compile(rb"^(?:STEP [^\n]*|#[0-9]+ \[[^\n]*)$", re.MULTILINE)
_PASSED = ("PATH", "HOME", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "SSL_CERT_FILE", "DOCKER_HOST")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is built: `folder` is the context, `dockerfile` relative to it."""

    folder: Path
    dockerfile: str
    args: Mapping[str, str]
    platform: str
    builder: str


@contextmanager
def built(recipe: Recipe) -> Iterator[Layout]:
    """Build, and give the layout with the one image for as long as the block lasts.

    Raises PermanentError naming the step that failed, or TemporaryError when time ran out.
    """
    temp = Path(tempfile.mkdtemp(prefix="hwplan-build-"))
    try:
        match recipe.builder:
            case "buildah":
                _buildah(recipe, temp)
            case "docker":
                _docker(recipe, temp)
            case _:
                raise PermanentError("there is no such builder", remedy="use buildah or docker")
        yield Layout(temp / "layout")
    finally:
        _remove(temp)


def _buildah(recipe: Recipe, temp: Path) -> None:
    program = ["buildah", "--storage-driver", "vfs", "--root", str(temp / "root"), "--runroot", str(temp / "run")]
    options = ["--isolation", "chroot", "--format", "oci", "--platform", recipe.platform]
    _run([*program, "bud", *options, *_common(recipe), "--tag", "hwplan-build", "--", str(recipe.folder)], temp)
    _run([*program, "push", "--", "hwplan-build", f"oci:{temp / 'layout'}:built"], temp)


def _docker(recipe: Recipe, temp: Path) -> None:
    output = f"type=oci,tar=false,dest={temp / 'layout'}"
    options = ["--platform", recipe.platform, "--provenance=false", "--progress=plain", "--output", output]
    _run(["docker", "buildx", "build", *options, *_common(recipe), "--", str(recipe.folder)], temp)


def _common(recipe: Recipe) -> list[str]:
    args = [f"--build-arg={name}={value}" for name, value in sorted(recipe.args.items())]
    return ["--file", str(recipe.folder / recipe.dockerfile), *args]


def _run(argv: Sequence[str], temp: Path) -> None:
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
        raise PermanentError(f"{argv[0]} ended with {code}{_step(said)}", remedy=f"try it by hand with {argv[0]}")


def _tail(pipe: IO[bytes]) -> bytes:
    kept = b""
    while piece := pipe.read(8192):
        kept = (kept + piece)[-_KEPT:]
    return kept


def _environment(temp: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C.UTF-8", "TMPDIR": str(temp)}


def _step(said: bytes) -> str:
    """` at STEP 2/5: RUN ...`: where it failed, as far as the end of the output tells."""
    steps = _STEP.findall(said)
    text = steps[-1].decode(errors="replace")[:160] if steps else ""
    return (" at " if text else "") + "".join(char if char.isprintable() else "?" for char in text)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the whole group: a builder may leave children that hold its output open."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _remove(folder: Path) -> None:
    """Remove a builder's storage: its folders may lack the right to write."""
    for where, folders, _ in os.walk(folder):
        for name in folders:
            with suppress(OSError):
                path = Path(where, name)
                if not path.is_symlink():
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
