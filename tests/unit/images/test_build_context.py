"""What counts for a build, and what does not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.errors import PermanentError
from providers.images.build_context_digest import build_context_folder, digest_of_build_inputs

BUILD = {"dockerfile": "Dockerfile", "args": {"A": "1"}, "builder": "buildah"}


def fill(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "sub" / "file").write_text("text\n")
    (folder / "link").symlink_to("sub/file")
    return folder


def digest_of(folder: Path) -> str:
    return digest_of_build_inputs(folder, BUILD, "linux/amd64")


def test_times_and_places_do_not_count(tmp_path: Path) -> None:
    one, other = fill(tmp_path / "one"), fill(tmp_path / "other")
    os.utime(other / "sub" / "file", (1, 1))
    assert digest_of(one) == digest_of(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "sub" / "file").write_text("other\n"),
        lambda folder: (folder / "sub" / "file").chmod(0o755),
        lambda folder: (folder / "new").write_text(""),
        lambda folder: (folder / "empty").mkdir(),
        lambda folder: (folder / "sub" / "file").rename(folder / "sub" / "name"),
        lambda folder: ((folder / "link").unlink(), (folder / "link").symlink_to("sub")),
        lambda folder: (folder / "Dockerfile").write_text("FROM scratch\nLABEL a=b\n"),
    ],
)
def test_what_counts(tmp_path: Path, change: Callable[[Path], object]) -> None:
    folder = fill(tmp_path / "context")
    before = digest_of(folder)
    change(folder)
    assert digest_of(folder) != before


def test_arguments_builder_and_platform_count(tmp_path: Path) -> None:
    folder = fill(tmp_path / "context")
    digests = {
        digest_of(folder),
        digest_of_build_inputs(folder, {**BUILD, "args": {"A": "2"}}, "linux/amd64"),
        digest_of_build_inputs(folder, {**BUILD, "builder": "docker"}, "linux/amd64"),
        digest_of_build_inputs(folder, BUILD, "linux/arm64"),
    }
    assert len(digests) == 4


def test_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(fill(tmp_path / "context") / "pipe")
    with pytest.raises(PermanentError, match="pipe"):
        digest_of(tmp_path / "context")


def test_the_context_stays_inside(tmp_path: Path) -> None:
    base = tmp_path / "config"
    fill(base / "context")
    assert build_context_folder(base, "context", "Dockerfile") == (base / "context").resolve()
    fill(tmp_path / "outside")
    (base / "escape").symlink_to(tmp_path / "outside")
    (base / "context" / "Other").symlink_to(tmp_path / "outside" / "Dockerfile")
    for context, dockerfile in (("escape", "Dockerfile"), ("context", "Other")):
        with pytest.raises(PermanentError, match="outside"):
            build_context_folder(base, context, dockerfile)
    with pytest.raises(PermanentError, match="no such build context"):
        build_context_folder(base, "nothing", "Dockerfile")
    with pytest.raises(PermanentError, match="no such Dockerfile") as caught:
        build_context_folder(base, "context", "Nothing")
    assert caught.value.remedy
