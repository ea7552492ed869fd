"""The dotenv format: what is read, and that what is doubtful is an error that names the line alone."""

from __future__ import annotations

import pytest

from planner.errors import PermanentError
from planner.loading.secrets.dotenv import parse_dotenv


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("K=a", "a"),
        ("export K=a # why", "a"),
        ("K = two words  ", "two words"),
        ("K=a#b", "a#b"),
        ("K=#a", "#a"),
        ("K= # nothing", ""),
        ("K='$HOME \\n # retained'", "$HOME \\n # retained"),
        ('K="a\\n\\t\\"\\\\\\$x"', 'a\n\t"\\$x'),
        ('K="one\\\ntwo"', "onetwo"),
        ("K='line\nnext'\n", "line\nnext"),
        ('K="-----BEGIN-----\nabc=\n-----END-----"', "-----BEGIN-----\nabc=\n-----END-----"),
        ("# c\r\n\r\nK='a'\r\n", "a"),
        ("K=a\\nb", "a\\nb"),
    ],
)
def test_values(text: str, value: str) -> None:
    assert parse_dotenv(text, "f") == {"K": value}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\nhunter2", "f:2 is not KEY=value"),
        ("A='1\n\n", "f:1 opens a quote that is never closed"),
        ('A="x\ny"\nB="hunter2', "f:3 opens a quote that is never closed"),
        ("A='1'hunter2", "f:1 has text after the closing quote"),
        ("A=1\n\nA=hunter2", "f:3 sets a key a second time"),
        ("A=$hunter2", "f:1 uses a variable or a command: put the value in single quotes, or write \\$"),
        ('A="`hunter2`"', "f:1 uses a variable or a command: put the value in single quotes, or write \\$"),
    ],
)
def test_doubts(text: str, message: str) -> None:
    with pytest.raises(PermanentError) as caught:
        parse_dotenv(text, "f")
    assert caught.value.message == message


def test_large_files_cost_little() -> None:
    assert len(parse_dotenv("".join(f'K{n}="v{n}"\n' for n in range(50_000)), "f")) == 50_000
