"""Reads an HTML report back: its elements, its attributes, and the facts of its entries. With the standard parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "input", "link", "img", "br"}


@dataclass
class Entry:
    """One article: what it says of a resource."""

    action: str
    number: int
    address: str = ""
    why: str = ""
    paths: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """The whole page. `elements` are all tags with their attributes, in order; `texts` belong to ids and classes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.entries: list[Entry] = []
        self.texts: dict[str, str] = {}
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.elements.append((tag, known))
        if tag not in _VOID:
            self._open.append((tag, known))
        if tag == "article":
            self.entries.append(Entry(known["data-action"], int(known["data-number"])))
        found = known.get("class", "")
        if self.entries and found == "name" and tag == "code":
            self.entries[-1].paths.append("")
        if self.entries and found == "value":
            self.entries[-1].values.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1][0] == tag, f"{tag} closes {self._open[-1]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        tag, known = self._open[-1]
        if "id" in known:
            self.texts[known["id"]] = self.texts.get(known["id"], "") + data
        match tag, known.get("class", ""):
            case "script", _:
                self.scripts.append(data)
            case "style", _:
                self.styles.append(data)
            case "span", "address":
                self.entries[-1].address += data
            case "span", "reason":
                self.entries[-1].why += data
            case "code", "name":
                self.entries[-1].paths[-1] += data
            case "span", "value":
                self.entries[-1].values[-1] += data
            case _:
                pass
