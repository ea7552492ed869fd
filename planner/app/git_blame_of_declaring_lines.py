"""Which line declares a field that a plan changes, and who wrote that line last: what a reviewer asks of a change.

A field of a template that a key of the configuration feeds is declared by the line of that key, where one single key
does; else by the line of the template. Reads files and the repository that they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from planner.app.load_desired import load_configuration
from planner.app.request import Request
from planner.drift_adoption import FieldToAdopt
from planner.errors import HwplanError
from planner.field_path import render_path
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.drift_adoption.adopt_fields import (
    DeclaringPlace,
    RenderingCache,
    declaring_place,
)
from planner.loading.drift_adoption.rendered_objects import declares_object, path_with_positions
from planner.loading.manifest_files import KUSTOMIZE
from planner.loading.yaml.load_documents import MANIFEST, load_documents
from planner.plan import Action, Change, FieldChange, FieldOp, Plan
from planner.render.git_change_under_review import DeclaringLine
from planner.source_line_ref import SourceRef
from providers.git.local_repository_reader import LocalRepositoryReader

_MOST = 400  # fields
_MOST_OF_ONE = 40  # fields of one object
_MOST_KEYS = 12  # fields whose key is looked for: each tries the keys that its template sees
_Field = tuple[Change, FieldChange]


def find_last_commits_of_declaring_lines(
    request: Request, plan: Plan, repository: LocalRepositoryReader
) -> tuple[DeclaringLine, ...]:
    """The line of the configuration that declares each changed field of an existing object, with the git commit that
    changed the line last; fields of secrets and of what no file declares are left out. What cannot be read makes
    nothing fail."""
    fields = list(_fields(plan))[:_MOST]
    try:
        places = _in_manifests(request, fields) if request.plain else _in_templates(request, plan, fields)
    except HwplanError:
        return ()
    sources = [
        SourceRef(one.key.file, one.key.line)
        if one.key is not None
        else SourceRef(one.template.file, one.template.line)
        for one in places
    ]
    files = {one.file for one in sources if one.line}
    paths = {file: found for file in files if (found := local_path_of_source(request, file)) is not None}
    written: dict[tuple[str, int], str] = {}
    for file, path in sorted(paths.items()):
        lines = sorted({one.line for one in sources if one.file == file and one.line})
        written |= {(file, line): said for line, said in repository.line_changes(path.resolve(), lines).items()}
    return tuple(
        DeclaringLine(
            change.address,
            item.path,
            source,
            written[source.file, source.line],
            place.template,
            render_path(place.key.path) if place.key is not None else "",
        )
        for (change, item), place, source in zip(fields, places, sources, strict=True)
        if (source.file, source.line) in written
    )


def local_path_of_source(request: Request, file: str) -> Path | None:
    """The file that a SourceRef names; None where it is none of this machine."""
    roots = (Path(), request.config.resolve().parent, request.config)
    return next((root / file for root in roots if file and (root / file).is_file()), None)


def _fields(plan: Plan) -> Iterator[_Field]:
    for change in plan.changes:
        if change.action in (Action.UPDATE, Action.REPLACE):
            shown = [one for one in change.altered if one.path and not one.sensitive and one.op in _DECLARED]
            yield from ((change, one) for one in shown[:_MOST_OF_ONE])


_DECLARED = (FieldOp.ADD, FieldOp.CHANGE)


def _in_templates(request: Request, plan: Plan, fields: Sequence[_Field]) -> list[DeclaringPlace]:
    """The key that feeds each field, or the line of its template."""
    config, known, keys = load_configuration(request), RenderingCache(), _MOST_KEYS
    found: list[DeclaringPlace] = []
    for change, item in fields:
        looked_for = item.op is FieldOp.CHANGE and keys > 0
        keys -= looked_for
        wanted = FieldToAdopt(
            change.address, item.path, item.before, "" if looked_for else "the template is enough", change.source
        )
        found.append(declaring_place(config, plan.selection, wanted, known))
    return found


def _in_manifests(request: Request, fields: Sequence[_Field]) -> list[DeclaringPlace]:
    """The line of each field in the plain manifest that declares its object; a kustomization is built, and has none."""
    read: dict[str, DocumentText] = {}
    if any(file.startswith(KUSTOMIZE) for file in request.files):
        return [DeclaringPlace(SourceRef("")) for _ in fields]
    return [DeclaringPlace(_in_manifest(request, change, item, read)) for change, item in fields]


def _in_manifest(request: Request, change: Change, item: FieldChange, read: dict[str, DocumentText]) -> SourceRef:
    file = change.source.file
    path = local_path_of_source(request, file)
    if path is None:
        return SourceRef("")
    text = read.setdefault(file, DocumentText(file, data=path.read_bytes()))
    for index, document in enumerate(load_documents(text.data or b"", file, MANIFEST)):
        if isinstance(document.value, dict) and declares_object(document.value, change.address):
            return DocumentOrigin(text, index, document.line).at(path_with_positions(document.value, item.path))
    return change.source
