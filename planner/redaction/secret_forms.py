"""The forms in which a secret value may stand in a text: raw, quoted, escaped, encoded, and its telling parts. Pure."""

from __future__ import annotations

import base64
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
_PUNCTUATION = re.compile("[^A-Za-z0-9]")
_SCHEME = re.compile(r"(?:basic|bearer|token|apikey|negotiate)\s+(\S+)", re.IGNORECASE)
_PAIR = re.compile(r"[^\s:/@]{1,128}:([^\s/][^\s]*)")
_PACKED = re.compile(r"[A-Za-z0-9+/_-]{8,8192}={0,2}")
_NAMED = re.compile(
    r"""(?<![\w.-])[\w.-]{0,64}?(?:passw|pwd|secret|token|auth|credential|api[-_]?key)[\w.-]{0,64}["']?\s*[=:]\s*(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"',;}]+))""",
    re.IGNORECASE,
)


class _CharacterEscapes(dict[int, str]):
    """A table for `str.translate` that is filled as characters come: a text is escaped by one call, not by one for each
    character, of which a thousand secrets have some ten million."""

    def __init__(self, escape: str) -> None:
        self._escape = escape

    def __missing__(self, character: int) -> str:
        self[character] = escaped = self._escape.format(character)
        return escaped


_OCTAL = [f"\\{byte:03o}" for byte in range(256)]
_UNICODE = _CharacterEscapes("\\u{:04x}")
_DECIMAL_ENTITY = _CharacterEscapes("&#{};")
_HEXADECIMAL_ENTITY = _CharacterEscapes("&#x{:x};")


def secret_parts_of_value(value: bytes) -> Iterator[bytes]:
    """The value itself, and what in it is a secret on its own: the password of a URL or of `user:password`, a
    credential without its scheme, what is packed in base64, values that are named like secrets, and the words of a
    longer text that mix letters and digits (keys and tokens in a file, the lines of a private key)."""
    yield from _parts(value)
    text = value[:_MOST_SCANNED].decode("utf-8", "replace").strip()
    if (credential := _SCHEME.fullmatch(text)) is not None:
        yield from _parts(credential[1].encode())
        text = credential[1]
    inner = [text, *(next(filter(None, found)) for found in _NAMED.findall(text))]
    for one in inner:
        if one is not text:
            yield one.encode()
        unpacked = _unpacked(one)
        if unpacked:
            yield from _parts(unpacked.encode())
        for pair in (one, unpacked):
            if found := _PAIR.fullmatch(pair):
                yield found[1].encode()


def _unpacked(text: str) -> str:
    """The text that another one holds in base64, "" where it holds none."""
    if not _PACKED.fullmatch(text):
        return ""
    digits = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        found = base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True).decode()
    except ValueError:
        return ""
    return found if found.isprintable() else ""


def _parts(value: bytes) -> Iterator[bytes]:
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


def encoded_forms_of_secret(value: bytes) -> frozenset[str]:
    """Every form that is searched for, each as text."""
    out = set(_encoded(value))
    text = value.decode("utf-8", "replace")
    out.add(text)
    every = "%" + value.hex("%")
    out |= {every, every.upper(), every.replace("%", "=").upper()}
    for escaped in (every.replace("%", "\\x"), "".join(map(_OCTAL.__getitem__, value)), text.translate(_UNICODE)):
        out |= {escaped, escaped.replace("\\", "\\\\")}  # also quoted inside of a quoted text
    if _DIGIT.search(text) and _LETTER.search(text):  # a word in another case is a word that may mean something else
        out |= {text.upper(), text.lower()}
    for wide in ("utf-16-le", "utf-16-be"):  # how Windows and Java hold a text before they encode it
        out |= base64_digits_at_alignments(text.encode(wide, "replace"))
        out.add(text.encode(wide, "replace").hex())
    out |= {text.translate(_DECIMAL_ENTITY), text.translate(_HEXADECIMAL_ENTITY)}
    if not _PLAIN.fullmatch(text):
        out |= set(_escaped(text))
    return frozenset(out)


def _escaped(text: str) -> Iterator[str]:
    import html  # with all names of HTML, and few secrets need escapes

    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield repr(text.encode("utf-8", "replace"))[2:-1]
    yield _shown(text)
    yield html.escape(text)
    yield html.escape(text, quote=False)
    yield shlex.quote(text)[1:-1]
    yield text.replace("'", "''")  # YAML in single quotes
    yield json.dumps(text)[1:-1].replace("/", "\\/")  # as PHP and others write JSON
    yield _PUNCTUATION.sub(lambda found: f"&#{ord(found[0])};", text)
    yield _PUNCTUATION.sub(lambda found: f"&#x{ord(found[0]):x};", text)
    strict = "".join(chr(byte) if chr(byte).isalnum() and byte < 0x80 else f"%{byte:02X}" for byte in text.encode())
    yield from (strict, re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), strict))
    yield "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x3D else f"={byte:02X}" for byte in text.encode())
    for quoted in (quote(text), quote(text, safe=""), quote_plus(text)):
        yield quoted
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    twice = json.dumps(json.dumps(text))[1:-1]  # a document quoted inside of a document
    yield twice.removeprefix('\\"').removesuffix('\\"')


def _shown(text: str) -> str:
    """As a page shows it (planner.text_safe)."""
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
    for once in base64_digits_at_alignments(value):
        yield once
        yield from base64_digits_at_alignments(once.encode())  # masking by a CI system is defeated by encoding twice


def base64_digits_at_alignments(value: bytes) -> set[str]:
    """Base64, plain and for URLs, at each of its three alignments: the digits that do not depend on what stands around
    the value."""
    found: set[str] = set()
    for lead, first in enumerate((0, 2, 3)):
        digits = b2a_base64(bytes(lead) + value, newline=False)
        unsure = (0, 3, 2)[(lead + len(value)) % 3]  # padding, and the digit before it
        found.add(digits[first : len(digits) - unsure].decode())
    return found | {text.replace("+", "-").replace("/", "_") for text in found if "+" in text or "/" in text}
