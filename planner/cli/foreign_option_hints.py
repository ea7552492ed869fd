"""Words of other tools: what their verbs and options are called here, or why there is none. Pure but for click's types.

A hint is found by meaning, not by spelling: `diff` is near to no verb, and means `plan`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from types import MappingProxyType

import click

_VERBS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("diff", "preview", "dry-run", "whatif", "changes"), "plan"),
        **dict.fromkeys(("deploy", "create", "up", "install", "upgrade", "sync", "update", "run", "patch"), "apply"),
        **dict.fromkeys(("delete", "down", "uninstall", "rm", "remove", "teardown", "prune"), "destroy"),
        **dict.fromkeys(("rollback", "revert", "restore"), "undo"),
        **dict.fromkeys(("refresh", "detect", "detect-drift"), "drift"),
        **dict.fromkeys(("lint", "check", "verify", "test"), "validate"),
        **dict.fromkeys(("get", "list", "ls", "status", "history", "unlock", "force-unlock"), "state"),
        **dict.fromkeys(("describe", "view", "cat"), "show"),
        **dict.fromkeys(("doc", "docs", "api-resources"), "explain"),
        **dict.fromkeys(("affected", "dependents", "blast-radius"), "impact"),
        **dict.fromkeys(("init", "demo"), "sandbox"),
        **dict.fromkeys(("dump", "export", "save"), "snapshot"),
        **dict.fromkeys(("all", "matrix", "clusters", "plan-all", "run-all"), "fleet"),
    }
)
_OTHER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "help": "Every verb explains itself: hwplan VERB --help.",
        "version": "That is an option here: hwplan --version.",
        **dict.fromkeys(
            ("logs", "log"), "Of a detached command: hwplan job logs; of an image build: hwplan image logs."
        ),
        **dict.fromkeys(("fmt", "format"), "Files are read as they are written; hwplan validate checks them."),
    }
)
_APPROVE = "--confirm applies; without it nothing is changed. A reviewed plan: hwplan apply plan.json --confirm"
_ALWAYS_SERVER_SIDE = "every apply is a server-side apply"
_OUTPUT = "--json, or --format where a verb has several forms"
_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("--auto-approve", "--yes", "-y", "--approve", "--force-apply"), _APPROVE),
        **dict.fromkeys(("-o", "--output"), _OUTPUT),
        "--dry-run": "hwplan plan: it asks the server for its dry run; --confirm is what changes something",
        "--server-side": _ALWAYS_SERVER_SIDE,
        "--server-dry-run": "hwplan plan: it asks the server for its dry run",
        "--field-manager": f"{_ALWAYS_SERVER_SIDE} with the manager `hwplan`",
        "--force-conflicts": "name the fields to take over in the annotation hwplan.dev/adopt-fields",
        "--force": "a replace is allowed by the annotation hwplan.dev/replace, a field by hwplan.dev/adopt-fields",
        **dict.fromkeys(("-R", "--recursive"), "-f DIR reads a folder with everything below it"),
        **dict.fromkeys(("-A", "--all-namespaces"), "a plan covers all namespaces; --target narrows it"),
        **dict.fromkeys(("-l", "--selector"), "--target KIND/NAMESPACE/NAME, a glob"),
        "--all": "hwplan fleet looks at every lane on every node; --lane all is every lane of one node",
        **dict.fromkeys(("--all-nodes", "--all-lanes", "--all-clusters"), "hwplan fleet"),
        "--render": "--format job or --format cronjob of hwplan fleet, --format cronjob of hwplan drift",
        "--prune": "what is no longer declared is always planned as a delete",
        "--refresh": "every plan reads the cluster; --refresh-only shows drift alone",
        **dict.fromkeys(("--var", "--var-file", "--set", "--values"), "values stand in the configuration"),
        "--lock": "the lock is always taken; --lock-timeout says how long to wait for it",
        "--detach": "--no-wait returns as soon as everything is written",
        "--chdir": "--config DIR",
    }
)  # fmt: skip


def hint_for_verb_of_other_tool(word: str, verbs: Collection[str]) -> str:
    """The verb of hwplan that a verb of another tool, or a mistyped one, may mean."""
    meant = _VERBS.get(word.lower())
    if meant in verbs:
        return f"That is {meant!r} here: hwplan {meant} --help."
    if sentence := _OTHER_WORDS.get(word.lower()):
        return sentence
    near = get_close_matches(word, verbs, n=1)
    return f"Did you mean {near[0]!r}?" if near else "See hwplan --help."


def hint_for_option_of_other_tool(name: str) -> str:
    """What hwplan has in place of an option of another tool (kubectl, terraform); empty when its name says nothing."""
    plain = name.split("=")[0]
    return _OPTIONS.get(plain) or (_OPTIONS.get(f"-{plain}", "") if plain[:2] != "--" else "")


def with_hint_for_option_of_other_tool(error: click.UsageError) -> click.UsageError:
    """The error with the meaning of the option that it is about, where that is known."""
    name = getattr(error, "option_name", "") or ""
    hint = hint_for_option_of_other_tool(name)
    return click.UsageError(f"{error.message.rstrip('.')}. Here: {hint}", error.ctx) if hint else error


def refuse_single_dash(command: click.Command, arguments: list[str], ctx: click.Context) -> None:
    """Refuse `-no-color`, `-target x`: read letter by letter they would be other options with odd values.

    Raises click.UsageError that names the option with two dashes.
    """
    names = _long_names(command, arguments)
    for word in arguments[: arguments.index("--")] if "--" in arguments else arguments:
        plain = word.split("=")[0]
        if len(plain) < 3 or plain[0] != "-" or plain[1] == "-":
            continue
        if f"-{plain}" in names:
            raise click.UsageError(f"{plain} has two dashes here: -{plain}", ctx)
        if len(plain) > 4 and (hint := hint_for_option_of_other_tool(plain)):
            raise click.UsageError(f"No such option: {plain}. Here: {hint}", ctx)


def _long_names(command: click.Command, arguments: list[str]) -> set[str]:
    """The long options of a command, and of the ones below it that are named."""
    names = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    if isinstance(command, click.Group):
        for word in arguments:
            if found := command.commands.get(word):
                names |= _long_names(found, arguments)
    return names
