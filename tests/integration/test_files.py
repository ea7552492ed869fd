"""LocalFile on a real disk: what is planned, what is written, and what a kill leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from planner.address import Address
from planner.errors import PermanentError, PreconditionError
from planner.plan import Action, Change, Precondition
from planner.ports import AbsentObject, PresentObject, Preview, PreviewEffect, UnreadableObject
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.spec.kinds.files import LocalFile
from planner.values import parse_output_ref
from providers.durable_file import file_version_of_content
from providers.files.local_file_paths import LocalFilePaths
from providers.files.provider import LocalFileProvider

ADDRESS = Address.parse("LocalFile/one")


def _resource(path: str, content: Any = "new\n", **spec: Any) -> Resource:
    document = {
        "apiVersion": "hwplan.dev/v1",
        "kind": "LocalFile",
        "metadata": {"name": "one"},
        "spec": {"path": path, "content": content, **spec},
    }
    LocalFile.model_validate(document)
    return Resource(ADDRESS, "hwplan.dev/v1", document, "set", "infra", SourceRef("a.yaml"))


def _look(provider: LocalFileProvider, wanted: Resource) -> tuple[Any, Preview | None]:
    seen = provider.read([wanted], (), ()).observations[ADDRESS]
    return seen, provider.preview([(wanted, seen)]).get(ADDRESS)


def _plan(provider: LocalFileProvider, wanted: Resource) -> Change:
    seen, preview = _look(provider, wanted)
    assert preview is not None and preview.effect is not PreviewEffect.NONE and not preview.blocked
    before = seen.precondition if isinstance(seen, PresentObject) else Precondition(absent=True)
    action = Action.CREATE if before.absent else Action.UPDATE
    return Change(ADDRESS, action, "hwplan.dev/v1", "infra", "declared", before, wanted.source, wanted.manifest,
                  preview.fields, expects=preview.expects)  # fmt: skip


def _shown(change: Change) -> list[tuple[Any, Any, Any]]:
    return [(field.path, field.before, field.after) for field in change.fields]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _state(path: Path) -> tuple[bytes, int, int, int] | None:
    if not path.exists():
        return None
    info = path.stat()
    return path.read_bytes(), info.st_mode, info.st_ino, info.st_mtime_ns


@pytest.fixture
def provider(tmp_path: Path) -> LocalFileProvider:
    return LocalFileProvider(LocalFilePaths(tmp_path))


def test_a_file_and_its_folders_come_into_being(provider: LocalFileProvider, tmp_path: Path) -> None:
    wanted = _resource("a/b/one.txt", mode="0644")
    change = _plan(provider, wanted)
    assert not (tmp_path / "a").exists(), "a plan writes nothing"
    assert _shown(change) == [(("content",), None, "new\n"), (("mode",), None, "0644")]
    written = provider.apply(change, {})
    path = tmp_path / "a/b/one.txt"
    assert path.read_text() == "new\n" and oct(path.stat().st_mode)[-4:] == "0644"
    assert [oct((tmp_path / name).stat().st_mode)[-3:] for name in ("a", "a/b")] == ["700", "700"]
    assert _names(path.parent) == ["one.txt"]
    seen, preview = _look(provider, wanted)
    assert seen.content == change.expects and seen.outputs == written.outputs
    assert preview is not None and preview.effect is PreviewEffect.NONE
    assert provider.apply(change, {}).already


def test_content_and_mode_are_shown_each_for_itself(provider: LocalFileProvider, tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"old\n")
    path.chmod(0o644)
    assert _shown(_plan(provider, _resource("one", mode="0644"))) == [(("content",), "old\n", "new\n")]
    only_mode = _plan(provider, _resource("one", "old\n"))
    assert _shown(only_mode) == [(("mode",), "0644", "0600")]
    provider.apply(only_mode, {})
    assert oct(path.stat().st_mode)[-4:] == "0600"
    ref = parse_output_ref("GitHead/source#short")
    open_change = _plan(provider, _resource("one", ref))
    assert _shown(open_change) == [(("content",), "old\n", ref)] and open_change.expects == ""


@pytest.mark.parametrize("old", [b"\xff\xfe\x00", b"x" * (64 * 1024 + 1)])
def test_what_is_no_short_text_is_shown_by_its_digest(old: bytes, provider: LocalFileProvider, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(old)
    ((_, before, after),) = [row for row in _shown(_plan(provider, _resource("one"))) if row[0] == ("content",)]
    assert (
        before == file_version_of_content(old, "0600").digest
        and after == file_version_of_content(b"new\n", "0600").digest
    )


@pytest.mark.parametrize("somebody", ["writes", "chmods", "deletes"])
def test_a_stale_plan_changes_nothing(somebody: str, provider: LocalFileProvider, tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_text("old\n")
    change = _plan(provider, _resource("one"))
    match somebody:
        case "writes":
            path.write_text("theirs\n")
        case "chmods":
            path.chmod(0o640)
        case _:
            path.unlink()
    before = _state(path)
    with pytest.raises(PreconditionError, match="not as the plan saw it"):
        provider.apply(change, {})
    assert _state(path) == before
    assert _names(tmp_path) == (["one"] if before else [])


def test_a_file_that_turned_up_is_not_replaced(provider: LocalFileProvider, tmp_path: Path) -> None:
    change = _plan(provider, _resource("a/one"))
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one").write_text("theirs")
    with pytest.raises(PreconditionError):
        provider.apply(change, {})
    assert (tmp_path / "a/one").read_text() == "theirs"


def test_links_and_odd_files_are_refused(provider: LocalFileProvider, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("retained")
    change = _plan(provider, _resource("one"))
    (tmp_path / "one").symlink_to("real")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("one", "symbolic link"), ("folder", "no regular file"), ("pipe", "no regular file"),
                      ("real/x", "disk refuses")):  # fmt: skip
        seen, preview = _look(provider, _resource(name))
        assert isinstance(seen, UnreadableObject) and why in seen.reason and preview is None
    with pytest.raises(PermanentError, match="symbolic link"):
        provider.apply(change, {})
    assert (tmp_path / "real").read_text() == "retained" and (tmp_path / "one").is_symlink()


@pytest.mark.parametrize("path", ["../one", "a/../../one", "~root/x", "a/", "a\nb", "a\x1b[31m"])
def test_paths_that_are_refused(path: str, provider: LocalFileProvider) -> None:
    document = {"spec": {"path": path, "content": ""}}
    wanted = Resource(ADDRESS, "hwplan.dev/v1", document, "set", "infra", SourceRef("a.yaml"))
    seen, _ = _look(provider, wanted)
    assert isinstance(seen, UnreadableObject) and seen.reason.isprintable()


def test_home_and_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    places = LocalFilePaths(tmp_path / "config")
    assert places.place("~/.x/y") == tmp_path / "home/.x/y"
    assert places.place(f"{tmp_path}/z") == tmp_path / "z"
    assert places.place("r/z") == tmp_path / "config/r/z"


def test_a_sandbox_keeps_every_path_inside(tmp_path: Path) -> None:
    outside, sandbox = tmp_path / "outside", tmp_path / "sandbox"
    outside.mkdir()
    sandbox.mkdir()
    provider = LocalFileProvider(LocalFilePaths(tmp_path, sandbox))
    for path in (f"{outside}/x", "~/x", "x"):
        provider.apply(_plan(provider, _resource(path)), {})
    assert not list(outside.iterdir()) and not (tmp_path / "x").exists()
    assert len([path for path in (sandbox / "files").rglob("x") if path.is_file()]) == 3
    (sandbox / "files/relative/out").symlink_to(outside)
    seen, _ = _look(provider, _resource("out/x"))
    assert isinstance(seen, UnreadableObject) and "out of the sandbox" in seen.reason


_KILLED = """
import os, signal, sys
from pathlib import Path
from providers import durable_file
real = os.rename
def rename(*names, **more):
    if sys.argv[2] == "after":
        real(*names, **more)
    os.kill(os.getpid(), signal.SIGKILL)
os.rename = rename
durable_file.replace_file(Path(sys.argv[1]), b"new\\n", "0600", lambda now: True)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_leaves_the_old_file_or_the_new_one(moment: str, provider: LocalFileProvider, tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_text("old\n")
    path.chmod(0o600)
    change = _plan(provider, _resource("one"))
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(path), moment], timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == ("old\n" if moment == "before" else "new\n")
    assert len(_names(tmp_path)) == (2 if moment == "before" else 1)
    assert provider.apply(change, {}).already is (moment == "after")
    assert path.read_text() == "new\n" and _names(tmp_path) == ["one"]


def test_an_output_that_is_no_text_is_refused(provider: LocalFileProvider, tmp_path: Path) -> None:
    wanted = _resource("one")
    change = _plan(provider, wanted)
    change.desired["spec"]["content"] = 5  # type: ignore[index]
    with pytest.raises(PermanentError, match="is a text"):
        provider.apply(change, {})
    seen, _ = _look(provider, wanted)
    assert isinstance(seen, AbsentObject)
