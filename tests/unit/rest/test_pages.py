"""Reading a list to its end, without a network: odd links, odd cursors, lists without an end."""

from __future__ import annotations

from typing import Any

import pytest

from planner.errors import PermanentError
from providers.rest.list_pages import list_all_pages
from providers.rest.object_spec import RestCollection, RestPaging

BASE = "https://api.example/v1"
LINKED = RestCollection(BASE, "/g", "/g/{id}", ("id",))
CURSOR = RestCollection(BASE, "/g", "/g/{id}", ("id",), ("items",), pages=RestPaging("cursor", "after", next=("next",)))


def _asked(link: str) -> list[str]:
    """The URLs that are asked when the first page has this `Link` header."""
    urls: list[str] = []

    def ask(url: str) -> tuple[Any, str]:
        urls.append(url)
        return [{"id": len(urls)}], link if len(urls) == 1 else ""

    assert len(list_all_pages(LINKED, ask)) == len(urls)
    return urls


@pytest.mark.parametrize(
    ("link", "following"),
    [
        ('<https://api.example/v1/g?page=2>; rel="next"', f"{BASE}/g?page=2"),
        ("<?page=2>; rel=next", f"{BASE}/g?page=2"),
        ('</v1/g?a=1,2>;  title="x, <y>" ; REL="last NEXT"', f"{BASE}/g?a=1,2"),
        (f'<{BASE}/g?page=1>; rel="prev", <{BASE}/g?page=3>; rel="next"', f"{BASE}/g?page=3"),
        ('<https://api.example/v1/g>; rel="nextish"', ""),
        ('<https://api.example/v1/g>; rel="last"', ""),
        ("", ""),
        ("<>", ""),
        ("; rel=next" * 9000, ""),
        ('<"' * 30_000, ""),
    ],
)
def test_the_next_page_of_a_link(link: str, following: str) -> None:
    assert _asked(link)[1:] == ([following] if following else [])


@pytest.mark.parametrize(
    "target", ["https://evil.example/v1/g", "http://api.example/v1/g", "//evil.example/g", "https://api.example:444/g",
               "https://api.example@evil.example/g", "https://[evil/g"],
)  # fmt: skip
def test_another_host_is_never_the_next_page(target: str) -> None:
    with pytest.raises(PermanentError, match="on another host"):
        _asked(f'<{target}>; rel="next"')


@pytest.mark.parametrize("cursor", [True, 1.5, ["a"], {"a": 1}])
def test_a_cursor_is_a_text_or_a_number(cursor: Any) -> None:
    with pytest.raises(PermanentError, match="named by no text"):
        list_all_pages(CURSOR, lambda _url: ({"items": [{"id": 1}], "next": cursor}, ""))


@pytest.mark.parametrize("end", [None, "", False])
def test_a_cursor_that_says_nothing_is_the_end(end: Any) -> None:
    assert list_all_pages(CURSOR, lambda _url: ({"items": [{"id": 1}], "next": end}, "")) == [{"id": 1}]


def test_a_list_without_an_end_is_an_error() -> None:
    with pytest.raises(PermanentError, match="has no end"):
        list_all_pages(CURSOR, lambda _url: ({"items": [], "next": "again"}, ""))
    with pytest.raises(PermanentError, match="comes again"):
        list_all_pages(CURSOR, lambda _url: ({"items": [{"id": 1}], "next": "again"}, ""))
