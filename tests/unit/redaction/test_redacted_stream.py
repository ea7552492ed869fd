"""Both standard streams of the process pass the redactor, whoever writes to them and whatever it is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.canaries.canary import canary, leaks

SECRET = canary("stream")
_HEAD = f"""
import sys
from planner.redaction.redacted_stream import redact_standard_streams
from planner.redaction.redactor import REDACTOR
secret = {SECRET!r}
REDACTOR.learn(secret.encode())
redact_standard_streams()
redact_standard_streams()
"""
WRITERS = {
    "print": "print('a', secret, 'z', file=sys.{name})",
    "write": "sys.{name}.write(secret + chr(10))",
    "writelines": "sys.{name}.writelines([secret, chr(10)])",
    "click": "import click; click.echo(secret, err={err})",
    "rich": "from rich.console import Console; Console(file=sys.{name}).print(secret)",
}


def ran(code: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", _HEAD + code], capture_output=True, check=False)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
@pytest.mark.parametrize("writer", WRITERS)
def test_both_streams_are_cleaned(name: str, writer: str) -> None:
    done = ran(WRITERS[writer].format(name=name, err=name == "stderr"))
    assert done.returncode == 0, done.stderr.decode()
    assert not leaks(done.stdout + done.stderr)
    assert b"(secret)" in (done.stderr if name == "stderr" else done.stdout)


def test_a_traceback_of_the_interpreter_is_cleaned() -> None:
    done = ran("raise ValueError(secret)")
    assert done.returncode == 1 and b"ValueError: (secret)" in done.stderr and not leaks(done.stderr)


def test_a_warning_of_the_interpreter_is_cleaned() -> None:
    done = ran("import warnings; warnings.warn(secret)")
    assert b"(secret)" in done.stderr and not leaks(done.stderr)
