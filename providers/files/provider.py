"""The provider of LocalFile. Decides from mode and bytes what has to be written, and writes nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError, PreconditionError
from planner.plan import Change, FieldChange, FieldOp, VerifiedBy
from planner.ports import (
    AbsentObject,
    NeverDeletes,
    Observation,
    PresentObject,
    Preview,
    PreviewEffect,
    Readiness,
    ReadResult,
    UnreadableObject,
    Written,
)
from planner.resource import Resource
from planner.values import JsonObject, JsonValue, OutputRef, OutputTemplate, Vault
from providers.durable_file import FileVersion, file_version_of_content, read_file_version, replace_file
from providers.files.local_file_paths import LocalFilePaths
from providers.provider_tools import ProviderTools

_MODE = re.compile(r"0[0-7]{3}")


def create_local_file_provider(tools: ProviderTools) -> LocalFileProvider:
    """The provider of LocalFile for one command."""
    return LocalFileProvider(LocalFilePaths(tools.folder, tools.sandbox))


@dataclass(frozen=True, slots=True)
class LocalFileProvider(NeverDeletes):
    """Reads, previews and writes files on the local disk (planner.ports.Provider). `places` says where paths lead."""

    places: LocalFilePaths

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider."""
        return ReadResult({resource.address: self._observe(resource) for resource in wanted})

    def _observe(self, resource: Resource) -> Observation:
        try:
            path = self.places.place(resource.manifest["spec"]["path"])
            self.places.check(path)
            seen = read_file_version(path)
        except PermanentError as error:
            where = f" ({error.where})" if error.where else ""
            return UnreadableObject(resource.address, error.message + where)
        if seen is None:
            return AbsentObject(resource.address)
        value = {"mode": seen.mode, "digest": seen.digest, "text": seen.text}
        return PresentObject(resource.address, "", seen.token, value, outputs={"digest": seen.digest})

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider."""
        return {
            resource.address: _preview(resource.manifest["spec"], seen)
            for resource, seen in items
            if not isinstance(seen, UnreadableObject)
        }

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Replaces the file as a whole, or finds it done."""
        spec = (change.desired or {})["spec"]
        data, mode = _content(spec["content"]), _mode(spec)
        wanted = file_version_of_content(data, mode)
        if change.expects and change.expects != wanted.token:
            raise PreconditionError("the content is not the one that was planned", where=str(change.address))
        path = self.places.place(spec["path"])
        self.places.check(path)

        def allow(now: FileVersion | None) -> bool:
            if now is not None and now.token == wanted.token:
                return False
            _check_still(change, now)
            return True

        allow(read_file_version(path))  # before any folder is made: a stale plan changes nothing
        written = replace_file(path, data, mode, allow)
        after = read_file_version(path)
        if after is None or after.token != wanted.token:
            raise PreconditionError("the file was changed again right after it was written", where=str(change.address))
        return Written("", {"digest": after.digest}, already=not written)

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """A file was read back when it was written: there is nothing to wait for."""
        return {change.address: Readiness(done=True, ok=True) for change in changes}


def _preview(spec: JsonObject, seen: Observation) -> Preview:
    before = seen.value if isinstance(seen, PresentObject) else None
    effect = PreviewEffect.UPDATE if before else PreviewEffect.CREATE
    try:
        mode = _mode(spec)
        if isinstance(spec["content"], OutputRef | OutputTemplate):
            return Preview(effect, tuple(_fields(before, spec["content"], "", mode)))
        after = file_version_of_content(_content(spec["content"]), mode)
    except PermanentError as error:
        return Preview(effect, blocked=error.message, remedy=error.remedy)
    outputs = {"digest": after.digest}
    if isinstance(seen, PresentObject) and seen.content == after.token:
        return Preview(PreviewEffect.NONE, verified=VerifiedBy.SERVER, outputs=outputs)
    fields = tuple(_fields(before, after.text, after.digest, mode))
    return Preview(effect, fields, VerifiedBy.SERVER, expects=after.token, outputs=outputs)


def _fields(before: JsonObject | None, after: JsonValue, digest: str, mode: str) -> Iterator[FieldChange]:
    """What changes. `after` is the text, None where only its digest is shown; `digest` is "" while it is unknown."""
    if before is None:
        yield FieldChange(("content",), FieldOp.ADD, after=digest if after is None else after)
        yield FieldChange(("mode",), FieldOp.ADD, after=mode)
        return
    if before["digest"] != digest:
        texts = before["text"], after
        shown = (before["digest"], digest) if digest and None in texts else texts
        old = before["digest"] if shown[0] is None else shown[0]
        yield FieldChange(("content",), FieldOp.CHANGE, old, shown[1])
    if before["mode"] != mode:
        yield FieldChange(("mode",), FieldOp.CHANGE, before["mode"], mode)


def _content(value: JsonValue) -> bytes:
    if not isinstance(value, str):
        raise PermanentError("the content of a LocalFile is a text", remedy="`!sub` makes a text of an output")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise PermanentError("the content of a LocalFile is not UTF-8") from None


def _mode(spec: JsonObject) -> str:
    mode = str(spec.get("mode", "0600"))
    if not _MODE.fullmatch(mode):
        raise PermanentError("the mode of a LocalFile is 0 and three octal digits")
    return mode


def _check_still(change: Change, now: FileVersion | None) -> None:
    seen = change.precondition
    if (now is None) is seen.absent and (now is None or now.token == seen.content):
        return
    raise PreconditionError(
        f"the file is not as the plan saw it: {seen.content or 'absent'}, now {now.token if now else 'absent'}",
        where=str(change.address),
        remedy="plan again: somebody else wrote it since",
    )
