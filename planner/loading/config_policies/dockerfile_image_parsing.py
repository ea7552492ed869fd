"""The images that a Dockerfile takes from elsewhere, with their lines. Understands just that much of the format
(docs.docker.com/reference/dockerfile): FROM, COPY --from, RUN --mount=from, ARG before the first FROM, continued lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from planner.dataclass import dataclass

_CONTINUED = re.compile(r"\\[ \t]*$")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^{}$]*))?\}|(\w+))")
_FROM = re.compile(r"from\s+(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?\s*$", re.IGNORECASE)
_ARG = re.compile(r"arg\s+(.*)", re.IGNORECASE)
_ASSIGNED = re.compile(r"(\w+)=(?:\"([^\"]*)\"|'([^']*)'|(\S*))")
_COPIED = re.compile(r"(?:copy|add)\s+(?:--\S+\s+)*?--from=(\S+)", re.IGNORECASE)
_INLINE = re.compile(r"<<-?[\"']?(\w+)")  # a here-document
_MOUNTED = re.compile(r"\s--mount=\S*?\bfrom=([^\s,]+)")


@dataclass(frozen=True, slots=True)
class DockerfileImage:
    """An image that is taken, as it is called after variables were filled in; a `$` is left where one is unknown."""

    line: int
    image: str


def images_of_dockerfile(text: str, args: Mapping[str, str]) -> tuple[DockerfileImage, ...]:
    """All images that a Dockerfile takes from outside, built with `args`. Its own stages and `scratch` are none."""
    known: dict[str, str] = {}
    stages: list[str] = []
    found: list[DockerfileImage] = []
    for line, words in _instructions(text):
        if not stages and (arg := _ARG.match(words)):
            defaults = {name: one or two or three for name, one, two, three in _ASSIGNED.findall(arg[1])}
            known |= {name: args.get(name, _filled(value, known)) for name, value in defaults.items()}
            known |= {name: args[name] for name in arg[1].split() if name in args}
        elif begun := _FROM.match(words):
            found += _outside(_filled(begun[1], known), line, stages)
            stages.append((begun[2] or "").lower())
        else:
            for image in _COPIED.findall(words) + _mounted(words):
                found += _outside(_filled(image, args), line, stages)
    return tuple(found)


def _mounted(words: str) -> list[str]:
    return _MOUNTED.findall(words) if words[:4].lower() == "run " else []


def _outside(image: str, line: int, stages: Sequence[str]) -> Iterator[DockerfileImage]:
    inner = {"scratch", *stages, *(str(number) for number in range(len(stages)))}
    if image.lower() not in inner:
        yield DockerfileImage(line, image)


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        found: str | None = values.get(match[1] or match[3], match[2])
        return match[0] if found is None else found

    return _VARIABLE.sub(value, text)


def _instructions(text: str) -> Iterator[tuple[int, str]]:
    """Each instruction as one line, with the line that it begins on (from 1)."""
    began, joined, until = 0, "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if until or line.lstrip().startswith("#"):
            until = "" if line.strip() == until else until
            continue
        began = began if joined else number
        joined += _CONTINUED.sub(" ", line)
        if not _CONTINUED.search(line):
            if joined.strip():
                yield began, joined.strip()
            inline = _INLINE.search(joined)
            joined, until = "", inline[1] if inline else ""
    if joined.strip():
        yield began, joined.strip()
