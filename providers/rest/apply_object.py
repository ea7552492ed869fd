"""Creates or changes one object: looks, checks what the plan saw, sends one request, and looks again.

What became of a request is determined by reading the object by its key. A POST whose answer was lost is never sent
again by this command: until the object turns up, or somebody runs it anew, its outcome is unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from planner.address import Address
from planner.dataclass import dataclass
from planner.document_diff import diff_documents
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, ProviderError
from planner.field_path import render_path
from planner.plan import Change
from planner.ports import Written
from planner.values import outputs_in_document
from providers.http.retries import RetryLimits
from providers.rest.declared_fields import (
    body_with_fingerprint_note,
    comparable_body,
    declared_outputs,
    rest_patch_body,
    rest_put_body,
    version_token_of_declared,
)
from providers.rest.find_object_in_collection import RestObjectState, read_rest_object
from providers.rest.object_spec import ParsedRestObjectSpec
from providers.rest.rest_api import RestApi, RestItemAnswer, RestWriteRequest
from providers.rest.secret_values import RestSecretValues

_LOST = "the answer to the write was lost; reading showed that it succeeded"


@dataclass(frozen=True, slots=True)
class RestApplyContext:
    """What an effect works with. `posted` are the addresses whose POST may still be under way."""

    api: RestApi
    secrets: RestSecretValues
    posted: set[Address]
    retries: RetryLimits

    def look(self, wanted: ParsedRestObjectSpec) -> RestObjectState | None:
        """The object as it is this moment."""
        return read_rest_object(self.api.list(wanted.collection), wanted, self.api, self.secrets)


def apply_rest_object(change: Change, wanted: ParsedRestObjectSpec, context: RestApplyContext) -> Written:
    """Make the object as wanted, starting from what the plan saw.

    Raises PreconditionError when it is neither, PermanentError when the API refuses or keeps other values,
    TemporaryError when nothing was done and it may be tried again, OutcomeUnknown when it is not known.
    """
    wanted = _settled(change, wanted, context)
    item = _item(change, wanted, context)
    now = context.look(wanted)
    if now is not None and _is_done(now, wanted):
        return _written(now, wanted, already=True)
    if change.address in context.posted:
        raise OutcomeUnknown(f"{wanted.shown}: a POST was sent, and it is not as wanted", remedy=_LOOK)
    _check_still(change, now, wanted)
    return _send(change, wanted, _write(now, wanted, item), context)


_LOOK = "look whether it turns up, then run it again: it reads first"


def _settled(change: Change, wanted: ParsedRestObjectSpec, context: RestApplyContext) -> ParsedRestObjectSpec:
    """With the fingerprints of all secrets; refused when it is not what was planned."""
    if wanted.is_open or outputs_in_document(wanted.body):
        raise PermanentError("an output that it takes is still unknown", where=str(change.address))
    body, reasons = context.secrets.known(wanted.body)
    if reasons:
        raise PermanentError(f"a secret cannot be read: {'; '.join(reasons)}", where=str(change.address))
    wanted = replace(wanted, body=body)
    if change.expects and change.expects != version_token_of_declared(comparable_body(wanted)):
        raise PreconditionError("the object is not the one that was planned", where=str(change.address))
    return wanted


def _item(change: Change, wanted: ParsedRestObjectSpec, context: RestApplyContext) -> RestItemAnswer | None:
    """The object by its own path, for its entity tag and all its fields. Asked before the look: what changes between
    the two is seen there, and what changes later makes the write fail. With details the look itself brings both."""
    identifier = change.precondition.uid
    return context.api.one(wanted.collection, identifier) if identifier and not wanted.details else None


def _is_done(now: RestObjectState, wanted: ParsedRestObjectSpec) -> bool:
    return not diff_documents(now.fields, comparable_body(wanted))


def _check_still(change: Change, now: RestObjectState | None, wanted: ParsedRestObjectSpec) -> None:
    seen = change.precondition
    if now is None and seen.absent:
        return
    if now is not None and not seen.absent and (now.identifier, now.token) == (seen.uid, seen.content):
        return
    stands = "is not there" if now is None else "is there" if seen.absent else "was changed"
    raise PreconditionError(f"{wanted.shown} {stands}: not as the plan saw it", where=wanted.collection.host,
                            remedy="plan again: somebody else wrote it since")  # fmt: skip


def _write(now: RestObjectState | None, wanted: ParsedRestObjectSpec, item: RestItemAnswer | None) -> RestWriteRequest:
    if now is None:
        own = str(wanted.name) if wanted.create == "PUT" else ""
        return RestWriteRequest(wanted.create, body_with_fingerprint_note(wanted), own, creates=True)
    if not now.identifier:
        raise PermanentError(f"{wanted.shown} shows no id", where=wanted.collection.host, remedy="correct spec.id")
    whole, etag = (item.value, item.etag) if item is not None else (now.live, now.etag)
    if wanted.update == "PATCH":
        return RestWriteRequest(
            "PATCH", rest_patch_body(whole, now.fields, wanted), now.identifier, etag, wanted.patch_type
        )
    return RestWriteRequest(wanted.update, rest_put_body(whole, wanted), now.identifier, etag)


def _send(change: Change, wanted: ParsedRestObjectSpec, write: RestWriteRequest, context: RestApplyContext) -> Written:
    if write.method == "POST":
        context.posted.add(change.address)
    try:
        context.api.write(wanted.collection, write, context.secrets)
    except OutcomeUnknown as error:
        return _told(wanted, context, error)
    except PreconditionError:
        context.posted.discard(change.address)
        now = context.look(wanted)
        if now is None or not _is_done(now, wanted):
            raise
        return _written(now, wanted, already=True)
    except ProviderError:
        context.posted.discard(change.address)  # answered: it took no effect
        raise
    return _confirmed(wanted, context)


def _confirmed(wanted: ParsedRestObjectSpec, context: RestApplyContext) -> Written:
    after = _until(lambda: context.look(wanted), wanted, context)
    if after is None:
        raise OutcomeUnknown(f"{wanted.shown}: written, but it is not in the list", where=wanted.collection.host)
    if other := [render_path(one.path) for one in diff_documents(after.fields, comparable_body(wanted))]:
        raise PermanentError(
            f"{wanted.shown}: after the write the API shows other values in {', '.join(other[:5])}",
            where=wanted.collection.host,
            remedy="write them as the API keeps them; if the list leaves fields out, set spec.details; if it masks a "
            "secret, take `readable` away",
        )
    return _written(after, wanted)


def _told(wanted: ParsedRestObjectSpec, context: RestApplyContext, lost: OutcomeUnknown) -> Written:
    """What reading says of a write whose answer was lost."""
    try:
        after = _until(lambda: context.look(wanted), wanted, context)
    except ProviderError as error:
        raise OutcomeUnknown(f"{lost.message}, and then: {error.message}", where=lost.where, remedy=_LOOK) from None
    if after is None or not _is_done(after, wanted):
        raise OutcomeUnknown(f"{wanted.shown}: {lost.message}, and it is not as wanted", where=lost.where, remedy=_LOOK)
    return _written(after, wanted, warnings=(_LOST,))


def _until(
    read: Callable[[], RestObjectState | None], wanted: ParsedRestObjectSpec, context: RestApplyContext
) -> RestObjectState | None:
    """The object, read again for a short while until it is as wanted: lists may lag behind."""
    now = read()
    for attempt in range(context.retries.tries - 1):
        if now is not None and _is_done(now, wanted):
            break
        context.retries.sleep(context.retries.first * 2**attempt)
        now = read()
    return now


def _written(
    now: RestObjectState, wanted: ParsedRestObjectSpec, *, already: bool = False, warnings: tuple[str, ...] = ()
) -> Written:
    return Written(now.identifier, declared_outputs(now.live, wanted), already, warnings)
