"""The parser behind the loader: text in, parser events out, a syntax error as a problem with its line.

Owns which parser is used (docs/adr/0028): the C parser of PyYAML, and its pure one where there is no C library. Knows
nothing of values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from planner.errors import Problem
from planner.loading.problems import source_line_unless_secret
from planner.source_line_ref import SourceRef

Parse: TypeAlias = Callable[[str], Callable[[], Any]]
_FIXED_PHRASE: Final = re.compile(r"[a-z][a-zA-Z0-9 <>'\"?!,:.()\[\]{}-]{3,120}")


def yaml_events(text: str) -> Callable[[], Any]:
    """A function that gives the next event of `text`. It raises yaml.YAMLError where the text is not YAML."""
    try:
        from yaml._yaml import CParser
    except ImportError:
        return pure_yaml_events(text)
    get: Callable[[], Any] = CParser(text).get_event
    return get


def pure_yaml_events(text: str) -> Callable[[], Any]:
    """As `yaml_events`, without the C library: by the pure parser of PyYAML, which is made to read the same."""
    from planner.loading.yaml.libyaml_compatible_loader import LibyamlCompatibleLoader

    get: Callable[[], Any] = LibyamlCompatibleLoader(text).get_event
    return get


def retry_after_parser_error(error: Exception, text: str, *, api: bool) -> tuple[Parse, str] | None:
    """The parser and the text to try again with after an error of the C parser; None where the error stands.

    It looks ahead to its own limit of depth before it gives the first event: the pure one finds the position of ours.
    A plain scalar of a flow collection whose last letter is a colon, `[--listen=:]`, is text to the API's readers and
    refused by libyaml: it is put in quotes.
    """
    problem = getattr(error, "problem", None)
    if problem == "exceeded maximum nesting depth":
        return pure_yaml_events, text
    start, end = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    if not api or problem != "found unexpected ':'" or start is None or end is None:
        return None
    scalar = text[start.index : end.index + 1].replace("'", "''")
    return yaml_events, f"{text[: start.index]}'{scalar}'{text[end.index + 1 :]}"


def yaml_syntax_problem(error: Exception, file: str, text: str, first_line: int = 0) -> Problem:
    """The parser's error as a problem. Its words are a fixed phrase of the parser, never input; `first_line` is the
    line (from 0) of the file that `text` begins on."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    phrase = str(getattr(error, "problem", None) or "cannot be read")
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 0)
    message = "not YAML: " + (phrase if _FIXED_PHRASE.fullmatch(phrase) else "cannot be read")
    source = SourceRef(file, first_line + line, column)
    return Problem(source, message, _remedy(phrase), source_line_unless_secret(text, line))


def _remedy(phrase: str) -> str:
    if "mapping values" in phrase:
        return "a value with `: ` in it has to stand in quotes"
    if "tab" in phrase or "cannot start any token" in phrase:
        return "no tabs for indentation; text that starts with @ ` % has to stand in quotes"
    if "expected <block end>" in phrase or "did not find expected key" in phrase:
        return "check the indentation of this line and the ones before"
    return ""
