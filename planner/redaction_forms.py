"""The forms in which a secret value may stand in a text: raw, quoted, escaped, encoded, and its telling parts. Pure."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from binascii import b2a_base64
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, urlsplit

_LONG_WORD = re.compile(r"[^\s\"'=:,;@/]{16,}")
_DIGIT, _LETTER = re.compile("[0-9]"), re.compile("[A-Za-z]")
_USER_INFO = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,30}://[^\s/@]*@")
_MOST_SCANNED = 1 << 16  # bytes of a value in which parts are looked for
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")


def parts(value: bytes) -> Iterator[bytes]:
    """The value itself, and what in it is a secret on its own: the password of a URL, the words of a longer text that
    mix letters and digits (keys and tokens in a file, the lines of a private key)."""
    yield value
    text = value[:_MOST_SCANNED].decode("utf-8", "replace")
    if (stripped := text.strip()) != text:
        yield stripped.encode()
    if _USER_INFO.match(text):
        yield from _password(text)
    words = [word for word in _LONG_WORD.findall(text) if _DIGIT.search(word) and _LETTER.search(word)]
    if words != [stripped]:
        yield from (word.encode() for word in dict.fromkeys(words))


def _password(text: str) -> Iterator[bytes]:
    try:
        password = urlsplit(text).password
    except ValueError:
        return
    if password:
        yield password.encode()


def forms(value: bytes) -> frozenset[str]:
    """Every form that is searched for, each as text."""
    out = set(_encoded(value))
    text = value.decode("utf-8", "replace")
    out.add(text)
    every = "%" + value.hex("%")
    out |= {every, every.upper(), every.replace("%", "=").upper()}
    octal = "".join(f"\\{byte:03o}" for byte in value)
    for escaped in (every.replace("%", "\\x"), octal, "".join(f"\\u{ord(char):04x}" for char in text)):
        out |= {escaped, escaped.replace("\\", "\\\\")}  # also quoted inside of a quoted text
    out.add("".join(f"&#{ord(char)};" for char in text))
    out.add("".join(f"&#x{ord(char):x};" for char in text))
    if not _PLAIN.fullmatch(text):
        out |= set(_escaped(text))
    return frozenset(out)


def _escaped(text: str) -> Iterator[str]:
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield repr(text.encode("utf-8", "replace"))[2:-1]
    yield _shown(text)
    yield html.escape(text)
    yield html.escape(text, quote=False)
    yield shlex.quote(text)[1:-1]
    yield text.replace("'", "''")  # YAML in single quotes
    for quoted in (quote(text), quote(text, safe=""), quote_plus(text)):
        yield quoted
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    twice = json.dumps(json.dumps(text))[1:-1]  # a document quoted inside of a document
    yield twice.removeprefix('\\"').removesuffix('\\"')


def _shown(text: str) -> str:
    """As a page shows it (planner.render.text_safe)."""
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(
        named.get(char) or (f"\\x{ord(char):02x}" if ord(char) < 0x20 or ord(char) == 0x7F else char) for char in text
    )


def _encoded(value: bytes) -> Iterator[str]:
    yield value.hex()
    yield value.hex().upper()
    yield value.hex(" ")
    yield value.hex(":")
    yield base64.b32encode(value).decode().rstrip("=")
    for once in _base64(value):
        yield once
        yield from _base64(once.encode())  # masking by a CI system is defeated by encoding twice


def _base64(value: bytes) -> set[str]:
    """Base64, plain and for URLs, at each of its three alignments: the digits that do not depend on what stands around
    the value."""
    found: set[str] = set()
    for lead, first in enumerate((0, 2, 3)):
        digits = b2a_base64(bytes(lead) + value, newline=False)
        unsure = (0, 3, 2)[(lead + len(value)) % 3]  # padding, and the digit before it
        found.add(digits[first : len(digits) - unsure].decode())
    return found | {text.replace("+", "-").replace("/", "_") for text in found if "+" in text or "/" in text}
