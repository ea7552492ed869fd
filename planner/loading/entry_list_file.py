"""A file that holds one list of entries of one form: read as a whole, every problem at once, with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from planner.disk_errors import disk_error_text
from planner.errors import SelectionError
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.model_problems import report_model_errors
from planner.loading.problems import Problems
from planner.loading.yaml.load_documents import CONFIG, decode_text, load_documents
from planner.source_line_ref import SourceRef
from planner.spec.base import StrictModel

_Entry = TypeVar("_Entry", bound=StrictModel)


def load_entry_list_file(file: Path, form: type[_Entry], *, what: str, option: str) -> list[tuple[_Entry, SourceRef]]:
    """The entries of a file in its order, each with its place. `what` names one of them, `option` the file's option.

    Raises ConfigError with every problem, SelectionError without a file.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        reason = disk_error_text(error)
        raise SelectionError(f"{file}: {reason}", where=option, remedy=f"name a file of {what}") from None
    name = str(file)
    documents = load_documents(data, name, CONFIG)
    text = DocumentText(name, decode_text(data, name, CONFIG))
    problems = Problems()
    found: list[tuple[_Entry, SourceRef]] = []
    for index, document in enumerate(documents):
        if document.value is not None:
            found += _entries(document.value, DocumentOrigin(text, index, document.line), form, what, problems)
    problems.raise_any()
    return found


def _entries(
    value: Any, origin: DocumentOrigin, form: type[_Entry], what: str, problems: Problems
) -> list[tuple[_Entry, SourceRef]]:
    if not isinstance(value, list):
        fields = ", ".join(name for name, field in form.model_fields.items() if field.is_required())
        origin.problem(problems, (), f"expected a list of {what}", f"each with {fields}")
        return []
    found = ((_entry(item, origin, index, form, problems), origin.at((index,))) for index, item in enumerate(value))
    return [(entry, source) for entry, source in found if entry is not None]


def _entry(item: Any, origin: DocumentOrigin, index: int, form: type[_Entry], problems: Problems) -> _Entry | None:
    try:
        return form.model_validate(item)
    except ValidationError as error:
        report_model_errors(error, form, item, lambda at, *words: origin.problem(problems, (index, *at), *words))
        return None
