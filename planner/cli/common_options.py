"""The options that verbs share, accepted before and after the verb, and the Request made from them (spec 05)."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from planner.app.request import Request
from planner.cli.config_completion import completion_candidates, find_configuration_folder
from planner.loading.manifest_files import KUSTOMIZE

_F = TypeVar("_F", bound=Callable[..., Any])
_Decorator = Callable[[_F], _F]


def option_completer(what: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Complete an option or argument with the words of `what` (planner.cli.config_completion)."""

    def complete_word(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        return [word for word in completion_candidates(ctx, what) if word.startswith(incomplete)]

    return complete_word


_COMMON: tuple[_Decorator[Any], ...] = (
    click.option("--config", metavar="DIR", help="Configuration folder (HWPLAN_CONFIG; default ./config)."),
    click.option("--state", metavar="PATH", help="State file (HWPLAN_STATE; default .hwplan/state.db)."),
    click.option("--kubeconfig", metavar="FILE", help="As kubectl's."),
    click.option("--context", "kube_context", metavar="NAME", help="As kubectl's; a node's own comes from the config."),
    click.option(
        "--live", metavar="PATH", help="A sandbox, or a saved snapshot (file or folder), instead of a cluster."
    ),
    click.option("--parallelism", type=click.IntRange(1, 256), metavar="N", help="Requests at once (default 16)."),
    click.option("--no-color", is_flag=True, help="Plain text (also NO_COLOR)."),
    click.option("-q", "--quiet", is_flag=True, help="Only the verdict and errors."),
    click.option("-v", "--verbose", is_flag=True, help="Also what is unchanged."),
    click.option("--debug", is_flag=True, help="Tracebacks."),
)
_SELECTING: tuple[_Decorator[Any], ...] = (
    click.option("--node", "nodes", multiple=True, metavar="NODE",
                 shell_complete=option_completer("nodes"), help="A node."),
    click.option("--lane", "lanes", multiple=True, metavar="LANE",
                 shell_complete=option_completer("lanes"), help="Or all."),
    click.option("--product", metavar="NAME",
                 shell_complete=option_completer("products"), help="Default: the only one."),
    click.option("--scope", "scopes", multiple=True, metavar="SCOPE",
                 shell_complete=option_completer("scopes"), help="Scope"),
    click.option("--target", "targets", multiple=True, metavar="KIND/NS/NAME",
                 shell_complete=option_completer("addresses"),
                 help="A glob over addresses; what they depend on comes along."),
    click.option("--exclude", multiple=True, metavar="KIND/NS/NAME", help="A glob of addresses to leave out."),
    click.option("-f", "--filename", "files", multiple=True, metavar="FILE|DIR|-", help="Plain manifests instead."),
    click.option("-k", "--kustomize", "kustomizations", multiple=True, metavar="DIR",
                 help="A kustomization, built by kustomize or kubectl."),
    click.option("--name", metavar="APP", help="The owned set of the plain manifests."),
    click.option("-n", "--namespace", metavar="NS",
                 help="For plain manifests that name none (default: that of the context)."),
    click.option("--helm-hooks", type=click.Choice(["skip", "as-objects"]),
                 help="Hooks in the output of `helm template`: skip (default) leaves out those of other events than"
                 " an installation, and says so."),
)  # fmt: skip


_OWNERSHIP: tuple[_Decorator[Any], ...] = (
    click.option("--take-over", "take_over", multiple=True, metavar="MANAGER",
                 help="Own what this field manager owns, so that what is not declared goes."),
    click.option("--reset-undeclared", "reset_undeclared", multiple=True, metavar="KIND/NS/NAME",
                 help="Take fields away that others added and nobody declared; a glob of addresses."),
)  # fmt: skip


def ownership_options(function: _F) -> _F:
    """Add the options that move ownership of fields; they become part of `request`, so they stand above `selecting`."""

    @functools.wraps(function)
    def verb(request: Request, take_over: tuple[str, ...], reset_undeclared: tuple[str, ...], **given: Any) -> Any:
        return function(replace(request, take_over=take_over, reset_undeclared=reset_undeclared), **given)

    return _decorate(verb, _OWNERSHIP)  # type: ignore[return-value]  # as above


def _approved(ctx: click.Context, param: click.Parameter, given: str | None) -> str:
    """An approval that is there but empty (a variable that was not set) approves nothing."""
    if given is not None and not given.strip():
        raise click.BadParameter("it is empty, and approves nothing.", ctx, param)
    return given or ""


approved: _Decorator[Any] = click.option(
    "--plan-id",
    metavar="ID|FILE",
    callback=_approved,
    help="Refuse unless the plan made now is this one: its id, or the file of the approved plan.",
)


approved_by: _Decorator[Any] = click.option(
    "--approved-by",
    "approvals",
    multiple=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Refuse unless these approvals (of `hwplan approve`) suffice for the plan made now; once for each file.",
)


def resolve_approved_plan_id(request: Request, approvals: tuple[Path, ...], plan_id: str) -> str:
    """The id of the plan that is approved: the one that the approvals are of, for whoever applies exactly that, else
    the given one. Raises click.UsageError for both, and what `plan_id_of_approvals` raises."""
    if not approvals:
        return plan_id
    if plan_id:
        raise click.UsageError("--approved-by goes without --plan-id: the approvals name the plan.")
    from planner.app.approvals import plan_id_of_approvals

    return plan_id_of_approvals(request, approvals)


def approval_options(function: _F) -> _F:
    """Add --plan-id and --approved-by; the verb's function gets the `plan_id` that is approved, "" for none. Stands
    below the selecting options, whose lanes say who may approve."""

    @functools.wraps(function)
    def verb(request: Request, plan_id: str, approvals: tuple[Path, ...], **given: Any) -> Any:
        return function(request=request, plan_id=resolve_approved_plan_id(request, approvals, plan_id), **given)

    return _decorate(verb, (approved, approved_by))  # type: ignore[return-value]  # as above


fully: _Decorator[Any] = click.option(
    "--full", "full_fields", is_flag=True, help="Every field of new objects, and every line of long values."
)


def _decorate(function: _F, options: tuple[_Decorator[Any], ...]) -> _F:
    for option in reversed(options):
        function = option(function)
    return function


def common_group_options(function: Callable[[], None]) -> Callable[..., None]:
    """The common options on the group itself; their values are defaults of the verb's own."""

    @functools.wraps(function)
    def group(**_ignored: Any) -> None:
        function()

    return _decorate(group, _COMMON)


def common_options(function: _F) -> _F:
    """Add the common options; the verb's function gets `request`."""
    return _decorate(_requesting(function), _COMMON)


def selection_options(function: _F) -> _F:
    """Add the common options and the selecting words; the verb's function gets `request`."""
    return _decorate(_requesting(function), _COMMON + _SELECTING)


def selection_options_with_object(function: _F) -> _F:
    """Add the common options and the selecting words for a verb whose `--name` names an object where a product is
    selected; the verb's function gets `request` and `named`."""
    return _decorate(_requesting(function, names_object=True), _COMMON + _SELECTING)


NAMES = {
    "config", "state", "kubeconfig", "kube_context", "live", "parallelism", "no_color", "quiet", "verbose", "debug",
    "full_fields",
    "nodes", "lanes", "product", "scopes", "targets", "exclude", "files", "kustomizations", "name", "namespace",
    "helm_hooks",
}  # fmt: skip


def _requesting(function: _F, *, names_object: bool = False) -> _F:
    @functools.wraps(function)
    def verb(**given: Any) -> Any:
        outer = click.get_current_context().find_root().params
        words = {name: given.pop(name, None) or outer.get(name) for name in NAMES}
        _colour(words)
        if names_object:
            given["named"] = "" if words["files"] or words["kustomizations"] else words["name"] or ""
            words["name"] = None if given["named"] else words["name"]
        return function(request=make_request(words), **given)

    return verb  # type: ignore[return-value]  # the wrapper takes what click gives; the verb sees its own names


def _colour(words: dict[str, Any]) -> None:
    if words["no_color"]:
        os.environ["NO_COLOR"] = "1"


def make_request(words: dict[str, Any]) -> Request:
    """The Request of the given words. Raises click.UsageError for words that do not go together."""
    files = (*(words["files"] or ()), *(KUSTOMIZE + folder for folder in words["kustomizations"] or ()))
    if files and not words["name"]:
        raise click.UsageError(
            "-f and -k need --name APP: the name of the owned set, so that what is taken away can be found."
        )
    if words["name"] and not files:
        raise click.UsageError("--name goes with -f or -k; a product is selected by --node and --lane.")
    if files and (words["nodes"] or words["lanes"] or words["scopes"]):
        raise click.UsageError("-f and --node/--lane/--scope exclude each other.")
    return Request(
        config=find_configuration_folder(words["config"]),
        product=words["product"] or "",
        nodes=tuple(words["nodes"] or ()),
        lanes=tuple(words["lanes"] or ()),
        scopes=tuple(words["scopes"] or ()),
        targets=tuple(words["targets"] or ()),
        exclude=tuple(words["exclude"] or ()),
        files=files,
        name=words["name"] or "",
        stdin=sys.stdin.buffer.read() if "-" in files else None,
        namespace=words["namespace"] or (_context_namespace(words) if files and not words["live"] else "default"),
        namespace_given=bool(words["namespace"]),
        hooks_as_objects=words["helm_hooks"] == "as-objects",
        kubeconfig=words["kubeconfig"] or "",
        context=words["kube_context"] or "",
        live=Path(words["live"]) if words["live"] else None,
        state=words["state"] or os.environ.get("HWPLAN_STATE", ""),
        parallelism=words["parallelism"] or 16,
        quiet=bool(words["quiet"]),
        verbose=bool(words["verbose"]),
        debug=bool(words["debug"]),
        full=bool(words["full_fields"]),
    )


def _context_namespace(words: dict[str, Any]) -> str:
    """As for kubectl, objects that name no namespace stand in that of the context."""
    from planner.app.runtime import context_namespace

    return context_namespace(words["kubeconfig"] or "", words["kube_context"] or "")
