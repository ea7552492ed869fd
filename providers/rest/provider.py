"""The provider of RestObject. One per command; lists every collection once for a plan, and afresh for an effect."""

from __future__ import annotations

import threading
from collections.abc import Collection as Some
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from typing import TypeAlias

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError
from planner.field_path import render_path
from planner.first_names import first_names
from planner.plan import Change
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
from planner.values import JsonObject, Vault, outputs_in_document
from providers.http.retries import RetryLimits
from providers.provider_tools import ProviderTools
from providers.rest.apply_object import RestApplyContext, apply_rest_object
from providers.rest.declared_fields import (
    comparable_body,
    declared_outputs,
    outputs_before_write,
    rest_field_changes,
    secrets_not_returned_by_api,
    sources_of_secrets_without_fingerprint,
    version_token_of_declared,
)
from providers.rest.find_object_in_collection import read_rest_object
from providers.rest.object_spec import ParsedRestObjectSpec, RestCollection, parse_rest_object_spec
from providers.rest.rest_api import HttpRestApi, RestApi
from providers.rest.sandbox_api import SandboxRestApi
from providers.rest.secret_values import RestSecretValues
from providers.web.address_policy import refuse_link_local_or_metadata_address
from providers.web.bounded_http_client import BoundedHttpClient, HttpClientLimits

LIMITS = HttpClientLimits(connect=5.0, read=20.0, total=60.0)
RETRIES = RetryLimits(total=30.0)
STORED = "rest.yaml"  # in the folder of a sandbox
_AT_ONCE = 8
_Listing: TypeAlias = "list[JsonObject] | ProviderError"


def create_rest_provider(tools: ProviderTools) -> RestProvider:
    """The provider of RestObject for one command."""
    simulated = tools.sandbox is not None
    secrets = RestSecretValues(tools.secrets, tools.fingerprinter, simulated=simulated)
    if tools.sandbox is not None:
        return RestProvider(SandboxRestApi(tools.sandbox / STORED), secrets)
    return RestProvider(
        HttpRestApi(BoundedHttpClient(LIMITS, vet=refuse_link_local_or_metadata_address), secrets, RETRIES), secrets
    )


@dataclass(slots=True)
class RestProvider(NeverDeletes):
    """Reads, creates and updates objects of REST APIs (planner.ports.Provider). Nothing in an object of a foreign API
    says whose it is, so none is deleted."""

    api: RestApi
    secrets: RestSecretValues
    retries: RetryLimits = RETRIES
    _listings: dict[RestCollection, _Listing] = field(default_factory=dict)
    _posted: set[Address] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, wanted: Sequence[Resource], owned: Some[str], also: Some[KindInNamespace]) -> ReadResult:
        """See Provider. One listing of each collection, several at once; with `details` one more for each object."""
        all_wanted = [parse_rest_object_spec(one.address, one.manifest) for one in wanted]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="rest") as pool:
            self._list({one.collection for one in all_wanted if not one.is_open}, pool)
            return ReadResult(dict(pool.map(self._observe, all_wanted)))

    def _list(self, collections: Iterable[RestCollection], pool: ThreadPoolExecutor) -> None:
        with self._lock:
            new = sorted((one for one in collections if one not in self._listings), key=lambda one: one.list_url())
            self._listings.update(zip(new, pool.map(self._listed, new), strict=True))

    def _listed(self, collection: RestCollection) -> _Listing:
        try:
            return self.api.list(collection)
        except ProviderError as error:
            return error

    def _observe(self, wanted: ParsedRestObjectSpec) -> tuple[Address, Observation]:
        address = wanted.address
        if wanted.is_open:
            return address, AbsentObject(address)
        try:
            listing = self._listings[wanted.collection]
            if isinstance(listing, ProviderError):
                raise listing
            seen = read_rest_object(listing, wanted, self.api, self.secrets)
        except ProviderError as error:
            return address, UnreadableObject(
                address, f"{error.where}: {error.message}" if error.where else error.message
            )
        if seen is None:
            return address, AbsentObject(address)
        outputs = declared_outputs(seen.live, wanted)
        return address, PresentObject(address, seen.identifier, seen.token, {"fields": seen.fields}, outputs=outputs)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. Two resources that mean one object are blocked, both."""
        looks = [
            (one, parse_rest_object_spec(one.address, one.manifest), seen)
            for one, seen in items
            if not isinstance(seen, UnreadableObject)
        ]
        twins = _twins(wanted for _, wanted, _ in looks)
        return {
            wanted.address: _blocked(wanted, twins[wanted.address]) if wanted.address in twins
            else self._preview(resource, wanted, seen)
            for resource, wanted, seen in looks
        }  # fmt: skip

    def _preview(self, resource: Resource, wanted: ParsedRestObjectSpec, seen: Observation) -> Preview:
        body, reasons = self.secrets.known(wanted.body)
        wanted = replace(wanted, body=body)
        warnings = (*_warnings(wanted), *(f"a secret cannot be read yet: {reason}" for reason in reasons))
        present = seen if isinstance(seen, PresentObject) and seen.value is not None else None
        fields = rest_field_changes(present.value["fields"] if present and present.value else None, wanted)
        effect = (
            PreviewEffect.NONE if present and not fields else PreviewEffect.UPDATE if present else PreviewEffect.CREATE
        )
        if present and (unknown := sources_of_secrets_without_fingerprint(wanted)):
            return Preview(PreviewEffect.UPDATE, fields, blocked=f"a secret cannot be read: {first_names(unknown)}",
                           evidence="; ".join(reasons), remedy="let hwplan read it, then plan again")  # fmt: skip
        if present and effect is PreviewEffect.UPDATE and not present.uid:
            return Preview(effect, fields, blocked=f"{wanted.shown} shows no id", remedy="correct spec.id")
        if effect is PreviewEffect.NONE:
            return Preview(effect, warnings=warnings)
        whole = not outputs_in_document(body) and not sources_of_secrets_without_fingerprint(wanted)
        return Preview(
            effect,
            fields,
            desired={**resource.manifest, "spec": {**resource.manifest["spec"], "body": body}},
            expects=version_token_of_declared(comparable_body(wanted)) if whole else "",
            outputs=outputs_before_write(present.outputs if present else {}, wanted),
            warnings=warnings,
        )

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Creates or changes one object, or finds it done."""
        if change.desired is None:
            raise PermanentError("nothing says what it has to be", where=str(change.address))
        with self._lock:
            self._listings.clear()
        context = RestApplyContext(self.api, self.secrets.with_vault(vault), self._posted, self.retries)
        return apply_rest_object(change, parse_rest_object_spec(change.address, change.desired), context)

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """The object was read back when it was written: there is nothing to wait for."""
        return {change.address: Readiness(done=True, ok=True) for change in changes}


def _twins(all_wanted: Iterable[ParsedRestObjectSpec]) -> dict[Address, Address]:
    """Resources that mean the object of another one, with that one."""
    first: dict[tuple[str, str], Address] = {}
    found: dict[Address, Address] = {}
    for wanted in all_wanted:
        if wanted.is_open:
            continue
        other = first.setdefault((wanted.collection.url, str(wanted.name)), wanted.address)
        if other != wanted.address:
            found |= {wanted.address: other, other: wanted.address}
    return found


def _blocked(wanted: ParsedRestObjectSpec, other: Address) -> Preview:
    return Preview(
        PreviewEffect.UPDATE, blocked=f"{other} declares the same object: {wanted.shown}", remedy="keep one of the two"
    )


def _warnings(wanted: ParsedRestObjectSpec) -> tuple[str, ...]:
    """What a reader has to know in any case."""
    collection, hidden = wanted.collection, secrets_not_returned_by_api(wanted)
    found = []
    if collection.base.startswith("http://") and (collection.auth or hidden or wanted.readable):
        found.append(f"a secret is sent over plain HTTP to {collection.host}")
    if hidden and not wanted.note:
        names = ", ".join(map(render_path, hidden))
        found.append(f"a new value of {names} is not noticed: the API does not give it back (see spec.fingerprints)")
    return tuple(found)
