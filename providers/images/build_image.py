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
from pathlib import Path

from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError
from providers.images.docker_archive import convert_docker_archive_to_oci_layout
from providers.images.image_reference import ImageReference
from providers.images.oci_layout import OciLayout
from providers.images.run_build_step import run_build_step

_NAME = "hwplan-build"


@dataclass(frozen=True, slots=True)
class BuildRecipe:
    """What is built: `folder` is the context, `dockerfile` relative to it, `target` where the image will go."""

    target: ImageReference
    folder: Path
    dockerfile: str
    args: Mapping[str, str]
    platform: str
    builder: str


@contextmanager
def build_image(recipe: BuildRecipe) -> Iterator[OciLayout]:
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


def _buildah(recipe: BuildRecipe, temp: Path) -> OciLayout:
    program = ["buildah", "--storage-driver", "vfs", "--root", str(temp / "root"), "--runroot", str(temp / "run")]
    options = ["--isolation", "chroot", "--format", "oci", "--platform", recipe.platform]
    run_build_step(
        [*program, "bud", *options, *_common(recipe), "--tag", _NAME, "--", str(recipe.folder)], temp, recipe.target
    )
    run_build_step([*program, "push", "--", _NAME, f"oci:{temp / 'layout'}:built"], temp, recipe.target)
    return OciLayout(temp / "layout")


def _docker(recipe: BuildRecipe, temp: Path) -> OciLayout:
    """By the engine's own builder and `image save`: buildx's OCI output is not there with every driver."""
    name = f"{_NAME}:{secrets.token_hex(8)}"
    options = ["--platform", recipe.platform, "--tag", name]
    run_build_step(["docker", "build", *options, *_common(recipe), "--", str(recipe.folder)], temp, recipe.target)
    try:
        run_build_step(["docker", "image", "save", "--output", str(temp / "saved.tar"), name], temp, recipe.target)
    finally:
        with suppress(ProviderError):
            run_build_step(["docker", "image", "rm", name], temp, recipe.target)
    return convert_docker_archive_to_oci_layout(temp / "saved.tar", temp / "layout", recipe.target)


def _common(recipe: BuildRecipe) -> list[str]:
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
