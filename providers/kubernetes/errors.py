"""What can go wrong between us and an API server: one class per meaning, all below planner.errors.ProviderError.

Which answer means which is decided in providers.kubernetes.client.answer_errors. None of these errors holds a value of
an object: field names, reasons and the server's words without values only.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, TemporaryError
from providers.http.errors import TlsFailed, TooLarge, Unreachable

__all__ = [
    "AdmissionDenied",
    "AlreadyExists",
    "ApplyConflict",
    "BadRequest",
    "CommandNotStarted",
    "CommandUnsettled",
    "ContinueExpired",
    "FieldConflict",
    "Forbidden",
    "Invalid",
    "InvalidField",
    "NamespaceMissing",
    "NamespaceTerminating",
    "NotFound",
    "NotServed",
    "OutcomeUnknown",
    "ResourceVersionConflict",
    "ServerBusy",
    "TlsFailed",
    "TooLarge",
    "UidMismatch",
    "Unauthorized",
    "Unreachable",
    "UnrecognizedServerAnswer",
    "WebhookDown",
]


class FieldConflict(NamedTuple):
    """A field that another manager owns with another value: path in its text form, manager, the server's words."""

    path: str
    manager: str
    message: str


@dataclass(frozen=True, slots=True)
class InvalidField:
    """One refused field. `message` is the server's detail with the value cut out, or empty where that is not safe."""

    field: str
    reason: str
    message: str = ""
    immutable: bool = False

    def __str__(self) -> str:
        return f"{self.field or 'object'}: {self.message or self.reason}"


class ApplyConflict(PermanentError):
    """Other managers own fields that the apply would change. Nothing was written."""

    def __init__(self, causes: tuple[FieldConflict, ...], *, where: str = "") -> None:
        owners = ", ".join(sorted({cause.manager for cause in causes if cause.manager})) or "another manager"
        paths = ", ".join(cause.path for cause in causes[:3]) + (", …" if len(causes) > 3 else "")
        super().__init__(
            f"{len(causes)} field{'s' * (len(causes) != 1)} managed by {owners}: {paths}",
            where=where,
            remedy="leave the field out, or name it in hwplan.dev/adopt-fields to take it over",
        )
        self.causes = causes


class ResourceVersionConflict(PreconditionError):
    """The object has another resourceVersion than the request named. Nothing was written."""


class UidMismatch(PreconditionError):
    """An object of that name stands there (or none does), but not the one with the uid that the request named."""


class AlreadyExists(PreconditionError):
    """A create found that an object of that name exists."""


class Invalid(PermanentError):
    """The server refuses the document. `causes` name the fields; `immutable` is true when every one is immutable."""

    def __init__(self, causes: tuple[InvalidField, ...], *, where: str = "", remedy: str = "") -> None:
        shown = "; ".join(str(cause) for cause in causes)
        super().__init__(shown or "the server calls the object invalid", where=where, remedy=remedy)
        self.causes = causes

    @property
    def immutable(self) -> bool:
        """Whether only immutable fields are in the way, so that a replace would help."""
        return bool(self.causes) and all(cause.immutable for cause in self.causes)


class BadRequest(PermanentError):
    """The API server does not understand the request or the document (HTTP 400)."""


class Forbidden(PermanentError):
    """The credentials may not do this, or an admission plugin (quota, pod security) forbids it."""


class Unauthorized(PermanentError):
    """The server does not accept the credentials."""


class NotServed(PermanentError):
    """The server does not know the kind: its CRD is absent, or was created a moment ago."""


class NotFound(PermanentError):
    """The object does not exist."""


DECLARE_NAMESPACE: Final = "declare the Namespace, or create it"  # a remedy that others know this error by


class NamespaceMissing(PermanentError):
    """The namespace of the object does not exist. `namespace` is its name."""

    def __init__(self, message: str, *, namespace: str, where: str = "", remedy: str = "") -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.namespace = namespace


class NamespaceTerminating(TemporaryError):
    """The namespace is being deleted: nothing can be created there until it is gone and created anew."""


class AdmissionDenied(PermanentError):
    """An admission webhook or policy said no. `webhook` is its name, empty for a policy of another form."""

    def __init__(self, message: str, *, webhook: str, where: str = "", remedy: str = "") -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.webhook = webhook


class WebhookDown(TemporaryError):
    """A webhook (admission or conversion) that the server must ask does not answer. `webhook` is its name."""

    def __init__(self, message: str, *, webhook: str, where: str = "", remedy: str = "") -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.webhook = webhook


class ServerBusy(TemporaryError):
    """The server is overloaded, starting, or has lost its storage for a moment."""


class ContinueExpired(TemporaryError):
    """The continue token of a paged list is too old: the list has to start again."""


class UnrecognizedServerAnswer(PermanentError):
    """An answer of the API server that no rule recognizes. The code is reported, the text is not."""


class CommandNotStarted(PermanentError):
    """A command in a container was refused before it ran."""


class CommandUnsettled(OutcomeUnknown):
    """A command in a container may have run, and how it ended is not known. `output` is the end of what it wrote until
    then, `cut` how many bytes before that are not retained."""

    def __init__(self, message: str, *, where: str = "", remedy: str = "", output: bytes = b"", cut: int = 0) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.output = output
        self.cut = cut
