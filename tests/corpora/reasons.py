"""Exceptions that are known, each with its reason: none is left out without one."""

from __future__ import annotations

import re
from pathlib import Path

# (part of the path, pattern of the exception, reason)
_CREATOR = "a fault: defaults of the server, which belong to the tool that created the object, count as added by it"
_NO_BALANCER = "the testbed gives no addresses to Services of type LoadBalancer: they stay pending, which is said"
REASONS: tuple[tuple[str, str, str], ...] = (
    ("", r"^drift after kubectl create: exit 2", _CREATOR),
    ("", r"^(apply|adopt after [a-z -]+): exit 4: .*no address from the load balancer yet", _NO_BALANCER),
)


def reason_of(file: Path, exception: str) -> str:
    """Why an exception is expected; "" when it is not."""
    found = (reason for part, pattern, reason in REASONS if part in str(file) and re.search(pattern, exception))
    return next(found, "")
