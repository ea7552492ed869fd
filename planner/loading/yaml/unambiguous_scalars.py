"""Plain (unquoted) scalars: what they mean, and which of them mean something else to another YAML reader.

kubectl reads YAML 1.1 (`on`, `014`, `12:30`), most other tools 1.2. A scalar on which the two differ is a problem here,
never a guess. Owns these rules; knows no document.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Plain: TypeAlias = str | int | float | bool | None


class AmbiguousScalar(Exception):
    """An unquoted scalar that must be quoted; the text says why and never repeats the scalar."""


WORDS: Final[dict[str, Plain]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
BOOLEANS: Final = frozenset(
    ["y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"]
)
_NOT_A_NUMBER: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_PREFIXED: Final = re.compile(r"0o[0-7]{1,21}|0x[0-9a-fA-F]{1,15}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]{1,30}|(0|[1-9][0-9]{0,30})(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,3})?")
_STARTS: Final = re.compile(r"[-+.]?[0-9]|[-+]?\.[0-9iInN]")
_UNDERSCORES: Final = "a number to some readers, text to others (underscores)"
_AMBIGUOUS: Final = (
    (re.compile(r"[-+]?0[0-9_]+"), "a leading zero: 8 times smaller or not, depending on the reader"),
    (re.compile(r"[-+]?0b[01_]+"), "a binary number to some readers, text to others"),
    (
        re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"),
        "a number in base 60 to some readers, text to others",
    ),
    (re.compile(r"[-+]?(0x[0-9a-fA-F]*_[0-9a-fA-F_]*|[0-9][0-9.]*_[0-9_.]*([eE][-+]?[0-9]+)?)"), _UNDERSCORES),
    (re.compile(r"[-+]?[0-9.][0-9_.]*[eE][-+]?[0-9]*_[0-9_]*"), _UNDERSCORES),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"), "a date to some readers, text to others"),
    (re.compile(r"[-+]?[0-9]{19,}"), "a number too long for some readers"),
    (re.compile(r"[-+]?0[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?"), "a leading zero"),
    (re.compile(r"[-+]?0[xXbBoO][0-9a-fA-F_]+"), "a number to some readers, text to others"),
)


def resolve_unambiguous_scalar(text: str) -> Plain:
    """The value of an unquoted scalar, as kubectl and YAML 1.2 both read it. Raises AmbiguousScalar where they
    differ."""
    if text in WORDS:
        return WORDS[text]
    if text in BOOLEANS:
        raise AmbiguousScalar("true or false to kubectl, text to others")
    if not _STARTS.match(text):
        return text
    return _number(text)


def _number(text: str) -> Plain:
    if _INT.fullmatch(text):
        return int(text)
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    if _NOT_A_NUMBER.fullmatch(text):
        raise AmbiguousScalar("not a number that JSON can hold")
    if len(text) <= 80:
        for pattern, why in _AMBIGUOUS:
            if pattern.fullmatch(text):
                raise AmbiguousScalar(why)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise AmbiguousScalar("not a number that JSON can hold")
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return text
