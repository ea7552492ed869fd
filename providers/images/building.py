"""Builds with buildah or docker, and leaves the image in an OCI layout. Pushes nothing: that is our own client's.

A builder gets a folder of its own that goes away.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from planner.errors import PermanentError, ProviderError
from providers.images.archive import layout_of
from providers.images.layout import Layout
from providers.images.program import run
from providers.images.reference import Reference

_NAME = "hwplan-build"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is built: `folder` is the context, `dockerfile` relative to it, `target` where the image will go."""

    target: Reference
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
                layout = _buildah(recipe, temp)
            case "docker":
                layout = _docker(recipe, temp)
            case _:
                raise PermanentError("there is no such builder", remedy="use buildah or docker")
        yield layout
    finally:
        _remove(temp)


def _buildah(recipe: Recipe, temp: Path) -> Layout:
    program = ["buildah", "--storage-driver", "vfs", "--root", str(temp / "root"), "--runroot", str(temp / "run")]
    options = ["--isolation", "chroot", "--format", "oci", "--platform", recipe.platform]
    run([*program, "bud", *options, *_common(recipe), "--tag", _NAME, "--", str(recipe.folder)], temp, recipe.target)
    run([*program, "push", "--", _NAME, f"oci:{temp / 'layout'}:built"], temp, recipe.target)
    return Layout(temp / "layout")


def _docker(recipe: Recipe, temp: Path) -> Layout:
    """By the engine's own builder and `image save`: buildx's OCI output is not there with every driver."""
    name = f"{_NAME}:{secrets.token_hex(8)}"
    options = ["--platform", recipe.platform, "--tag", name]
    run(["docker", "build", *options, *_common(recipe), "--", str(recipe.folder)], temp, recipe.target)
    try:
        run(["docker", "image", "save", "--output", str(temp / "saved.tar"), name], temp, recipe.target)
    finally:
        with suppress(ProviderError):
            run(["docker", "image", "rm", name], temp, recipe.target)
    return layout_of(temp / "saved.tar", temp / "layout", recipe.target)


def _common(recipe: Recipe) -> list[str]:
    args = [f"--build-arg={name}={value}" for name, value in sorted(recipe.args.items())]
    return ["--file", str(recipe.folder / recipe.dockerfile), *args]


def _remove(folder: Path) -> None:
    """Remove a builder's storage: its folders may lack the right to write."""
    for where, folders, _ in os.walk(folder):
        for name in folders:
            with suppress(OSError):
                path = Path(where, name)
                if not path.is_symlink():
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
