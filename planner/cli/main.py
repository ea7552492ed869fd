"""The entry point: the lazy group, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from planner import __version__
from planner.cli.common_options import common_group_options
from planner.cli.verbs import VERBS

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
INTERRUPTED = 130
_GC_EVERY = 1_000_000  # allocations; documents are trees, and collecting them over and over is a tenth of a plan's time


class _Verbs(click.Group):
    """A group that knows its commands by name and help line, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        module = importlib.import_module(f"planner.cli.{verb.module}")
        command: click.Command = getattr(module, verb.function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            from planner.cli.foreign_option_hints import hint_for_verb_of_other_tool

            raise click.UsageError(f"There is no verb {args[0]!r}. {hint_for_verb_of_other_tool(args[0], VERBS)}", ctx)
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and any(word[:1] == "-" and word[:2] != "--" and len(word) > 2 for word in rest):
            from planner.cli.foreign_option_hints import refuse_single_dash

            refuse_single_dash(command, rest, ctx)
        return name, command, rest

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0][:1] == "-" and args[0][:2] not in ("--", "-h"):
            from planner.cli.foreign_option_hints import refuse_single_dash

            refuse_single_dash(self, args[:1], ctx)
        return super().parse_args(ctx, args)


@click.group(cls=_Verbs, context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="hwplan", message="%(prog)s %(version)s")
@common_group_options
def cli() -> None:
    """Plan and apply for CI/CD control planes on Kubernetes.

    A plan says field by field what will happen; apply does exactly that. Nothing is changed without --confirm.

    Exit codes: 0 done, 1 failed or wrong input, 2 changes or drift, 3 refused, 4 not ready in time, 5 locked,
    130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run hwplan and leave with its exit code."""
    from planner.cli.closed_streams import replace_closed_streams
    from planner.redaction.redacted_stream import redact_standard_streams

    if not replace_closed_streams():
        sys.stderr.write("error: standard output is closed\n  redirect it to a file or to /dev/null\n")
        sys.exit(1)
    codes: list[int] = []
    atexit.register(_end_process, codes)  # before any other, so that it is called after them
    redact_standard_streams()
    codes.append(run_command_line(list(sys.argv[1:] if arguments is None else arguments)))
    sys.exit(codes[0])


def _end_process(codes: Sequence[int]) -> None:
    """End here: to free every object before, as the interpreter does, is a tenth of a plan's time. Where there is no
    code, or where what was written cannot leave, the interpreter goes on and says so."""
    with suppress(OSError, ValueError):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        if codes:
            os._exit(codes[0])


def run_command_line(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    from planner.errors import HwplanError

    debug = "--debug" in arguments
    gc.set_threshold(_GC_EVERY)
    if spec := os.environ.get("HWPLAN_FAILPOINT"):  # tests stop the program at a named point
        from planner import failpoint

        failpoint.arm_failpoints(spec)
    try:
        code = cli.main(arguments, prog_name="hwplan", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.ClickException as error:
        if isinstance(error, click.UsageError):
            from planner.cli.foreign_option_hints import with_hint_for_option_of_other_tool

            error = with_hint_for_option_of_other_tool(error)
        error.show()
        return 1  # click says 2, which means "changes" here
    except HwplanError as error:
        from planner.cli.terminal_output import show_error, show_traceback

        show_error(error)
        if debug:
            show_traceback(error)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _of_the_system(error, debug)
    except Exception as error:
        more = "" if debug else "; run again with --debug for the traceback"
        click.echo(f"error: {type(error).__name__} inside hwplan{more}", err=True)
        if debug:
            from planner.cli.terminal_output import show_traceback

            show_traceback(error)
        return 1
    return code if isinstance(code, int) else 0


def _of_the_system(error: OSError, debug: bool) -> int:
    """A full disk, a missing permission: what this machine refused, and about which file. Gives the exit code."""
    from planner.cli.terminal_output import show_traceback
    from planner.disk_errors import MAKE_ROOM, disk_error_text, is_disk_full
    from planner.text_safe import safe_text

    about = f"{safe_text(os.fspath(error.filename))}: " if isinstance(error.filename, (str, os.PathLike)) else ""
    click.echo(f"error: {about}{disk_error_text(error, type(error).__name__)}", err=True)
    if is_disk_full(error):
        click.echo(f"  {MAKE_ROOM}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has nowhere to go
    if debug:
        show_traceback(error)
    return 1
