"""Answers of the worst server: every error that it knows, quoting secrets wherever an answer has room for words."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_JSON = {"Content-Type": "application/json"}
Made = Callable[[str], tuple[Mapping[str, str], bytes]]  # what is quoted -> headers and body


@dataclass(frozen=True)
class Answer:
    """One refusal: its name, the status, and how it is made of the text that it quotes."""

    name: str
    code: int
    made: Made


def answers() -> Iterator[Answer]:
    """All of them."""
    for code, reason, words in _STATUSES:
        yield Answer(f"{code} {reason} {words[:30]}", code, _status(code, reason, words))
    for reason, words in _CAUSES:
        yield Answer(f"422 cause {reason} {words[:24]}", 422, _invalid(reason, words))
    yield Answer("409 conflict of managers", 409, _conflict)
    yield Answer("500 plain text", 500, lambda text: ({"Content-Type": "text/plain"}, text.encode()))
    yield Answer("400 html", 400, lambda text: ({"Content-Type": "text/html"}, f"<h1>{text}</h1>".encode()))
    yield Answer("404 plain", 404, lambda text: ({"Content-Type": "text/plain"}, text.encode()))
    yield Answer("418 unknown", 418, _status(418, "Teapot", "%s"))
    yield Answer("302 elsewhere", 302, lambda text: ({"Location": f"https://127.0.0.1:1/{text.split()[0]}"}, b""))
    yield Answer("200 no JSON", 200, lambda text: (_JSON, text.encode()))
    yield Answer("200 half a JSON", 200, lambda text: (_JSON, b'{"metadata": {"name": ' + json.dumps(text).encode()))
    yield Answer("200 a list", 200, lambda text: (_JSON, json.dumps([text]).encode()))
    yield Answer("200 another object", 200, _another_object)
    yield Answer("403 packed", 403, _packed)
    yield Answer("422 one megabyte", 422, lambda text: _status(422, "Invalid", "%s " * 200)(text))


_STATUSES = (
    (400, "BadRequest", "%s"),
    (400, "BadRequest", 'error decoding patch: json: cannot unmarshal "%s" into Go value'),
    (401, "Unauthorized", "token %s is not known"),
    (403, "Forbidden", 'secrets "x" is forbidden: %s'),
    (403, "Forbidden", 'User "%s" cannot patch resource "secrets"'),
    (403, "Forbidden", 'pods "x" is forbidden: exceeded quota: %s'),
    (404, "NotFound", "%s not found"),
    (405, "MethodNotAllowed", "%s"),
    (406, "NotAcceptable", "%s"),
    (409, "AlreadyExists", '"%s" already exists'),
    (410, "Expired", "%s"),
    (413, "RequestEntityTooLarge", "%s"),
    (415, "UnsupportedMediaType", "%s"),
    (422, "Invalid", 'Secret "x" is invalid: data[x]: Invalid value: "%s": too long'),
    (422, "Invalid", 'admission webhook "w.test" denied the request: %s'),
    (400, "BadRequest", 'admission webhook "w.test" denied the request: object %s is not welcome'),
    (403, "Forbidden", "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: %s"),
    (500, "InternalError", 'failed to create typed patch object (x): .data.x: expected string, got &value{"%s"}'),
    (500, "InternalError", "failed to convert new object (x): illegal base64 data at input byte 4: %s"),
    (500, "", "%s"),
    (501, "NotImplemented", "%s"),
)
_CAUSES = (
    ("FieldValueInvalid", 'Invalid value: "%s": must be something else'),
    ("FieldValueInvalid", "Invalid value: %s: must be something else"),
    ("FieldValueInvalid", 'Invalid value: {"data":{"x":"%s"}}: must be something else'),
    ("FieldValueRequired", "Required value: not %s"),
    ("FieldValueDuplicate", 'Duplicate value: "x": as in %s'),
    ("FieldValueNotSupported", 'Unsupported value: "x": supported values: "%s"'),
    ("FieldValueForbidden", "Forbidden: %s"),
    ("FieldValueTooLong", "Too long: may not be more than 3 bytes, %s"),
    ("FieldValueInvalid", 'Invalid value: "%s": field is immutable'),
)


def _status(code: int, reason: str, words: str) -> Made:
    def made(text: str) -> tuple[Mapping[str, str], bytes]:
        return _JSON, _document(code, reason, words.replace("%s", text), {"kind": text, "name": text, "group": text})

    return made


def _invalid(reason: str, words: str) -> Made:
    def made(text: str) -> tuple[Mapping[str, str], bytes]:
        cause = {"reason": reason, "message": words.replace("%s", text), "field": "spec.x"}
        named = {"reason": reason, "message": "Required value", "field": f"data[{text}]"}
        return _JSON, _document(422, "Invalid", "x is invalid", {"kind": "ConfigMap", "causes": [cause, named]})

    return made


def _conflict(text: str) -> tuple[Mapping[str, str], bytes]:
    message = f'conflict with "{text}" using v1: .data.x, which is {text}'
    cause = {"reason": "FieldManagerConflict", "message": message, "field": f".data.{text}"}
    return _JSON, _document(409, "Conflict", message, {"causes": [cause]})


def _another_object(text: str) -> tuple[Mapping[str, str], bytes]:
    metadata = {"name": text, "uid": text, "resourceVersion": "1"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"x": text}}
    return _JSON, json.dumps(body).encode()


def _packed(text: str) -> tuple[Mapping[str, str], bytes]:
    body = _document(403, "Forbidden", f'secrets "x" is forbidden: {text}', {})
    warning = "".join(letter for letter in text[:4000] if letter not in '"\\')
    return {**_JSON, "Content-Encoding": "gzip", "Warning": f'299 - "{warning}"'}, gzip.compress(body)


def _document(code: int, reason: str, message: str, details: dict[str, Any]) -> bytes:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return json.dumps({**body, "reason": reason, "message": message, "details": details}).encode()
