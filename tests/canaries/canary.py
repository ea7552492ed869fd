"""Canaries: values that are easy to find again in whatever form they come out, and the search for them.

Head and tail of every canary are the same, so that each encoding of *any* canary holds one of a few constant texts: one
pass finds all of them, whatever their number. Written without the redactor's own tables, which it is here to judge.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

HEAD, TAIL = "HWCq7Xz0pL2mN5", "k9Vt4RbW8eJ3CWH"


def canary(seed: str) -> str:
    """The canary of a seed: letters and digits."""
    middle = base64.b32encode(hashlib.sha256(seed.encode()).digest()).decode()[:24]
    return HEAD + middle + TAIL


def encodings(value: bytes) -> dict[str, str]:
    """The value in each form that software is known to put secrets into, by the name of the form."""
    text = value.decode()
    once = base64.b64encode(value)
    return {
        "raw": text,
        "base64": once.decode(),
        "base64url": base64.urlsafe_b64encode(value).decode(),
        "base64 after 1": base64.b64encode(b":" + value).decode(),
        "base64 after 2": base64.b64encode(b"u:" + value).decode(),
        "double base64": base64.b64encode(once).decode(),
        "double base64 after 1": base64.b64encode(b"\n" + once).decode(),
        "double base64 after 2": base64.b64encode(base64.b64encode(b"u:" + value)).decode(),
        "base32": base64.b32encode(value).decode(),
        "hex": value.hex(),
        "HEX": value.hex().upper(),
        "hex:": value.hex(":"),
        "hex ": value.hex(" "),
        "percent": "".join(f"%{byte:02X}" for byte in value),
        "percent, lower": "".join(f"%{byte:02x}" for byte in value),
        "json": "".join(f"\\u{byte:04x}" for byte in value),
        "backslash x": "".join(f"\\x{byte:02x}" for byte in value),
        "html": "".join(f"&#{byte};" for byte in value),
        "html, hex": "".join(f"&#x{byte:x};" for byte in value),
        "octal": "".join(f"\\{byte:03o}" for byte in value),
        "quoted-printable": "".join(f"={byte:02X}" for byte in value),
        "bytes": " ".join(str(byte) for byte in value),
        "reversed": text[::-1],
        "lower case": text.lower(),
        "upper case": text.upper(),
        "utf-16 base64": base64.b64encode(text.encode("utf-16-le")).decode(),
        "utf-16 hex": text.encode("utf-16-be").hex(),
        "utf-16": codecs.encode(text, "utf-16-le").decode("latin-1"),
    }


def _constants() -> dict[str, bytes]:
    """What each form of any canary holds: the forms of head and tail, less the digits that depend on neighbours."""
    found: dict[str, bytes] = {}
    for part in (HEAD, TAIL):
        for name, form in encodings(part.encode()).items():
            sure = {"base32": len(part) * 8 // 5, "utf-16 base64": len(part) * 16 // 6}.get(name, len(form))
            found[f"{name} of {part}"] = form[:sure].rstrip("=").encode("latin-1")
        for lead in range(3):
            inner = base64.b64encode(b"~" * lead + part.encode() + b"~~~").decode()[4:-8]
            found[f"base64 {lead} of {part}"] = inner.encode()
            for outer in range(3):
                twice = base64.b64encode(b"~" * outer + inner.encode() + b"~~~").decode()[4:-8]
                found[f"base64 {lead} of base64 {outer} of {part}"] = twice.encode()
    return {name: text for name, text in found.items() if "base" not in name or len(text) >= 8}


CONSTANTS = _constants()


def leaks(data: bytes) -> list[str]:
    """The forms in which canaries stand in `data`."""
    return sorted(name for name, text in CONSTANTS.items() if text in data)


def leaks_below(folder: Path, without: Iterable[Path] = ()) -> Iterator[tuple[str, list[str]]]:
    """Every file below a folder that holds a canary, or is named after one; `without` are the sources themselves."""
    apart = tuple(without)
    for path in folder.rglob("*"):
        if any(path.is_relative_to(one) for one in apart) or not path.is_file() or path.is_symlink():
            continue
        if found := leaks(path.read_bytes()) + leaks(path.name.encode()):
            yield str(path.relative_to(folder)), found
