"""What this machine refused, in the words that a reader looks for: one text for each error of a disk. Pure."""

from __future__ import annotations

import errno

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WORDS = {**dict.fromkeys(_FULL, "the disk is full"), errno.EIO: "the disk reported an error"}
MAKE_ROOM = "free some space, or name another place (--state, --out, TMPDIR)"


def disk_error_text(error: OSError, otherwise: str = "cannot be read") -> str:
    """Why, in lower case: `the disk is full`, `permission denied`; `otherwise` where the error does not say."""
    if (error.strerror or "").startswith("No usable temporary directory"):  # Python tried to write to each of them
        return "no temporary file can be written: the disk is full, or TMPDIR names no folder of yours"
    return _WORDS.get(error.errno or 0) or (error.strerror or otherwise).lower()


def is_disk_full(error: OSError) -> bool:
    """Whether there is no room: on the disk, in a quota, or for a file of that size."""
    return error.errno in _FULL
