"""What `git push --porcelain` says: one line per ref, `<flag>\\t<from>:<to>\\t<summary> (<reason>)`, and `Done`.

Pure. The reason comes from a server: it is only compared with known words, never shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_LINE = re.compile(r"(?P<flag>[ +*=!-])\t(?P<source>[^:\t]*):(?P<target>[^\t]+)\t(?P<summary>.*)", re.ASCII)
_REASON = re.compile(r"\(([^()]*)\)\s*$")
# Reasons that mean that the ref is not where we thought, or would have to be forced.
_MOVED = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "already exists",
    "needs force",
    "incorrect old value provided",
    "reference already exists",
)
_BUSY = "failed to update ref"  # its lock was taken, or `a` stands in the way of `a/b`
_KNOWN = {
    "hook declined": "a hook of the server declined it",
    "pre-receive hook declined": "a hook of the server declined it",
    "deny updating a hidden ref": "the server hides this ref and lets nobody change it",
    "unpacker error": "the server could not unpack the objects",
    "funny refname": "the server does not like the name of the ref",
}


class Fate(StrEnum):
    """What became of the ref. `moved` is a refusal because it is not where we thought; `busy` one that may be due to
    another push at this moment; `refused` is any other."""

    UPDATED = "updated"
    SAME = "same"
    FORCED = "forced"
    MOVED = "moved"
    BUSY = "busy"
    REFUSED = "refused"
    SILENT = "silent"  # nothing was said about it


@dataclass(frozen=True, slots=True)
class Pushed:
    """The fate of one ref, why in our own words ("" when it went well), and whether the exchange was completed."""

    fate: Fate
    why: str = ""
    complete: bool = False


def parse(output: bytes, ref: str) -> Pushed:
    """The fate of `ref`; lines that are not of the known form, or about other refs, are passed over."""
    lines = output.decode("utf-8", "replace").splitlines()
    complete = "Done" in lines
    for line in lines:
        match = _LINE.fullmatch(line)
        if match and match["target"] == ref:
            fate, why = _fate(match["flag"], match["summary"])
            return Pushed(fate, why, complete)
    return Pushed(Fate.SILENT, "", complete)


def _fate(flag: str, summary: str) -> tuple[Fate, str]:
    match flag:
        case " " | "*":
            return Fate.UPDATED, ""
        case "=":
            return Fate.SAME, ""
        case "+":
            return Fate.FORCED, "the ref was overwritten"
        case _:
            found = _REASON.search(summary)
            reason = found[1].strip() if found else ""
            if reason in _MOVED:
                return Fate.MOVED, "it is not where it was"
            if reason == _BUSY:
                return (
                    Fate.BUSY,
                    "the server could not update it (a ref with a longer or shorter name may be in the way)",
                )
            return Fate.REFUSED, _KNOWN.get(reason, "the server refused it")
