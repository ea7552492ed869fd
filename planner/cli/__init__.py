"""The command line: words to a Request, results to text and exit codes. Imports a verb's module only when it is used.

Owns no decision about resources. Every error of planner.errors ends here in its own exit code (spec 05); an error that
nobody foresaw ends in exit 1 with its type, and with a traceback only under `--debug`.
"""

from __future__ import annotations

from planner.cli.main import main

__all__ = ["main"]
