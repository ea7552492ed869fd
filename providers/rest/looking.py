"""Finding one object in its collection by its key, and what counts of it. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from planner.errors import PermanentError
from planner.values import Json, JsonObject
from providers.rest.api import Api
from providers.rest.fields import comparable, declared, token
from providers.rest.secrets import Secrets
from providers.rest.wanted import Wanted, text_of
from providers.web.documents import value_at


@dataclass(frozen=True, slots=True)
class Sight:
    """A live object: its id ("" if it shows none), itself, its declared fields with secrets sealed, and its strong
    entity tag where its own path was asked."""

    identifier: str
    live: JsonObject = field(repr=False)
    fields: JsonObject = field(repr=False)
    etag: str = ""

    @property
    def token(self) -> str:
        """The version token."""
        return token(self.fields)


def look(objects: Sequence[JsonObject], wanted: Wanted, api: Api, secrets: Secrets) -> Sight | None:
    """The object among the listed ones, None when it is not there; with `details` its own path is asked as well.

    Raises PermanentError when the key names none or several for certain.
    """
    found = find(objects, wanted)
    if found is None:
        return None
    identifier, etag = id_of(found, wanted), ""
    if wanted.details:
        item = api.one(wanted.collection, identifier)
        if item is None:
            raise _unclear(wanted, "listed, but its own path does not answer", "correct spec.item, or no spec.details")
        found, etag = item.value, item.etag
    return Sight(identifier, found, declared(found, comparable(wanted), secrets.seal), etag)


def find(objects: Sequence[JsonObject], wanted: Wanted) -> JsonObject | None:
    """The listed object with the wanted key. Raises PermanentError when that is not clear."""
    keyed = [(one, found[0]) for one in objects if (found := value_at(one, wanted.key))]
    if objects and not keyed:
        raise _unclear(wanted, "no listed object has this field", "correct spec.key")
    mine = [(one, key) for one, key in keyed if _plain(key) == _plain(wanted.name)]
    if len(mine) > 1:
        ids = " and ".join(text_of(_id_value(one, wanted)) for one, _ in mine[:2])
        raise _unclear(wanted, f"{len(mine)} objects have this key: {ids}", "remove all but one, or choose another key")
    if not mine:
        return None
    ((one, key),) = mine
    if type(key) is not type(wanted.name):
        kinds = {str: "a text", int: "a whole number", float: "a number"}
        there, here = (kinds.get(type(value), "no plain value") for value in (key, wanted.name))
        raise _unclear(wanted, f"its key is {there} there, and {here} here", "write the key as the API does")
    return one


def id_of(live: JsonObject, wanted: Wanted) -> str:
    """The id of a live object as text, "" if it shows none."""
    value = _id_value(live, wanted)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _id_value(live: JsonObject, wanted: Wanted) -> Json:
    found = value_at(live, wanted.collection.id)
    return found[0] if found else None


def _plain(value: Json) -> str | None:
    """What two keys are compared by: a number and its text are too near to be two objects."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _unclear(wanted: Wanted, what: str, remedy: str) -> PermanentError:
    return PermanentError(f"{wanted.shown}: {what}", where=wanted.collection.host, remedy=remedy)
