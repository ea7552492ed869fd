"""Rendering a kustomization (`-k DIR`) by the program that is installed: kustomize, else kubectl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from planner.disk_errors import disk_error_text
from planner.errors import HwplanError, SelectionError
from planner.redaction.redactor import REDACTOR
from planner.text_safe import safe_text

_SECONDS: Final = 300.0
_LINES: Final = 5  # of what the program said, in the error


def build_kustomization(folder: str) -> bytes:
    """The manifests that the kustomization in a folder renders to. Raises SelectionError when it is none, or when
    nothing here can render it, HwplanError with the program's own words when it fails."""
    if not Path(folder).is_dir():
        raise SelectionError(f"{folder} is not a folder", where="-k", remedy="name the folder of a kustomization.yaml")
    command = [*_program(folder), folder]
    shown = " ".join(command)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise HwplanError(f"{shown} did not end in {_SECONDS:.0f} s", where="-k") from None
    except OSError as error:
        raise HwplanError(f"{shown} cannot be run ({disk_error_text(error)})", where="-k") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-_LINES:]
        raise HwplanError(f"{shown} failed: {REDACTOR.clean(safe_text(' '.join(said)))}", where="-k")
    return done.stdout


def _program(folder: str) -> list[str]:
    for words in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(words[0]):
            return words
    raise SelectionError(
        "neither kustomize nor kubectl is installed",
        where="-k",
        remedy=f"install one of them, or render {folder} elsewhere and plan it with -f",
    )
