"""What an answer of an API server means: one pure function from status, headers and body to an error.

Classifies by reason and message, never by status code alone: user errors come back as 500, and so do webhooks that are
down. Messages of the server echo pod templates, environment values and contents of Secrets, so no text of an answer is
passed on whole: field names and reasons are retained, values are cut out.

Facts observed on kube-apiserver 1.36; sources: apimachinery api/errors, structured-merge-diff typed and merge, and
apimachinery util/validation/field (see safe_field_error_text).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from planner.dataclass import dataclass
from planner.errors import ProviderError
from planner.values import JsonObject
from providers.json_answer import parse_json_answer
from providers.kubernetes.client.refused_fields import field_of_status_cause, fields_of_typed_patch_error
from providers.kubernetes.client.safe_server_text import (
    safe_reason_word,
    safe_server_line,
    server_field_path_text,
    unquote_server_text,
)
from providers.kubernetes.client.webhook_call_failures import webhook_call_failure
from providers.kubernetes.errors import (
    AdmissionDenied,
    AlreadyExists,
    ApplyConflict,
    BadRequest,
    ContinueExpired,
    FieldConflict,
    Forbidden,
    Invalid,
    InvalidField,
    NamespaceMissing,
    NamespaceTerminating,
    NotFound,
    NotServed,
    ResourceVersionConflict,
    ServerBusy,
    TooLarge,
    UidMismatch,
    Unauthorized,
    UnrecognizedServerAnswer,
)

_MAX_RETRY_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """The parts of an answer that the rules look at. `secret` is true when the object is a Secret."""

    code: int
    reason: str
    message: str
    details: JsonObject
    causes: tuple[JsonObject, ...]
    plain: bool
    where: str
    retry_after: float

    @property
    def secret(self) -> bool:
        return str(self.details.get("kind", "")).lower() in ("secret", "secrets") or self.where.startswith("Secret/")


_Rule: TypeAlias = Callable[[_Answer], ProviderError | None]


def classify_answer(
    status: int, content_type: str, body: bytes, *, where: str = "", retry_after: str | None = None
) -> ProviderError:
    """The error that an answer with a status outside 200..299 stands for.

    `body` is the answer as received and decompressed, `where` the address of the object (or kind and place of a list),
    `retry_after` the header of that name. Never raises; an answer that is not a Status is judged by its code.
    """
    answer = _read(status, content_type, body, where, retry_after)
    for rule in _RULES:
        if error := rule(answer):
            return error
    return UnrecognizedServerAnswer(
        f"the server answered {status} {safe_reason_word(answer.reason)}".rstrip(), where=where
    )


def parse_status_answer(content_type: str, body: bytes) -> JsonObject:
    """The Status object in the body of an API server's refusal; empty when the answer is of somebody else."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return {}
    try:
        parsed = parse_json_answer(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) and parsed.get("kind") == "Status" else {}


def _read(status: int, content_type: str, body: bytes, where: str, retry_after: str | None) -> _Answer:
    document = parse_status_answer(content_type, body)
    details = document.get("details")
    details = details if isinstance(details, dict) else {}
    causes = details.get("causes")
    return _Answer(
        code=status,
        reason=str(document.get("reason") or ""),
        message=str(document.get("message") or ""),
        details=details,
        causes=tuple(cause for cause in causes if isinstance(cause, dict)) if isinstance(causes, list) else (),
        plain=not document,
        where=where,
        retry_after=_seconds(retry_after, details),
    )


def _seconds(header: str | None, details: Mapping[str, object]) -> float:
    """Retry-After in seconds: only the numeric form counts, a date or garbage leaves the caller its own back-off."""
    if header is not None and header.strip().isascii() and header.strip().isdigit():
        return min(float(header.strip()[:9]), _MAX_RETRY_AFTER)
    value = details.get("retryAfterSeconds")
    return float(min(max(value, 0), _MAX_RETRY_AFTER)) if isinstance(value, int) else 0.0


# --- the rules, first match wins -----------------------------------------------------------------------------------


def _busy(answer: _Answer) -> ProviderError | None:
    overloaded = answer.code in (429, 502, 503, 504) or answer.reason in _BUSY_REASONS
    if not overloaded and not (answer.code >= 500 and _TEMPORARY_500.search(answer.message)):
        return None
    return ServerBusy(
        f"the server is busy or not ready ({answer.code} {safe_reason_word(answer.reason)})".replace(" )", ")"),
        where=answer.where,
        retry_after=answer.retry_after,
    )


def _webhook_down(answer: _Answer) -> ProviderError | None:
    return webhook_call_failure(answer.code, answer.message, answer.where)


def _typed_patch(answer: _Answer) -> ProviderError | None:
    if not answer.message.startswith(_TYPED_PATCH):
        return None
    causes = fields_of_typed_patch_error(answer.message)
    remedy = (
        "compare with `hwplan explain` or `kubectl explain`" if any("declared" in c.message for c in causes) else ""
    )
    return Invalid(causes or (InvalidField("", "SchemaMismatch"),), where=answer.where, remedy=remedy)


def _conversion(answer: _Answer) -> ProviderError | None:
    """A value that the schema lets pass and the Go type does not: a quantity, base64, a time."""
    if not answer.message.startswith("failed to convert new object"):
        return None
    words = answer.message.rpartition(": ")[2]
    keep = bool(_CONVERSION_WORDS.match(words))
    return Invalid(
        (InvalidField("", "Unconvertible", words if keep else "a value does not fit its type"),), where=answer.where
    )


def _denied(answer: _Answer) -> ProviderError | None:
    if match := _WEBHOOK_DENIED.match(answer.message):
        name, words = match["name"], "" if answer.secret else safe_server_line(match["words"] or "")
        kind = "policy" if "olicy" in match["what"] else "webhook"
        message = f'{kind} "{safe_server_line(name)}" denied it' + (f": {words}" if words else "")
        return AdmissionDenied(message, webhook=name, where=answer.where)
    return None


def _conflict(answer: _Answer) -> ProviderError | None:
    if answer.code != 409:
        return None
    conflicts = tuple(_conflict_of(c) for c in answer.causes if c.get("reason") == "FieldManagerConflict")
    if conflicts:
        return ApplyConflict(tuple(sorted(conflicts)), where=answer.where)
    if answer.reason == "AlreadyExists":
        return AlreadyExists("it exists already", where=answer.where, remedy="plan again")
    if "UID in" in answer.message or "uid mismatch" in answer.message:
        return UidMismatch("another object of this name stands there", where=answer.where, remedy="plan again")
    return ResourceVersionConflict("it was changed by somebody else", where=answer.where, remedy="plan again")


def _conflict_of(cause: JsonObject) -> FieldConflict:
    message = str(cause.get("message") or "")
    match = _MANAGER.search(message)
    return FieldConflict(
        server_field_path_text(str(cause.get("field") or "")),
        unquote_server_text(match[1]) if match else "",
        safe_server_line(message),
    )


def _not_found(answer: _Answer) -> ProviderError | None:
    if answer.code != 404:
        return None
    kind, name = str(answer.details.get("kind") or ""), str(answer.details.get("name") or "")
    if answer.plain or (answer.reason == "NotFound" and not name):
        return NotServed("the cluster does not serve this kind", where=answer.where, remedy="install its CRD first")
    if kind == "namespaces" and not answer.where.startswith("Namespace/"):
        message = f"namespace {safe_server_line(name)} does not exist"
        return NamespaceMissing(message, namespace=name, where=answer.where, remedy="declare the Namespace")
    return NotFound("it does not exist", where=answer.where)


def _forbidden(answer: _Answer) -> ProviderError | None:
    if answer.code == 401 or (answer.code == 403 and 'User "system:anonymous"' in answer.message):
        remedy = "renew the credentials of the kubeconfig, or choose another --context"
        return Unauthorized("the server does not accept the credentials", where=answer.where, remedy=remedy)
    if answer.code != 403:
        return None
    if any(cause.get("reason") == "NamespaceTerminating" for cause in answer.causes):
        return NamespaceTerminating(
            "its namespace is being deleted", where=answer.where, retry_after=answer.retry_after
        )
    if match := _RBAC.search(answer.message):
        return Forbidden(
            safe_server_line(match[0]), where=answer.where, remedy="grant the right, or use other credentials"
        )
    words = answer.message.partition(" is forbidden: ")[2]
    return Forbidden(
        f"forbidden: {safe_server_line(words)}" if words and not answer.secret else "forbidden", where=answer.where
    )


def _invalid(answer: _Answer) -> ProviderError | None:
    if answer.code != 422:
        return None
    reported = (cause for cause in answer.causes if cause.get("field") != "<nil>")  # "some rules were not checked"
    causes = tuple(
        sorted(
            {field_of_status_cause(cause, answer.secret) for cause in reported},
            key=lambda c: (c.field, c.reason, c.message),
        )
    )
    if any(cause.field == "metadata.uid" for cause in causes):
        return UidMismatch(
            "the object with the planned uid is not there any more", where=answer.where, remedy="plan again"
        )
    immutable = bool(causes) and all(cause.immutable for cause in causes)
    remedy = "set hwplan.dev/replace: allow to delete and create it anew" if immutable else ""
    return Invalid(causes, where=answer.where, remedy=remedy)


def _other(answer: _Answer) -> ProviderError | None:
    match answer.code:
        case 400:
            words = "" if answer.secret else safe_server_line(_BEFORE_CONTEXT.split(answer.message, maxsplit=1)[0])
            return BadRequest(words or "the server does not understand the document", where=answer.where)
        case 405:
            return BadRequest("the server does not allow this on the kind", where=answer.where)
        case 410:
            return ContinueExpired("the list expired while it was read", where=answer.where)
        case 413:
            return TooLarge("the object is larger than the server takes", where=answer.where)
        case 300 | 301 | 302 | 303 | 307 | 308:
            return UnrecognizedServerAnswer(
                f"the server answered {answer.code}: redirects are not followed", where=answer.where
            )
        case _:
            return None


_BUSY_REASONS = frozenset({"TooManyRequests", "ServerTimeout", "Timeout", "ServiceUnavailable"})
_TEMPORARY_500 = re.compile(
    r"etcdserver: |rpc error: code = Unavailable|storage is \(re\)initializing|context deadline exceeded"
    r"|connection refused|transport is closing|error reading from server|^Internal error occurred: "
)
_CONVERSION_WORDS = re.compile(
    r"illegal base64 data at input byte \d+$|quantities must match the regular expression '[^']*'$"
    r"|cannot unmarshal \w+ into Go (?:struct field [\w.\[\]]+|value) of type [\w.*\[\]]+$"
)
_TYPED_PATCH = "failed to create typed patch object"
_WEBHOOK_DENIED = re.compile(
    r"(?P<what>admission webhook|.{0,300}?ValidatingAdmissionPolicy) [\"'](?P<name>[^\"']*)[\"']"
    r"(?: with binding [\"'][^\"']*[\"'])? (?:denied the request|denied request|does not support)"
    r"(?:: |.)?(?P<words>.*)",
    re.DOTALL,
)
_MANAGER = re.compile(r'with ("(?:[^"\\]|\\.)*")')
_RBAC = re.compile(r'User "[^"]*" cannot .*', re.DOTALL)
_BEFORE_CONTEXT = re.compile(r", error found in|, got |\.\.\.\||\{|\[\{")

_RULES: tuple[_Rule, ...] = (
    _webhook_down,
    _typed_patch,
    _conversion,
    _denied,
    _busy,
    _conflict,
    _not_found,
    _forbidden,
    _invalid,
    _other,
)
