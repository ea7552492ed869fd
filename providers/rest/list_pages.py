"""Reading a list to its end, page by page. Knows no network: `ask` gives a document and its `Link` header.

A list that is cut short would make objects look absent, and then be created twice: so a page that cannot be understood,
that comes again, or that lies on another host is an error, never the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

from planner.dataclass import dataclass
from planner.errors import PermanentError, TemporaryError
from planner.values import Json, JsonObject, canonical_bytes
from providers.rest.object_spec import RestCollection, RestPaging
from providers.web.json_body import find_json_value_at_path
from providers.web.link_header import next_link

Ask: TypeAlias = Callable[[str], tuple[Json, str]]

_MOST_PAGES = 1_000
_MOST_OBJECTS = 100_000


def list_all_pages(collection: RestCollection, ask: Ask) -> list[JsonObject]:
    """Every object of the collection. Raises PermanentError for a list that cannot be read to its end."""
    found: list[JsonObject] = []
    before: set[bytes] = set()
    url: str | None = _first_url(collection)
    for number in range(_MOST_PAGES):
        if url is None:
            return found
        page = _page(collection, url, ask)
        mark = canonical_bytes([page.items, url if collection.pages is None else ""])
        if page.items and mark in before:
            raise _broken(collection, "the same page comes again", "correct spec.list.pages")
        before.add(mark)
        found += page.items
        if len(found) > _MOST_OBJECTS:
            break
        url = _following(collection, page, len(found), number)
    raise _broken(collection, "the list has no end", "narrow it by spec.list.query")


@dataclass(frozen=True, slots=True)
class _Page:
    url: str
    document: Json
    link: str
    items: list[JsonObject]


def _page(collection: RestCollection, url: str, ask: Ask) -> _Page:
    document, link = ask(url)
    return _Page(url, document, link, _items(collection, document))


def _first_url(collection: RestCollection) -> str:
    pages = collection.pages
    if pages is None or pages.by == "cursor":
        return collection.list_url()
    return collection.list_url(**{pages.parameter: str(pages.first if pages.by == "page" else 0)})


def _items(collection: RestCollection, document: Json) -> list[JsonObject]:
    found = find_json_value_at_path(document, collection.items)
    if len(found) != 1 or not isinstance(found[0], list):
        where = f"no list at {'.'.join(map(str, collection.items))}" if collection.items else "no list"
        raise _broken(collection, f"the answer is {where}", "correct spec.list.items")
    if not all(isinstance(item, dict) for item in found[0]):
        raise _broken(collection, "the list holds something that is no object", "correct spec.list.items")
    return found[0]


def _following(collection: RestCollection, page: _Page, sofar: int, number: int) -> str | None:
    """The URL after the page of that number (0 for the first), None at the end; `sofar` objects have been read."""
    pages = collection.pages
    if pages is None:
        return _linked(collection, page)
    if pages.by == "cursor":
        return _by_cursor(collection, pages, page)
    if _is_whole(collection, pages, page.document, sofar):
        return None
    if not page.items and pages.total:
        raise TemporaryError(f"{collection.path}: the list is shorter than it says", where=collection.host)
    if not page.items:
        return None
    return collection.list_url(**{pages.parameter: str(pages.first + number + 1 if pages.by == "page" else sofar)})


def _by_cursor(collection: RestCollection, pages: RestPaging, page: _Page) -> str | None:
    cursor = find_json_value_at_path(page.document, pages.next)
    if not cursor or cursor[0] in (None, "", False):
        return None
    if isinstance(cursor[0], bool) or not isinstance(cursor[0], str | int):
        raise _broken(collection, "the next page is named by no text", "correct spec.list.pages.next")
    return collection.list_url(**{pages.parameter: str(cursor[0])})


def _is_whole(collection: RestCollection, pages: RestPaging, document: Json, sofar: int) -> bool:
    if not pages.total:
        return False
    total = find_json_value_at_path(document, pages.total)
    if len(total) != 1 or isinstance(total[0], bool) or not isinstance(total[0], int):
        raise _broken(collection, "the number of all objects is no number", "correct spec.list.pages.total")
    return sofar >= total[0]


def _linked(collection: RestCollection, page: _Page) -> str | None:
    """The next page that the `Link` header names (RFC 8288). Only on the very host that was asked."""
    target = next_link(page.link)
    if target is None:
        return None
    try:
        following = urljoin(page.url, target)
        same = urlsplit(following)[:2] == urlsplit(collection.base)[:2]
    except ValueError:
        same = False
    if not same:
        raise _broken(collection, "the next page is on another host", "it is never asked: write that host as baseUrl")
    return following


def _broken(collection: RestCollection, message: str, remedy: str) -> PermanentError:
    return PermanentError(f"{collection.path}: {message}", where=collection.host, remedy=remedy)
