"""The `format`s of a CRD's schema that the API server checks in texts. A table of predicates; any other format is free.

Source: apiextensions 1.36 (supported formats) and its format registry. `email` and `uri` are read more generously than
there: a text that only the server refuses gets its answer from the server.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
from collections.abc import Callable, Collection, Iterator
from typing import Final

from planner.values import JsonObject, JsonValue
from planner.whole_number import parse_whole_number
from providers.kubernetes.ssa.re2_pattern_matching import matches_re2

_LETTER = r"[a-zA-Z0-9\pS\pL]"
_HEX = r"[0-9a-fA-F]"


def has_format(name: str, text: str) -> bool:
    """Whether a text has the format; true for a format that nobody checks."""
    rule = _RULES.get(name.replace("-", ""))
    return rule is None or rule(text)


def unrecognized_formats(definition: JsonObject) -> tuple[str, ...]:
    """The formats in the schemas of a CustomResourceDefinition that the server does not know, in order, each once."""
    versions = (definition.get("spec") or {}).get("versions") or ()
    schemas = ((version.get("schema") or {}).get("openAPIV3Schema") for version in versions)
    return tuple(dict.fromkeys(name for schema in schemas for name in _unrecognized(schema)))


def _unrecognized(schema: JsonValue) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    name = str(schema.get("format") or "")
    known = _BY_TYPE.get(str(schema.get("type") or "string"), ())
    if name and name not in known and not (known is _TEXTS and name.replace("-", "") in _TEXTS):
        yield name
    for part in ("not", "items", "additionalProperties"):
        yield from _unrecognized(schema.get(part))
    for part in ("allOf", "anyOf", "oneOf"):
        several = schema.get(part)
        for item in several if isinstance(several, list) else ():
            yield from _unrecognized(item)
    for part in ("properties", "patternProperties"):
        named = schema.get(part)
        for item in named.values() if isinstance(named, dict) else ():
            yield from _unrecognized(item)


def _matching(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _uuid(version: str, variant: str) -> Callable[[str], bool]:
    return _matching(f"{_HEX}{{8}}-?{_HEX}{{4}}-?{version}{_HEX}{{3}}-?{variant}{_HEX}{{3}}-?{_HEX}{{12}}")


def _hostname(text: str) -> bool:
    """One label, or several of which the last has letters only: an IPv4 address is none."""
    one, dotted = f"{_LETTER}-?{_LETTER}{{0,62}}", rf"({_LETTER}([-{_LETTER[1:]}*{_LETTER})?\.)+[a-zA-Z\pL]{{2,63}}"
    parts = [part.encode(errors="replace") for part in text.split(".")]
    short = len(text.encode(errors="replace")) <= 255 and all(len(part) <= 63 for part in parts)
    return short and matches_re2(f"^({one}|{dotted})$", text)


def _ipv4(text: str) -> bool:
    parts = text.split(".")  # leading zeros are tolerated
    return len(parts) == 4 and all((number := parse_whole_number(part)) is not None and number <= 255 for part in parts)


def _ipv6(text: str) -> bool:
    return ":" in text and "%" not in text and _parses(ipaddress.IPv6Address, text)


def _cidr(text: str) -> bool:
    address, slash, length = text.partition("/")
    whole = _ipv4(address) or _ipv6(address)
    digits = length.isascii() and length.isdigit() and len(length) <= 3
    return whole and bool(slash) and digits and int(length) <= (128 if ":" in address else 32)


def _byte(text: str) -> bool:
    return bool(text) and _parses(lambda value: base64.b64decode(value, validate=True), text)


def _date(text: str) -> bool:
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None and _parses(datetime.date.fromisoformat, text)


def _date_time(text: str) -> bool:
    day, letter, time = text.partition("T" if "T" in text else "t")
    found = re.fullmatch(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?([zZ]|[+-][0-9]{2}:[0-9]{2})", time)
    return bool(letter) and _date(day) and found is not None and found[1] <= "23" and max(found[2], found[3]) <= "59"


def _duration(text: str) -> bool:
    go = r"[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)"
    return re.fullmatch(go, text) is not None or re.search(r"[0-9]+\s*(n|u|µ|mi?|s|h|d|w)", text) is not None


def _mac(text: str) -> bool:
    plain = re.fullmatch(rf"{_HEX}{{2}}([:-]){_HEX}{{2}}(\1{_HEX}{{2}})*|{_HEX}{{4}}(\.{_HEX}{{4}})+", text)
    return plain is not None and len(re.sub(r"[:.-]", "", text)) in (12, 16, 40)


def _uri(text: str) -> bool:
    return text.startswith("/") or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text) is not None


def _email(text: str) -> bool:
    return "@" in text[1:-1] or (text.endswith(">") and "@" in text)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except (ValueError, binascii.Error):
        return False
    return True


_RULES: Final[dict[str, Callable[[str], bool]]] = {
    "bsonobjectid": _matching(f"{_HEX}{{24}}"),
    "byte": _byte,
    "cidr": _cidr,
    "date": _date,
    "datetime": _date_time,
    "duration": _duration,
    "email": _email,
    "hexcolor": _matching(f"#?({_HEX}{{3}}|{_HEX}{{6}})"),
    "hostname": _hostname,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "mac": _mac,
    "ssn": _matching(r"[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}"),
    "uri": _uri,
    "uuid": _uuid(_HEX, _HEX),
    "uuid3": _uuid("3", _HEX),
    "uuid4": _uuid("4", "[89abAB]"),
    "uuid5": _uuid("5", "[89abAB]"),
}
_TEXTS: Final = frozenset({*_RULES, "creditcard", "isbn", "isbn10", "isbn13", "k8slongname", "k8sshortname", "password",
                           "rgbcolor"})  # fmt: skip
_BY_TYPE: Final[dict[str, Collection[str]]] = {
    "integer": ("int32", "int64"),
    "number": ("double", "float"),
    "string": _TEXTS,
}
