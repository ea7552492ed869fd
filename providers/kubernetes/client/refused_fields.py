"""The fields that an API server refuses, read from the causes of its answer or from its message, without values. Pure.

Sources: structured-merge-diff `typed`, apimachinery `util/validation/field`, and the validation of the API groups.
"""

from __future__ import annotations

import json
import re

from planner.values import JsonObject
from providers.kubernetes.client.safe_field_error_text import field_error_detail_without_value, field_error_value
from providers.kubernetes.client.safe_server_text import safe_reason_word, safe_server_line, server_field_path_text
from providers.kubernetes.errors import InvalidField

_REASON_WORDS = {
    "FieldValueRequired": "required",
    "FieldValueInvalid": "invalid value",
    "FieldValueDuplicate": "duplicate value",
    "FieldValueNotFound": "names something that does not exist",
    "FieldValueNotSupported": "unsupported value",
    "FieldValueForbidden": "forbidden here",
    "FieldValueTooLong": "too long",
    "FieldValueTooMany": "too many",
    "FieldValueTypeInvalid": "wrong type",
}
_TYPED_CAUSE = re.compile(r"(?:^|[:\s])(\.[^\s:]+(?:\"[^\"]*\"[^\s:]*)*): ([^\n]+)")
_TYPED_WORDS = re.compile(r"field not declared in schema|expected |duplicate entries for key|associative list|element ")
_IMMUTABLE = re.compile(
    r"field is immutable(?: when `immutable` is set)?|may not change once set|cannot change \w+|is immutable"
    r"|(?:spec is )?immutable after creation|updates to \w+ spec for fields other than .* are forbidden"
    r"|may not be updated|updates to parameters are forbidden|field can not be updated or cleared"
)
# Maps and lists of names that are no secrets by their nature (API conventions: metadata), of which a server tells only
# the map: without the name nobody finds it.
_NAMING = re.compile(r"(?:^|\.)(?:labels|annotations|finalizers|matchLabels|nodeSelector)(?:\[\d+\])?$")
# What validation says of a Secret without quoting its content.
_SECRET_WORDS = re.compile(r"a valid |a lowercase |may not be |must (?:be|have) (?:no|at) |name ")


def fields_of_typed_patch_error(message: str) -> tuple[InvalidField, ...]:
    """The fields that a typed patch could not be made of, in the order of the message."""
    return tuple(_typed_field(path, text) for path, text in _TYPED_CAUSE.findall(message))


def field_of_status_cause(cause: JsonObject, secret: bool) -> InvalidField:
    """The field of one cause in the details of a Status. Of a `secret` only words that quote none of its content."""
    message = str(cause.get("message") or "")
    field, reason = str(cause.get("field") or ""), safe_reason_word(str(cause.get("reason") or ""))
    words = field_error_detail_without_value(message)
    if match := _IMMUTABLE.search(message):
        said = words if match[0] in words and not secret else match[0]
        return InvalidField(server_field_path_text(field), reason, said, immutable=True)
    if words and not secret and _NAMING.search(field) and (value := field_error_value(message)):
        words = f"{json.dumps(value, ensure_ascii=False)}: {words}"
    if secret and not _SECRET_WORDS.match(words):
        words = ""
    return InvalidField(server_field_path_text(field), reason, words or _REASON_WORDS.get(reason, ""))


def _typed_field(path: str, text: str) -> InvalidField:
    words = text.split(", got ")[0]  # what follows is the value itself
    return InvalidField(
        server_field_path_text(path), "SchemaMismatch", safe_server_line(words) if _TYPED_WORDS.match(words) else ""
    )
