"""The dotenv format: KEY=value as a shell would read it. Owns its grammar; its messages hold no key and no value.

`export` may stand before a key. Text in single quotes is literal. In double quotes a backslash before n, r, t, a quote,
a dollar sign, a backquote or itself is an escape, and one at the end of a line joins the next one. Quoted text may go
over several lines. An unquoted value ends at the
end of its line or at a `#` after a blank, blanks around it are dropped. Docker, Compose and the dotenv libraries agree
on this much; what they disagree on (`$NAME`, text after a closing quote) is an error instead of a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from planner.errors import PermanentError

_KEY = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*")
_SINGLE = re.compile(r"'(?P<body>[^']*)'")
_DOUBLE = re.compile(r'"(?P<body>(?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"(?P<body>(?:[^\n#]|(?<![ \t])#)*)")
_NOTHING = re.compile(r"[ \t]*(?:#[^\n]*)?\n")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$", "`": "`", "\n": ""}
_VARIABLE = re.compile(r"(?<!\\)(?:\\\\)*\$[A-Za-z_{(]|(?<!\\)(?:\\\\)*`")


def parse_dotenv(text: str, path: str) -> Mapping[str, str]:
    """Values by key. `path` names the file in errors. Raises PermanentError with the line that is wrong."""
    text = text.replace("\r\n", "\n") + "\n"
    found: dict[str, str] = {}
    position, line = 0, 1
    while position < len(text):
        if nothing := _NOTHING.match(text, position):
            end = nothing.end()
        else:
            key, value, end = _entry(text, position, f"{path}:{line}")
            if key in found:
                raise PermanentError(f"{path}:{line} sets a key a second time")
            found[key] = value
        line += text.count("\n", position, end)
        position = end
    return found


def _entry(text: str, position: int, where: str) -> tuple[str, str, int]:
    """Key, value, and where the next line starts."""
    start = _KEY.match(text, position)
    if start is None:
        raise PermanentError(f"{where} is not KEY=value")
    value, end = _value(text, start.end(), where)
    rest = _NOTHING.match(text, end)
    if rest is None:
        raise PermanentError(f"{where} has text after the closing quote")
    return start["key"], value, rest.end()


def _value(text: str, at: int, where: str) -> tuple[str, int]:
    quote = text[at : at + 1]
    if quote not in ("'", '"'):
        bare = _BARE.match(text, at)
        assert bare is not None  # it matches nothing as well
        _refuse_variables(bare["body"], where)
        return bare["body"].strip(), bare.end()
    match = (_SINGLE if quote == "'" else _DOUBLE).match(text, at)
    if match is None:
        raise PermanentError(f"{where} opens a quote that is never closed")
    if quote == "'":
        return match["body"], match.end()
    _refuse_variables(match["body"], where)
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), match["body"]), match.end()


def _refuse_variables(body: str, where: str) -> None:
    if _VARIABLE.search(body):
        raise PermanentError(f"{where} uses a variable or a command: put the value in single quotes, or write \\$")
