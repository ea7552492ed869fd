"""A closeout record as one line, as a table, and as a comment of a pull request (rule C10)."""

from __future__ import annotations

import re

from planner.render.terminal_style import cut_text
from planner.text_safe import markdown_safe, safe_text
from planner.values import JsonObject, JsonValue

_SHORT = 12


def closeout_line(record: JsonObject) -> str:
    """One line for a brief: lane, commit, verdict, run, revision of Argo CD, whether the tip contains the commit."""
    verdict, run = record["verdict"], record["run"] or {}
    words = [
        str(record["key"]["lane"]),
        str(record["key"]["commit"])[:_SHORT],
        verdict["targetValidation"]["state"],
        f"run {run.get('name') or 'none'} {run.get('state') or ''}".rstrip(),
        *(f"Argo CD {str((one or {}).get('revision') or 'nowhere')[:_SHORT]}" for one in record["argo"].values()),
        f"tip {str(record['tip']['commit'] or 'unknown')[:_SHORT]} {_contains(record)}",
        str(record["digest"])[: len("sha256:") + _SHORT],
    ]
    return safe_text(" · ".join(words))


def closeout_table(record: JsonObject, width: int) -> str:
    """The table for a terminal: the identities, then each equation with its result."""
    rows = [*_rows(record), ("", "")]
    rows += [(one["result"], f"{one['name']}{_because(one)}") for one in record["equations"]]
    longest = max(len(name) for name, _ in rows)
    lines = [
        cut_text(f"  {safe_text(name).ljust(longest)}  {safe_text(value)}".rstrip(), max(40, width))
        for name, value in rows
    ]
    return "\n".join([closeout_line(record), "", *lines]) + "\n"


STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://hwplan.dev/closeout/v1"


def closeout_in_toto_statement(record: JsonObject) -> JsonObject:
    """The record as an unsigned in-toto statement: about its images by digest, and the source commit (C10)."""
    images = [one for one in record["images"] if str(one["builtDigest"] or "").startswith("sha256:")]
    subjects: list[JsonObject] = [
        {"name": one["url"] or one["name"], "digest": {"sha256": one["builtDigest"].removeprefix("sha256:")}}
        for one in images
    ]
    source = {"name": f"source of {record['key']['lane']}", "digest": {"gitCommit": record["key"]["commit"]}}
    return {"_type": STATEMENT, "subject": [*subjects, source], "predicateType": PREDICATE, "predicate": record}


def closeout_markdown(record: JsonObject) -> str:
    """A closeout record as Markdown for a comment: a marker, so that the next one takes its place; the identities;
    the equations below a fold."""
    key = record["key"]
    marker = f"<!-- hwplan:closeout:{_word(key['lane'])}:{_word(key['commit'])} -->"
    out = [marker, f"**Closeout** {markdown_safe(closeout_line(record))}", "", "| | |", "|---|---|"]
    out += [f"| {markdown_safe(name)} | {markdown_safe(value)} |" for name, value in _rows(record)]
    out += ["", f"<details><summary>{len(record['equations'])} equations</summary>", "", "| | |", "|---|---|"]
    out += [f"| {one['result']} | {markdown_safe(one['name'] + _because(one))} |" for one in record["equations"]]
    return "\n".join([*out, "", "</details>"]) + "\n"


def _word(text: JsonValue) -> str:
    """A text in letters that need no escape in a marker."""
    return re.sub(r"[^0-9A-Za-z_+/.]", "-", str(text))


def _because(equation: JsonObject) -> str:
    return f": {equation['reason']}" if equation["reason"] else ""


def _contains(record: JsonObject) -> str:
    held = record["tip"]["containsSource"]
    return "contains it" if held else "does not contain it" if held is False else "not compared"


def _rows(record: JsonObject) -> list[tuple[str, str]]:
    """The five identities, each read by itself (C3), and what is said about them."""
    run, gitops = record["run"] or {}, record["gitops"]
    counters = {name: value for name, value in record["counters"].items() if value is not None}
    return [
        ("source commit", str(record["key"]["commit"])),
        ("snapshot", _shown(record["source"]["snapshot"])),
        ("PipelineRun", f"{run['name']} (uid {run['uid']}) {run['state']}" if run else "none"),
        *((f"image {one['name']}", _image(one)) for one in record["images"]),
        ("GitOps revision", _shown(gitops["commit"])),
        *((f"Argo CD {name}", _argo(one)) for name, one in record["argo"].items()),
        *((f"runtime {name}", _runtime(one)) for name, one in record["runtime"].items()),
        *((f"probe {name}", _probe(one)) for name, one in record["probe"].items()),
        *(
            (f"mirror {name}", f"inSync={str(bool(one and one['inSync'])).lower()}")
            for name, one in record["mirror"].items()
        ),
        ("tip", f"{_shown(record['tip']['commit'])} {_contains(record)}"),
        ("verdict", record["verdict"]["targetValidation"]["state"]),
        *((("rollback", str(record["rollback"]).lower()),) if record["rollback"] is not None else ()),
        *((("budget", ", ".join(record["budget"]["warnings"])),) if record["budget"]["warnings"] else ()),
        ("times", ", ".join(f"{name} {value:.0f}" for name, value in counters.items()) or "none recorded"),
        ("digest", str(record["digest"])),
    ]


def _shown(value: JsonValue) -> str:
    return "unknown" if value is None else str(value)


def _image(one: JsonObject) -> str:
    stored = one["registryDigest"]
    words = "the registry has it" if stored == one["builtDigest"] else f"the registry has {_shown(stored)}"
    return f"{one['builtDigest']} {'reused, ' if one['reused'] else ''}{words}"


def _argo(one: JsonObject | None) -> str:
    return f"{_shown(one.get('revision'))} {one.get('sync')}, {one.get('health')}" if one else "unknown"


def _runtime(one: JsonObject | None) -> str:
    if not one:
        return "unknown"
    pods = [pod for pod in one["pods"] if pod["ready"]]
    digests = sorted({str(part["imageID"]).rpartition("@")[2] for pod in pods for part in pod["containers"]})
    return f"{len(pods)} ready: {' '.join(digests)}" if pods else str(one.get("message") or "no ready pod")


def _probe(one: JsonObject | None) -> str:
    if not one:
        return "unknown"
    reported = " ".join(str(value) for value in one["provenance"].values())
    return str(one["wrong"] or f"answers {one['status']} {reported}".rstrip())
