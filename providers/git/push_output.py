"""What `git push --porcelain` says: one line per ref, `<flag>\\t<from>:<to>\\t<summary> (<reason>)`, and `Done`.

Pure. The reason comes from a server: it is only compared with known words, never shown. What a hook of the server
printed (the lines behind `remote:`) is shown with a refusal, a few lines of it, without control characters.
"""

from __future__ import annotations

import re
from enum import StrEnum

from planner.dataclass import dataclass

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
_MOST_LINES = 6  # of a hook's words
_MOST_CHARACTERS = 400
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]")
# What may be a credential: the word behind its name, a login in a URL, a long word of letters and digits.
_CREDENTIAL = re.compile(
    r"(?P<name>(?i:token|password|passwd|secret|key|bearer|basic|authorization)\W{1,3})(?=\S*[\d_+/=-])\S{4,}"
    r"|(?<=://)[^/@\s]+(?=@)|\b(?=\w*\d)(?=\w*[A-Za-z])\w{24,}\b(?<!\b[0-9a-f]{40})"
)
_BUSY = "failed to update ref"  # its lock was taken, or `a` stands in the way of `a/b`
_KNOWN = {
    "hook declined": "a hook of the server declined it",
    "pre-receive hook declined": "a hook of the server declined it",
    "deny updating a hidden ref": "the server hides this ref and lets nobody change it",
    "unpacker error": "the server could not unpack the objects",
    "funny refname": "the server does not like the name of the ref",
}


class PushStatus(StrEnum):
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
class PushResult:
    """The result of pushing one ref: its status, why in our own words ("" when it went well), and whether the exchange
    was completed."""

    fate: PushStatus
    why: str = ""
    complete: bool = False


def parse_push_output(output: bytes, ref: str) -> PushResult:
    """Parse what became of `ref` from the output of `git push --porcelain`; lines that are not of the known form, or
    about other refs, are passed over."""
    lines = output.decode("utf-8", "replace").splitlines()
    complete = "Done" in lines
    for line in lines:
        match = _LINE.fullmatch(line)
        if match and match["target"] == ref:
            fate, why = _fate(match["flag"], match["summary"])
            return PushResult(fate, why, complete)
    return PushResult(PushStatus.SILENT, "", complete)


def remote_hook_output(err: bytes) -> str:
    """What the server had git print behind `remote:`, on one line; rulers and empty lines left out."""
    lines = err.decode("utf-8", "replace").splitlines()
    said = (_CONTROL.sub("", line.removeprefix("remote:")).strip() for line in lines if line.startswith("remote:"))
    words = [line for line in said if any(char.isalnum() for char in line)]
    text = " | ".join(words[:_MOST_LINES]) + (" | …" if len(words) > _MOST_LINES else "")
    text = _CREDENTIAL.sub(lambda found: f"{found['name'] or ''}(masked)", text)
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"


def _fate(flag: str, summary: str) -> tuple[PushStatus, str]:
    match flag:
        case " " | "*":
            return PushStatus.UPDATED, ""
        case "=":
            return PushStatus.SAME, ""
        case "+":
            return PushStatus.FORCED, "the ref was overwritten"
        case _:
            found = _REASON.search(summary)
            reason = found[1].strip() if found else ""
            if reason in _MOVED:
                return PushStatus.MOVED, "it is not where it was"
            if reason == _BUSY:
                return (
                    PushStatus.BUSY,
                    "the server could not update it (a ref with a longer or shorter name may be in the way)",
                )
            return PushStatus.REFUSED, _KNOWN.get(reason, "the server refused it")
