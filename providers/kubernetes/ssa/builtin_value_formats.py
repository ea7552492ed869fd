"""The forms of texts and numbers in built-in kinds: names, keys, ports, paths, addresses, schedules.

Predicates with the server's words. Source: apimachinery `validation` and the validation of Kubernetes 1.36.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Final

from planner.values import JsonValue
from planner.whole_number import parse_whole_number

_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_FIELDS: Final = ((0, 59, ""), (0, 23, ""), (1, 31, ""), (1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
                  (0, 6, "sun mon tue wed thu fri sat"))  # fmt: skip
_PRESETS: Final = frozenset(("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"))


def is_dns_label(text: str) -> bool:
    """Whether a text is a DNS label of RFC 1123."""
    return len(text) <= 63 and re.fullmatch(_LABEL, text) is not None


def is_dns_subdomain(text: str) -> bool:
    """Whether a text is a DNS subdomain of RFC 1123."""
    return len(text) <= 253 and re.fullmatch(_SUBDOMAIN, text) is not None


def is_service_name(text: str) -> bool:
    """Whether a text can name a Service: a DNS label of RFC 1035, which begins with a letter."""
    return is_dns_label(text) and not text[0].isdigit()


def is_qualified_name(text: str) -> bool:
    """Whether a text can be the key of a label or an annotation: a name, with or without the prefix of a subdomain."""
    prefix, slash, name = text.rpartition("/")
    return len(name) <= 63 and re.fullmatch(_QUALIFIED, name) is not None and (not slash or is_dns_subdomain(prefix))


def is_label_value(text: str) -> bool:
    """Whether a text can be the value of a label."""
    return not text or (len(text) <= 63 and re.fullmatch(_QUALIFIED, text) is not None)


def is_config_key(text: str) -> bool:
    """Whether a text can be a key of a ConfigMap or a Secret."""
    return re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", text) is not None and text not in (".", "..") and text[:2] != ".."


def is_port_name(text: str) -> bool:
    """Whether a text can name a container's port."""
    return (
        len(text) <= 15
        and re.fullmatch(_LABEL, text) is not None
        and "--" not in text
        and any(c.isalpha() for c in text)
    )


def is_ip(text: str) -> bool:
    """Whether a text is an IP address, without a zone; an IPv4 address in IPv6 form is none."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text and getattr(found, "ipv4_mapped", None) is None


def _is_cidr(text: str) -> bool:
    """An address and the length of its prefix, without bits behind it."""
    address, slash, bits = text.partition("/")
    if not slash or not bits.isascii() or not bits.isdigit() or not is_ip(address):
        return False
    try:
        return bool(ipaddress.ip_network(text))
    except ValueError:
        return False


def _is_time_zone(text: str) -> bool:
    """Whether it may be a zone: a later release of the time zone database may add places, but no areas."""
    area, slash, _ = text.partition("/")
    return (area in _AREAS) if slash else (text.lower() != "local" and text in _ZONES)


_AREAS: Final = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Brazil", "Canada", "Chile", "Etc",
     "Europe", "Indian", "Mexico", "Pacific", "US", "posix", "right")
)  # fmt: skip
_ZONES: Final = frozenset(
    ("CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "Factory", "GB", "GB-Eire", "GMT", "GMT+0",
     "GMT-0", "GMT0", "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein",
     "Libya", "MET", "MST", "MST7MDT", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK",
     "Singapore", "Turkey", "UCT", "UTC", "Universal", "W-SU", "WET", "Zulu")
)  # fmt: skip


def is_cron_schedule(text: str) -> bool:
    """Whether a text is a cron schedule of five fields, or a preset."""
    if text.startswith("@every "):
        return re.fullmatch(r"([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+", text[7:].strip()) is not None
    parts = text.split()
    if "TZ" in text or len(parts) != 5:
        return text in _PRESETS
    return all(_is_cron_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True))


def _is_cron_field(text: str, low: int, high: int, names: str) -> bool:
    return all(_is_cron_range(part, low, high, names.split()) for part in text.split(","))


def _is_cron_range(text: str, low: int, high: int, names: list[str]) -> bool:
    span, slash, step = text.partition("/")
    if slash and not parse_whole_number(step):
        return False
    if span in ("*", "?"):
        return True
    begin, dash, end = span.partition("-")
    first, last = _cron_number(begin, low, names), _cron_number(end or begin, low, names)
    if first is None or last is None or bool(dash) is not bool(end):
        return False
    return low <= first <= last <= high


def _cron_number(text: str, low: int, names: list[str]) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text[:9])  # what is longer is out of every range
    return names.index(text.lower()) + low if text.lower() in names else None


def _is_mount(text: str) -> bool:
    return text.startswith("/") and ".." not in text.split("/")


def _is_hook_path(text: str) -> bool:
    """ValidateWebhookService: segments that are subdomains, one slash more at the end."""
    if text in ("", "/"):
        return True
    return text.startswith("/") and all(is_dns_subdomain(part) for part in text[1:].removesuffix("/").split("/"))


def _is_scoped(text: str) -> bool:
    prefix, slash, path = text.partition("/")
    return (
        bool(slash and path)
        and is_dns_subdomain(prefix)
        and re.fullmatch(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", path) is not None
    )


def _is_host(text: str) -> bool:
    return is_dns_subdomain(text.removeprefix("*."))


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_field_path(text: str) -> bool:
    name, bracket, _ = text.partition("[")
    if bracket:
        return name in ("metadata.labels", "metadata.annotations") and text.endswith("']")
    return text in _FIELD_PATHS


_FIELD_PATHS = frozenset(
    ("metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations", "spec.nodeName",
     "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs")
)  # fmt: skip
_LABEL_WORDS = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"
_PART_WORDS = "name part must consist of alphanumeric characters, '-', '_' or '.'"
_SUB_WORDS = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
FORMS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "absolute": (_is_mount, "must be an absolute path"),
    "any": (lambda text: True, ""),
    "base64": (_is_base64, "illegal base64 data"),
    "fieldpath": (_is_field_path, "error converting fieldPath: field label not supported"),
    "nonempty": (bool, "Required value"),
    "cidr": (_is_cidr, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"),
    "configkey": (is_config_key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"),
    "envname": (lambda text: "=" not in text and text.isprintable() and text.isascii(),
                "a valid environment variable name must consist only of printable ASCII characters other than '='"),
    "hookpath": (_is_hook_path, "must start with '/', and its segments must be lowercase RFC 1123 subdomains"),
    "host": (_is_host, _SUB_WORDS),
    "ip": (is_ip, "must be a valid IP address"),
    "timezone": (_is_time_zone, "unknown time zone"),
    "csidriver": (lambda text: len(text) <= 63 and is_dns_subdomain(text.lower()), _SUB_WORDS),
    "label": (is_dns_label, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"),
    "labelvalue": (is_label_value, _LABEL_WORDS),
    "noback": (lambda text: ".." not in text.split("/"), "must not contain '..'"),
    "percent": (lambda text: re.fullmatch("[0-9]+%", text) is not None, "a valid percent string is a number and '%'"),
    "portname": (is_port_name, "must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)"),
    "provisioner": (lambda text: is_qualified_name(text.lower()), _PART_WORDS),
    "qualified": (is_qualified_name, _PART_WORDS),
    "relative": (lambda text: not text.startswith("/") and ".." not in text.split("/"), "must be a relative path"),
    "segment": (lambda text: not {"/", "%"} & set(text) and text not in (".", ".."), "may not contain '/' or '%'"),
    "schedule": (is_cron_schedule, "is no schedule of five fields"),
    "scoped": (_is_scoped, "must be a domain-prefixed path (such as \"acme.io/foo\")"),
    "servicename": (is_service_name, "a DNS-1035 label must consist of lower case alphanumeric characters or '-'"),
    "subdomain": (is_dns_subdomain, _SUB_WORDS),
}  # fmt: skip
BOUNDS: Final[Mapping[str, tuple[float, float, str]]] = {
    "port": (1, 65535, "must be between 1 and 65535, inclusive"),
    "port0": (0, 65535, "must be between 0 and 65535, inclusive"),
    "partition": (0, 255, "must be between 0 and 255, inclusive"),
    "period": (1, 1800, "must be greater than zero and less than or equal to 1800"),
    "window": (0, 3600, "must be between 0 and 3600"),
    "mode": (0, 0o777, "must be a number between 0 and 0777 (octal), both inclusive"),
    "userid": (0, 2**31 - 1, "must be between 0 and 2147483647, inclusive"),
    "natural": (0, 2**63, "must be greater than or equal to 0"),
    "positive": (1, 2**63, "must be greater than 0"),
}


def builtin_value_format_error(form: str, value: JsonValue) -> str:
    """What is wrong with a value of this form (a name of FORMS or BOUNDS, or `A|B|C`); "" when nothing is."""
    if form == "portorname":
        return builtin_value_format_error("portname" if isinstance(value, str) else "port", value)
    if form in BOUNDS:
        low, high, words = BOUNDS[form]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return ""
        return "" if low <= value <= high else words
    if not isinstance(value, str):
        return (
            "must be greater than or equal to 0" if form == "percent" and isinstance(value, int) and value < 0 else ""
        )
    if form in FORMS:
        fits, words = FORMS[form]
        return "" if fits(value) else words
    allowed = form.split("|")
    return "" if value in allowed else f"Unsupported value: supported values: {', '.join(map(repr, allowed))}"
