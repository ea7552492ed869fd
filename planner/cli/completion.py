"""`hwplan completion`: the script of a shell."""

from __future__ import annotations

import click

from planner.cli.terminal_output import print_page


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script: `source <(hwplan completion bash)`."""
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None
    print_page(script(ctx.find_root().command, {}, "hwplan", "_HWPLAN_COMPLETE").source())
