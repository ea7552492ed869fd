"""The entry point: the lazy group, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence

import click

from planner import __version__
from planner.cli.options import group_options
from planner.cli.verbs import VERBS

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
INTERRUPTED = 130
_GC_EVERY = 200_000  # allocations; documents are trees, and collecting them over and over is a tenth of a plan's time


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
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " See hwplan --help."
            raise click.UsageError(f"There is no verb {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Verbs, context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="hwplan", message="%(prog)s %(version)s")
@group_options
def cli() -> None:
    """Plan and apply for CI/CD control planes on Kubernetes.

    A plan says field by field what will happen; apply does exactly that. Nothing is changed without --confirm.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run hwplan and leave with its exit code."""
    from planner.guarded_stream import guard_streams

    guard_streams()
    sys.exit(_run(list(sys.argv[1:] if arguments is None else arguments)))


def _run(arguments: list[str]) -> int:
    from planner.errors import HwplanError

    debug = "--debug" in arguments
    gc.set_threshold(_GC_EVERY)
    if spec := os.environ.get("HWPLAN_FAILPOINT"):  # tests stop the program at a named point
        from planner import failpoint

        failpoint.arm(spec)
    try:
        code = cli.main(arguments, prog_name="hwplan", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return 1  # click says 2, which means "changes" here
    except HwplanError as error:
        from planner.cli.output import show_error, show_traceback

        show_error(error)
        if debug:
            show_traceback(error)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        more = "" if debug else "; run again with --debug for the traceback"
        click.echo(f"error: {type(error).__name__} inside hwplan{more}", err=True)
        if debug:
            from planner.cli.output import show_traceback

            show_traceback(error)
        return 1
    return code if isinstance(code, int) else 0
