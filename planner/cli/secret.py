"""`hwplan secret status|ensure|delete`: the Secrets as a part of the plan (spec 02, S17). No value is ever shown."""

from __future__ import annotations

from typing import Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options, selection_options_with_object
from planner.cli.terminal_output import print_json, print_page, wants_colour


@click.group()
def secret() -> None:
    """Secrets: where their values come from, and whether they live as at their source."""


@secret.command("status")
@selection_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def secret_status(request: Request, as_json: bool) -> int:
    """Each key with its source and the fingerprints of both sides. Reads only.

    Exit codes: 0 also when something differs, 1 when a source or a live Secret cannot be read.
    """
    from planner.app.secret_status import read_secret_status
    from planner.cli.print_pages import command_line_for_verb
    from planner.render.secret_status import render_secret_status, secret_status_json

    found = read_secret_status(request)
    if as_json:
        print_json(secret_status_json(found))
    else:
        ensure, delete = (command_line_for_verb(f"secret {verb}", request) for verb in ("ensure", "delete"))
        print_page(render_secret_status(found, command=ensure, delete=delete, colour=wants_colour()))
    return 1 if found.unreadable or any(key.problem for key in found.keys) else 0


@secret.command("ensure")
@selection_options
@approval_options
@apply_options
def secret_ensure(request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any) -> int:
    """Make the declared Secrets as their sources say. Their namespaces have to be there."""
    from planner.app.resource_filters import is_declared_secret
    from planner.cli.plan_or_apply_selected_resources import plan_or_apply_selected_resources

    confirmed = confirm and not dry_run
    return plan_or_apply_selected_resources(
        request, is_declared_secret, "secret ensure", confirm=confirmed, plan_id=plan_id, json=as_json, how=how
    )


@secret.command("delete")
@selection_options_with_object
@approval_options
@apply_options
def secret_delete_undeclared(
    request: Request, named: str, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any
) -> int:
    """Delete Secrets of ours that nobody declares any more, and nothing else.

    With --name NAME (or NAMESPACE/NAME) just this one, also where its rule is `obsolete: true` and hwplan did not make
    it: the deletion is planned, and bound to the object that the plan saw.
    """
    import shlex

    from planner.app.resource_filters import is_secret_address, selects_no_resource
    from planner.cli.plan_or_apply_selected_resources import plan_or_apply_selected_resources
    from planner.planning.plan_guards import EMPTY_CONFIG

    how["allow"] = (*how["allow"], EMPTY_CONFIG)  # what is declared is left out on purpose
    return plan_or_apply_selected_resources(
        request,
        selects_no_resource,
        f"secret delete --name {shlex.quote(named)}" if named else "secret delete",
        confirm=confirm and not dry_run,
        plan_id=plan_id,
        json=as_json,
        how=how,
        prune=is_secret_address,
        named=named,
    )
