"""Reading a list to its end, page by page. Knows no network: `ask` gives a document and its `Link` header.

A list that is cut short would make objects look absent, and then be created twice: so a page that cannot be understood,
that comes again, or that lies on another host is an error, never the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

from planner.errors import PermanentError, TemporaryError
from planner.values import Json, JsonObject, canonical
from providers.rest.wanted import Collection, Pages
from providers.web.documents import value_at

Ask: TypeAlias = Callable[[str], tuple[Json, str]]

_MOST_PAGES = 1_000
_MOST_OBJECTS = 100_000
_PART = re.compile(r",\s*(?=<)")


def listed(collection: Collection, ask: Ask) -> list[JsonObject]:
    """Every object of the collection. Raises PermanentError for a list that cannot be read to its end."""
    found: list[JsonObject] = []
    before: set[bytes] = set()
    url = _first_url(collection)
    for number in range(_MOST_PAGES):
        document, link = ask(url)
        items = _items(collection, document)
        mark = canonical([items, url if collection.pages is None else ""])
        if items and mark in before:
            raise _broken(collection, "the same page comes again", "correct spec.list.pages")
        before.add(mark)
        found += items
        if len(found) > _MOST_OBJECTS:
            break
        following = _following(collection, document, link, url, len(items), len(found), number)
        if following is None:
            return found
        url = following
    raise _broken(collection, "the list has no end", "narrow it by spec.list.query")


def _first_url(collection: Collection) -> str:
    pages = collection.pages
    if pages is None or pages.by == "cursor":
        return collection.list_url()
    return collection.list_url(**{pages.parameter: str(pages.first if pages.by == "page" else 0)})


def _items(collection: Collection, document: Json) -> list[JsonObject]:
    found = value_at(document, collection.items)
    if len(found) != 1 or not isinstance(found[0], list):
        where = f"no list at {'.'.join(map(str, collection.items))}" if collection.items else "no list"
        raise _broken(collection, f"the answer is {where}", "correct spec.list.items")
    if not all(isinstance(item, dict) for item in found[0]):
        raise _broken(collection, "the list holds something that is no object", "correct spec.list.items")
    return found[0]


def _following(
    collection: Collection, document: Json, link: str, url: str, here: int, sofar: int, number: int
) -> str | None:
    """The URL of the next page; None at the end."""
    pages = collection.pages
    if pages is None:
        return _linked(collection, link, url)
    if pages.by == "cursor":
        cursor = value_at(document, pages.next)
        if not cursor or cursor[0] in (None, "", False):
            return None
        if isinstance(cursor[0], bool) or not isinstance(cursor[0], str | int):
            raise _broken(collection, "the next page is named by no text", "correct spec.list.pages.next")
        return collection.list_url(**{pages.parameter: str(cursor[0])})
    if _is_whole(collection, pages, document, sofar):
        return None
    if not here and pages.total:
        raise TemporaryError(f"{collection.path}: the list is shorter than it says", where=collection.host)
    if not here:
        return None
    return collection.list_url(**{pages.parameter: str(pages.first + number + 1 if pages.by == "page" else sofar)})


def _is_whole(collection: Collection, pages: Pages, document: Json, sofar: int) -> bool:
    if not pages.total:
        return False
    total = value_at(document, pages.total)
    if len(total) != 1 or isinstance(total[0], bool) or not isinstance(total[0], int):
        raise _broken(collection, "the number of all objects is no number", "correct spec.list.pages.total")
    return sofar >= total[0]


def _linked(collection: Collection, link: str, url: str) -> str | None:
    """The next page that the `Link` header names (RFC 8288). Only on the very host that was asked."""
    target = _next_of(link)
    if target is None:
        return None
    try:
        following = urljoin(url, target)
        same = urlsplit(following)[:2] == urlsplit(collection.base)[:2]
    except ValueError:
        same = False
    if not same:
        raise _broken(collection, "the next page is on another host", "it is never asked: write that host as baseUrl")
    return following


def _next_of(link: str) -> str | None:
    for part in _PART.split(link.strip()):
        target, _, parameters = part.removeprefix("<").partition(">")
        for parameter in parameters.split(";"):
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "rel" and "next" in value.strip().strip('"').lower().split():
                return target
    return None


def _broken(collection: Collection, message: str, remedy: str) -> PermanentError:
    return PermanentError(f"{collection.path}: {message}", where=collection.host, remedy=remedy)
