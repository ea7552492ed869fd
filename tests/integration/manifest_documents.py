"""Documents as people and programs write them, good and bad, made from a seed: what the reader is compared on.

Every form of a YAML 1.1 scalar, every style, anchors, merge keys, tags, odd keys, JSON and its streams, separators,
encodings; and texts that were damaged in one place. Knows no expected value: that is the oracle's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.integration.manifest_words import KEYS, RARE, TAGGED, TAGS, WORDS


class Documents:
    """An endless row of inputs. The same seed gives the same row."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.anchors: list[str] = []

    def next(self) -> bytes:
        """One input: a stream of documents in some encoding."""
        text = self._weighted((10, self._stream), (2, self._json_stream), (2, self._damaged))
        if self.random.random() < 0.05:
            text = text.replace("\n", "\r\n")
        if self.random.random() < 0.2:
            text = text.rstrip("\n")
        return self._encoded(text)

    def _encoded(self, text: str) -> bytes:
        kind = self.random.random()
        if kind < 0.03:
            return b"\xef\xbb\xbf" + text.encode()
        return text.encode("utf-16") if kind < 0.04 else text.encode()

    def _weighted(self, *choices: tuple[int, Callable[[], str]]) -> str:
        return self.random.choices([make for _, make in choices], [weight for weight, _ in choices])[0]()

    def _stream(self) -> str:
        marker = self.random.choice(["---\n", "---\n", "--- # next\n", "---  \n", "\n---\n---\n", "# c\n---\n"])
        parts = [self._document() for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        start = self.random.choice(["", "", "---\n", "# comment\n", "\n\n"])
        return start + marker.join(parts) + self.random.choice(["", "", "\n", "# end\n", "---\n"])

    def _document(self) -> str:
        self.anchors = []
        if self.random.random() < 0.05:
            return self.random.choice(
                ["", "# only a comment\n", "null\n", "~\n", "\n\n", "  \n", "[]\n", "{}\n", "x\n"]
            )
        return self._mapping(0)

    def _damaged(self) -> str:
        text = self._stream()
        place = self.random.randrange(len(text) + 1)
        inserted = self.random.choice(
            ["", "", "\t", " ", ":", ": ", "{", "}", "[", "]", "'", '"', "#", "&a ", "*a", "%", "|", "-"]
        )
        return text[:place] + inserted + text[place + self.random.choice([0, 1]) :]

    # --- block style ------------------------------------------------------------------------------------------------

    def _mapping(self, indent: int) -> str:
        keys = self.random.sample(KEYS, self.random.randint(1, 5))
        lines = [self._entry(self._key(key), indent) for key in keys]
        if self.random.random() < 0.12:
            lines.insert(self.random.randrange(len(lines) + 1), self._merge(indent))
        return "".join(lines)

    def _entry(self, key: str, indent: int) -> str:
        pad = " " * indent
        anchor = self._anchor()
        match self.random.choices(
            ["scalar", "mapping", "list", "block", "flow"], [10, 3 if indent < 8 else 0, 2, 1, 2]
        )[0]:
            case "mapping":
                end = self.random.choice(["", "", "\t", "  ", " # c"])
                return f"{pad}{key}:{anchor}{end}\n" + self._known(anchor, self._mapping(indent + 2))
            case "list":
                inner = indent + self.random.choice([0, 2])
                items = "".join(self._item(inner) for _ in range(self.random.randint(1, 3)))
                return f"{pad}{key}:{anchor}\n" + self._known(anchor, items)
            case "block":
                return f"{pad}{key}:{anchor} " + self._known(anchor, self._block(indent + 2))
            case "flow":
                return f"{pad}{key}:{anchor} " + self._known(anchor, self._flow(2)) + self._tail()
        return f"{pad}{key}:{anchor} {self._known(anchor, self._scalar())}{self._tail()}"

    def _item(self, indent: int) -> str:
        pad = " " * indent + "- "
        if indent < 8 and self.random.random() < 0.4:
            return pad + self._mapping(indent + 2).lstrip(" ")
        return pad + self._scalar() + self._tail()

    def _tail(self) -> str:
        return self.random.choice(["\n", "\n", "\n", " # c\n", "  \n", " \t\n", "\n\n", "#x\n"])

    def _block(self, indent: int) -> str:
        pad = " " * indent
        lines = self.random.choices(
            ["text", "", "  more", "# no comment", "a: b", "-- x", "\tt", "é🚀", "tail  "], k=self.random.randint(1, 5)
        )
        head = self.random.choice("|>") + self.random.choice(["", "-", "+"]) + self.random.choice(["", "", "", " # c"])
        return head + "\n" + "".join((pad + line if line else "") + "\n" for line in ["first", *lines])

    def _merge(self, indent: int) -> str:
        known = [f"*{name}" for name in self.anchors] or ["{m: 1}"]
        one = self.random.choice([*known, "{a: merged, z: 1}", "{}", "~", "x", "[]"])
        some = ", ".join(self.random.choice([*known, "{b: 1}"]) for _ in range(self.random.randint(1, 3)))
        value = self.random.choice([one, one, f"[{some}]"])
        return (
            " " * indent
            + self.random.choice(["<<: ", "!!merge <<: ", '"<<": ', "? <<\n" + " " * indent + ": "])
            + value
            + "\n"
        )

    def _anchor(self) -> str:
        return f" &{self.random.choice('pqr')}" if self.random.random() < 0.08 else ""

    def _known(self, anchor: str, text: str) -> str:
        """The text of what carries an anchor; afterwards the anchor is known."""
        if anchor:
            self.anchors.append(anchor[2:])
        return text

    # --- flow style and scalars --------------------------------------------------------------------------------------

    def _key(self, key: str) -> str:
        kind = self.random.random()
        if kind > 0.995:
            return self.random.choice(["null", "~", "<<", ".nan", "[a]", "{a: b}"])
        if kind < 0.1:
            return json.dumps(key)
        if kind < 0.13:
            return f"'{key}'"
        return f"{self.random.choice(TAGS)} {key}" if kind < 0.15 else key

    def _flow(self, depth: int) -> str:
        if depth and self.random.random() < 0.5:
            items = [self._flow(depth - 1) for _ in range(self.random.randint(0, 3))]
            if self.random.random() < 0.5:
                return "[" + self._comma().join(items) + "]"
            keys = self.random.sample(KEYS, len(items))
            return (
                "{"
                + self._comma().join(f"{self._key(key)}: {item}" for key, item in zip(keys, items, strict=True))
                + "}"
            )
        return self._scalar()

    def _comma(self) -> str:
        return self.random.choice([", ", ", ", ",", " , ", ",\n          "])

    def _scalar(self) -> str:
        kind = self.random.random()
        word = self.random.choice(WORDS) if self.random.random() < 0.8 else self._number()
        if self.random.random() < 0.01:
            word = self.random.choice(RARE)
        if kind < 0.08 and self.anchors:
            return "*" + self.random.choice(self.anchors)
        if kind < 0.16:
            return json.dumps(word, ensure_ascii="\U0001f680" not in word)
        if kind < 0.22:
            return "'" + word.replace("'", "''") + "'"
        if kind < 0.28:
            return self.random.choice(TAGGED)
        if kind < 0.30:
            return self.random.choice(
                ["!!binary aGVsbG8=", "!!binary /w==", "!!binary '4oI='", "!!binary aGVs\n      bG8="]
            )
        if kind < 0.33:
            return self.random.choice(
                [
                    '"a\\x41\\u00e9\\U0001F680"',
                    '"a\\\n      b"',
                    "'a\n\n      b'",
                    '"\\e\\_\\N"',
                ]
            )
        return word + (" " + self.random.choice(WORDS) if kind > 0.9 else "")

    def _number(self) -> str:
        return "".join(self.random.choices("0123456789_.xobeE+-:", k=self.random.randint(1, 7)))

    # --- JSON --------------------------------------------------------------------------------------------------------

    def _json_stream(self) -> str:
        ascii_only = self.random.random() < 0.5
        indent = self.random.choice([None, None, 1, "\t"])
        parts = [
            json.dumps(self._tree(3), ensure_ascii=ascii_only, indent=indent)
            for _ in range(self.random.choice([1, 1, 2, 3]))
        ]
        text = self.random.choice(["\n", "", " "]).join(parts) + "\n"
        if self.random.random() < 0.2:
            text = text.replace(
                "1.5", self.random.choice(["1e2", "1.0", "1e400", "12345678901234567890", "-0", "01", "NaN"])
            )
        if self.random.random() < 0.1:
            text = text.replace("é", self.random.choice(["\\ud83d", "\\u0041", "\\ude80x"]))
        return self.random.choice(["", "", "\n", "  "]) + text

    def _tree(self, depth: int) -> Any:
        keys = self.random.sample(KEYS, self.random.randint(1, 4))
        leaves: list[Any] = [
            None,
            True,
            1,
            1.5,
            -5,
            2**63 - 1,
            2**53 + 1,
            "é",
            "🚀",
            'x\n\t"\\',
            "",
            [],
            {},
            [1, None, "a"],
        ]
        return {
            key: self._tree(depth - 1) if depth and self.random.random() < 0.3 else self.random.choice(leaves)
            for key in keys
        }
