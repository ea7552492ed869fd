"""Patterns that come from outside, as the API server reads them: RE2, in time linear in the text.

The schema of a custom kind belongs to whoever wrote it. Python's `re` lacks POSIX classes and can take exponential
time; both are wrong here. re2 is imported on first use.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any


def matches_re2(pattern: str, text: str) -> bool:
    """Whether an RE2 pattern is found in a text. A pattern that RE2 cannot read matches: the server refuses its CRD."""
    found = _compiled(pattern)
    return found is None or found.search(text.encode(errors="replace")) is not None


def is_valid_re2_pattern(pattern: str) -> bool:
    """Whether a pattern is valid RE2. One that only lacks room here is taken to be readable."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 28
    try:
        re2.compile(pattern.encode(), options)
    except re2.error as error:
        return "too large" in str(error)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Any:  # re2 has no types
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern.encode(), options)
    except (re2.error, UnicodeEncodeError):
        return None
