"""Finding one object in its collection by its key, and what counts of it. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import Json, JsonObject, JsonValue
from providers.rest.declared_fields import comparable_body, declared_fields, version_token_of_declared
from providers.rest.object_spec import ParsedRestObjectSpec, key_or_id_text
from providers.rest.rest_api import RestApi
from providers.rest.secret_values import RestSecretValues
from providers.web.json_body import find_json_value_at_path


@dataclass(frozen=True, slots=True)
class RestObjectState:
    """A live object: its id ("" if it shows none), itself, its declared fields with secrets sealed, and its strong
    entity tag where its own path was asked."""

    identifier: str
    live: JsonObject = field(repr=False)
    fields: JsonObject = field(repr=False)
    etag: str = ""

    @property
    def token(self) -> str:
        """The version token."""
        return version_token_of_declared(self.fields)


def read_rest_object(
    objects: Sequence[JsonObject], wanted: ParsedRestObjectSpec, api: RestApi, secrets: RestSecretValues
) -> RestObjectState | None:
    """The object among the listed ones, None when it is not there; with `details` its own path is asked as well.

    Raises PermanentError when the key names none or several for certain.
    """
    found = find_listed_object_by_key(objects, wanted)
    if found is None:
        return None
    identifier, etag = rest_object_id(found, wanted), ""
    if wanted.details:
        item = api.one(wanted.collection, identifier)
        if item is None:
            raise _unclear(wanted, "listed, but its own path does not answer", "correct spec.item, or no spec.details")
        found, etag = item.value, item.etag
    return RestObjectState(identifier, found, declared_fields(found, comparable_body(wanted), secrets.seal), etag)


def find_listed_object_by_key(objects: Sequence[JsonObject], wanted: ParsedRestObjectSpec) -> JsonObject | None:
    """Find the object with the wanted key among the listed ones. Raises PermanentError when that is not clear."""
    keyed = [(one, found[0]) for one in objects if (found := find_json_value_at_path(one, wanted.key))]
    if objects and not keyed:
        raise _unclear(wanted, "no listed object has this field", "correct spec.key")
    mine = [(one, key) for one, key in keyed if _plain(key) == _plain(wanted.name)]
    if len(mine) > 1:
        ids = " and ".join(key_or_id_text(_id_value(one, wanted)) for one, _ in mine[:2])
        raise _unclear(wanted, f"{len(mine)} objects have this key: {ids}", "remove all but one, or choose another key")
    if not mine:
        return None
    ((one, key),) = mine
    if type(key) is not type(wanted.name):
        kinds = {str: "a text", int: "a whole number", float: "a number"}
        there, here = (kinds.get(type(value), "no plain value") for value in (key, wanted.name))
        raise _unclear(wanted, f"its key is {there} there, and {here} here", "write the key as the API does")
    return one


def rest_object_id(live: JsonObject, wanted: ParsedRestObjectSpec) -> str:
    """The id of a live object as text, "" if it shows none."""
    value = _id_value(live, wanted)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _id_value(live: JsonObject, wanted: ParsedRestObjectSpec) -> Json:
    found = find_json_value_at_path(live, wanted.collection.id)
    return found[0] if found else None


def _plain(value: JsonValue) -> str | None:
    """What two keys are compared by: a number and its text are too near to be two objects."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _unclear(wanted: ParsedRestObjectSpec, what: str, remedy: str) -> PermanentError:
    return PermanentError(f"{wanted.shown}: {what}", where=wanted.collection.host, remedy=remedy)
