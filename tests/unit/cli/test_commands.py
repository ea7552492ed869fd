"""Every command: its options have names of their own, a help text that explains, and `--help` works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click
import pytest

from planner.cli.main import cli


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands below a group, with the words that lead to them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = list(commands(cli))


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_a_command(path: tuple[str, ...], command: click.Command, recwarn: pytest.WarningsRecorder) -> None:
    names = Counter(name for one in command.params for name in (*one.opts, *one.secondary_opts))
    assert [name for name, count in names.items() if count > 1] == []
    assert command.help
    with click.Context(command, info_name=path[-1]) as context:
        shown = command.get_help(context)
    assert "--help" in shown or isinstance(command, click.Group)
    assert not [str(warning.message) for warning in recwarn if "more than once" in str(warning.message)]


def test_whatever_takes_the_id_of_a_plan_takes_approvals_of_it() -> None:
    found = {" ".join(words): {option for one in command.params for option in one.opts} for words, command in ALL}
    with_id = {name for name, options in found.items() if "--plan-id" in options}
    assert with_id >= {"apply", "undo", "trigger"}
    assert sorted(name for name in with_id if "--approved-by" not in found[name]) == []
