"""Scalars as the Kubernetes API's readers understand them: kubectl, helm, kustomize, Argo CD and Flux.

They all read YAML by sigs.k8s.io/yaml, which is YAML 1.1 in the reading of go-yaml v2: `yes` and `off` are booleans,
`0400` is octal, `1_000` a number, while times, dates and numbers of base 60 are text. What becomes of a number on its
way through JSON is part of it. The oracle of the tests is that library; knows no document.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import struct
from datetime import datetime
from typing import Final

from planner.loading.yaml.unambiguous_scalars import BOOLEANS, WORDS, Plain

INT64: Final = range(-(1 << 63), 1 << 63)
STANDARD: Final = "tag:yaml.org,2002:"
MERGE_TAG: Final = STANDARD + "merge"
_TRUE: Final = frozenset(["y", "yes", "on"])
_BOOL_1_1: Final[dict[str, Plain]] = {word: word.lower() in _TRUE for word in BOOLEANS}
_NUMBER: Final = re.compile(r"[-+.0-9]")
_INTEGER: Final = re.compile(
    r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII
)  # fmt: skip
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_POINT_FIRST: Final = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
_FRACTION: Final = re.compile(r"(:[0-9]{1,2})\.[0-9]{1,9}")
_STRAY_BYTE: Final = re.compile("[\udc80-\udcff]")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TOO_LONG: Final = 400  # digits; no double is that large, and Python's int() refuses long ones


class UnreadableScalar(Exception):
    """A scalar that the API's readers refuse; the text says why and never repeats the scalar."""


def resolve_api_scalar(text: str) -> Plain:
    """The value of an unquoted scalar. Raises UnreadableScalar for what JSON cannot hold."""
    return json_roundtrip_value(_resolve(text))


def resolve_tagged_scalar(tag: str, text: str) -> Plain:
    """The value of a scalar with a tag of YAML itself, quoted or not. Raises UnreadableScalar when they do not fit."""
    return json_roundtrip_value(_tagged(tag, text))


def key_of_tagged_scalar(tag: str, text: str) -> str:
    """The name that a key with a tag stands for. Raises UnreadableScalar."""
    return key_text(_tagged(tag, text))


def key_of_plain_scalar(text: str) -> str:
    """The name that an unquoted key stands for: `on` is "true". Raises UnreadableScalar for what JSON cannot hold."""
    if _NOT_FINITE.fullmatch(text):
        return text.lower().lstrip("+")
    return key_text(_resolve(text))


def key_text(value: Plain) -> str:
    """A value as the name of a field. Raises UnreadableScalar for a key that JSON cannot hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _shortest(value)
    if value is None or (isinstance(value, int) and value not in INT64):
        raise UnreadableScalar("a key that is not text")
    return str(value)


def key_has_other_typed_spellings(key: str) -> bool:
    """Whether keys of other types can have this name too: `1.0`, `0x1` and "1", or `on` and "true"."""
    return key in ("true", "false") or _NUMBER.match(key) is not None


def json_roundtrip_value(value: Plain) -> Plain:
    """A value after it went through JSON: a whole number of 64 bits is an integer, a longer one a float. Raises
    UnreadableScalar where no float is that large."""
    if isinstance(value, float) and value.is_integer():
        whole = _whole(value)
        return whole if whole in INT64 else value
    return _as_float(value) if isinstance(value, int) and value not in INT64 else value


def _as_float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        raise UnreadableScalar("a number that is too large") from None


_KINDS: Final = {
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def _resolve(text: str) -> Plain:
    """The value before it goes through JSON."""
    if text in WORDS:
        return WORDS[text]
    if text in _BOOL_1_1:
        return _BOOL_1_1[text]
    return _number(text) if _NUMBER.match(text) else text


def _tagged(tag: str, text: str) -> Plain:
    match name := tag.removeprefix(STANDARD):
        case "bool" | "int" | "float" | "null":
            value = _resolve(text)
            too_long = name == "float" and isinstance(value, int) and value not in INT64
            if too_long or not _KINDS[name](value):
                raise UnreadableScalar(f"not a value of the tag !!{name}")
            return float(value) if name == "float" and value is not None else value
        case "timestamp" if not _is_date(text):
            raise UnreadableScalar("not a value of the tag !!timestamp")
        case "binary":
            return _binary(text)
        case _:
            return text


def _number(text: str) -> Plain:
    if _NOT_FINITE.fullmatch(text):
        raise UnreadableScalar("not a number that JSON can hold")
    if text[0] == "." and not _POINT_FIRST.fullmatch(text):
        return text
    digits = text.replace("_", "")
    if (match := _INTEGER.fullmatch(digits)) and (whole := _integer(match)) is not None:
        return whole
    if len(digits) > _TOO_LONG or not _FLOAT.fullmatch(digits):
        return text
    number = float(digits)
    return text if number in (float("inf"), float("-inf")) else number


def _integer(match: re.Match[str]) -> int | None:
    """The integer, None when it does not fit into 64 bits."""
    sign, *forms = match.groups()
    base, digits = next((base, form) for base, form in zip((16, 2, 8, 10), forms, strict=True) if form is not None)
    if len(digits) > _TOO_LONG:
        return None
    number = int(digits, base) * (-1 if sign == "-" else 1)
    return number if number in INT64 or (not sign and 0 <= number < 1 << 64) else None


def _is_date(text: str) -> bool:
    forms = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dt%H:%M:%S%z", "%Y-%m-%d %H:%M:%S")
    for form in forms:
        with contextlib.suppress(ValueError):
            datetime.strptime(_FRACTION.sub(r"\1", text), form)  # noqa: DTZ007 only its form counts
            return True
    return False


def _binary(text: str) -> str:
    """The bytes as text, as JSON holds them: each byte that is not UTF-8 becomes U+FFFD."""
    try:
        data = base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableScalar("not base64, as !!binary promises") from None
    return _STRAY_BYTE.sub("\ufffd", data.decode("utf-8", "surrogateescape"))


def _whole(number: float) -> int:
    """A whole number with the digits that JSON has for it: beyond 2**53 the shortest ones, filled up with zeros."""
    if abs(number) < 1 << 53:
        return int(number)
    digits, _, exponent = repr(number).partition("e")
    before, _, after = digits.partition(".")
    return int(before + after.rstrip("0").ljust(int(exponent), "0")) if exponent else int(before)


def _shortest(number: float) -> str:
    """The shortest decimal that gives the same number of 32 bits, in the form of Go's %g."""
    try:
        single = struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        return ".inf" if number > 0 else "-.inf"
    forms = (f"{single:.{precision}e}" for precision in range(9))
    form = next(form for form in forms if struct.unpack("f", struct.pack("f", float(form)))[0] == single)
    mantissa, _, exponent = form.partition("e")
    power = int(exponent)
    if not -4 <= power < 6:  # where Go changes to the form with an exponent
        return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    decimals = len(mantissa.lstrip("-").replace(".", "")) - 1 - power
    return f"{float(form):.{max(0, decimals)}f}"
