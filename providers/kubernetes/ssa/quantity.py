"""Resource quantities (`1500m`, `2Gi`, `1e3`) in the one spelling that the API server stores.

Source of the rules: apimachinery `resource.Quantity`, "canonical form": no precision is lost, no fraction is written,
the suffix is the largest possible; binary quantities below 1024 or with a fraction are written in decimal.
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal, localcontext

from planner.values import JsonValue

_QUANTITY = re.compile(r"^([+-]?)(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d{1,9}|[KMGTPE]i|[numkMGTPE]?)$", re.ASCII)
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_EXPONENTS = {suffix: exponent for exponent, suffix in _DECIMAL.items()}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_MILLI = Decimal("0.001")
_NANO = Decimal("1e-9")
_LARGEST = Decimal(2**63 - 1)


def quantity_amount(value: JsonValue) -> Decimal | None:
    """The number that a quantity stands for, None for what is none."""
    match = _QUANTITY.match(value if isinstance(value, str) else repr(value)) if value is not None else None
    if match is None or isinstance(value, bool):
        return None
    sign, digits, suffix = match.groups()
    return _magnitude(digits, suffix).copy_sign(-1 if sign == "-" else 1)


def canonical_quantity(value: JsonValue) -> JsonValue:
    """The stored spelling of a quantity given as text or number; anything that is none is given back as it is."""
    text = value if isinstance(value, str) else repr(value)
    match = _QUANTITY.match(text.strip())
    if match is None or isinstance(value, bool):
        return value
    sign, digits, suffix = match.groups()
    with localcontext() as context:
        context.prec = 60
        amount = _magnitude(digits, suffix)
        if sign == "-":
            amount = -amount
        if suffix in _BINARY[1:] and abs(amount) >= 1024 and amount == amount.to_integral_value():
            return _binary(int(amount))
        return _decimal(amount, suffix[:1] in ("e", "E") and suffix not in _EXPONENTS)


def round_quantity_up(value: JsonValue) -> JsonValue:
    """The stored spelling of an amount of a resource: what is finer than a thousandth is rounded up, away from zero
    (SetDefaults_ResourceList of apis/core/v1)."""
    amount = quantity_amount(value)
    if amount is None or not amount % _MILLI:
        return value
    with localcontext() as context:
        context.prec = 60
        return canonical_quantity(f"{amount.quantize(_MILLI, rounding=ROUND_UP):f}")


def _magnitude(digits: str, suffix: str) -> Decimal:
    """The amount without its sign: at least what is finer than a nano rounded up, at most the largest that a quantity
    can be (`ParseQuantity` does both)."""
    exponent = 0 if suffix in _EXPONENTS or suffix in _BINARY else int(suffix[1:])
    number = Decimal(digits)
    if not number:
        return Decimal(0)
    if number.adjusted() + exponent > 40:
        return _LARGEST
    if number.adjusted() + exponent < -40:
        return _NANO
    with localcontext() as context:
        context.prec = len(digits) + 100
        amount = number * _scale(suffix)
        if amount % _NANO:
            amount = amount.quantize(_NANO, rounding=ROUND_UP)
    return min(amount, _LARGEST)


def _scale(suffix: str) -> Decimal:
    if suffix in _BINARY[1:]:
        return Decimal(1024 ** _BINARY.index(suffix))
    return Decimal(10) ** (_EXPONENTS[suffix] if suffix in _EXPONENTS else int(suffix[1:]))


def _binary(amount: int) -> str:
    power = 0
    while amount % 1024 == 0 and power < len(_BINARY) - 1:
        amount, power = amount // 1024, power + 1
    return f"{amount}{_BINARY[power]}"


def _decimal(amount: Decimal, as_exponent: bool) -> str:
    if not amount:
        return "0"
    exponent = 18
    while amount % (Decimal(10) ** exponent):
        exponent -= 3
    number = int(amount / (Decimal(10) ** exponent))
    if as_exponent:
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{_DECIMAL[exponent]}"
