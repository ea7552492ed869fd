"""Where the path of a document leads: a place on this machine, or one below the folder of a sandbox. Reads nothing."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import JsonValue


@dataclass(frozen=True, slots=True)
class LocalFilePaths:
    """Resolves paths of LocalFile documents: `folder` is where relative paths start; `sandbox` is the folder of the
    sandbox, None in the real world."""

    folder: Path
    sandbox: Path | None = None

    def place(self, text: JsonValue) -> Path:
        """The absolute path. Raises PermanentError for what is no path, or one with `..` in it."""
        path = _checked(text)
        home = path.parts[0] == "~"
        inner = PurePosixPath(*path.parts[1:]) if home or path.is_absolute() else path
        if self.sandbox is not None:
            kind = "home" if home else "absolute" if path.is_absolute() else "relative"
            return self.sandbox.absolute() / "files" / kind / inner
        if home:
            return _home() / inner
        return Path(path) if path.is_absolute() else self.folder.absolute() / inner

    def check(self, path: Path) -> None:
        """Raise PermanentError when a link leads a path of the sandbox out of it."""
        if self.sandbox is None:
            return
        inside = self.sandbox.resolve() / "files"
        if not path.parent.resolve().is_relative_to(inside):
            raise PermanentError("a link leads out of the sandbox", where=str(path), remedy="remove that link")


def _checked(text: JsonValue) -> PurePosixPath:
    if not isinstance(text, str) or not text.isprintable() or len(text) > 1024:
        raise PermanentError("the path of a LocalFile is a printable text of at most 1024 characters")
    path = PurePosixPath(text)
    first = path.parts[0] if path.parts else ""
    if ".." in path.parts or not path.name or text.endswith("/") or text == "~" or (first[:1] == "~" and first != "~"):
        raise PermanentError(
            "this path names no file that hwplan may write", remedy="write it without `..` and `~USER`, up to its name"
        )
    return path


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise PermanentError("there is no home folder", remedy="write an absolute path") from None
