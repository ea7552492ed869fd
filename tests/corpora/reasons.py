"""Exceptions that are known, each with its reason: none is left out without one."""

from __future__ import annotations

import re
from pathlib import Path

# (part of the path, pattern of the exception, reason)
_CREATOR = "a fault: defaults of the server, which belong to the tool that created the object, count as added by it"
REASONS: tuple[tuple[str, str, str], ...] = (("", r"^drift after kubectl create: exit 2", _CREATOR),)


def reason_of(file: Path, exception: str) -> str:
    """Why an exception is expected; "" when it is not."""
    found = (reason for part, pattern, reason in REASONS if part in str(file) and re.search(pattern, exception))
    return next(found, "")
