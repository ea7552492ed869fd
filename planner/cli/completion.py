"""`hwplan completion`: the script of a shell, and the words that it completes from the configuration."""

from __future__ import annotations

import click

from planner.cli.output import page


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script: `source <(hwplan completion bash)`."""
    from click.shell_completion import get_completion_class

    from planner.cli.main import cli

    script = get_completion_class(shell)
    assert script is not None
    page(script(cli, {}, "hwplan", "_HWPLAN_COMPLETE").source())


def candidates(ctx: click.Context, what: str) -> list[str]:
    """Words for an option: nodes, lanes, products, scopes or addresses. Empty when the configuration is broken."""
    from planner.app.words import known_words
    from planner.cli.options import config_dir
    from planner.errors import HwplanError

    try:
        return known_words(config_dir(ctx.params.get("config")), what)
    except (HwplanError, OSError):
        return []
