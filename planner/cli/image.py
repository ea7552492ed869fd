"""`hwplan image status|preload|build|logs`: the images of a node as a part of the plan (spec 02, S07 to S09, S23)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options
from planner.cli.terminal_output import print_json, print_page, wants_colour

_VERBS = {"source": "preload", "build": "build"}  # field of an image's origin -> the verb that makes it


@click.group()
def image() -> None:
    """The images in the node's registry: there or not, copied, built."""


@image.command("status")
@selection_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def image_status(request: Request, as_json: bool) -> int:
    """Is each tag there, with which digest. Reads only."""
    from planner.app.resource_filters import is_registry_image
    from planner.app.selected_resources_status import read_status_of_selected_resources
    from planner.cli.print_pages import command_line_for_verb
    from planner.render.image_status import image_status_json, render_image_status

    found = read_status_of_selected_resources(request, is_registry_image)
    commands = {origin: command_line_for_verb(f"image {verb}", request) for origin, verb in _VERBS.items()}
    if as_json:
        print_json(image_status_json(found, commands=commands))
    else:
        print_page(render_image_status(found, commands=commands, colour=wants_colour()))
    return 1 if any(row.problem for row in found.rows) else 0


@image.command("preload")
@selection_options
@approval_options
@apply_options
def image_preload_into_registry(
    request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any
) -> int:
    """Copy public images into the node's registry, by digest."""
    from planner.app.resource_filters import is_copied_image
    from planner.cli.plan_or_apply_selected_resources import plan_or_apply_selected_resources

    confirmed = confirm and not dry_run
    return plan_or_apply_selected_resources(
        request, is_copied_image, "image preload", confirm=confirmed, plan_id=plan_id, json=as_json, how=how
    )


@image.command("build")
@selection_options
@approval_options
@apply_options
def image_build(request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any) -> int:
    """Build images from their Dockerfiles, and push them."""
    from planner.app.resource_filters import is_built_image
    from planner.cli.plan_or_apply_selected_resources import plan_or_apply_selected_resources

    confirmed = confirm and not dry_run
    return plan_or_apply_selected_resources(
        request, is_built_image, "image build", confirm=confirmed, plan_id=plan_id, json=as_json, how=how
    )


@image.command("logs")
@click.argument("image_name", metavar="NAME")
@selection_options
def image_logs_from_journal(request: Request, image_name: str) -> None:
    """What the journal of the last runs says about the image NAME: when, how it ended, and why.

    Ends with 1 for an image that is not declared and that no run touched.
    """
    from planner.app.runtime import open_state_store

    with open_state_store(request) as store:
        runs = [run for run in store.history() if not request.nodes or {*request.nodes} & {*run.selection.nodes}]
        nodes = [(run.number, node) for run in runs for node in store.nodes(run.number)]
    lines = [
        f"run {number}  {node.action:<8} {node.result or node.phase:<10} {node.at}  {_said(node.detail)}".rstrip()
        for number, node in nodes
        if node.address.kind == "RegistryImage" and node.address.name == image_name
    ]
    if not lines:
        _check_declared(request, image_name)
    print_page("\n".join(lines) or f"no run touched the image {image_name}")


def _check_declared(request: Request, name: str) -> None:
    """Raise SelectionError for a name that no declared image has."""
    from planner.app.load_desired import load_desired_offline
    from planner.app.resource_filters import is_registry_image
    from planner.errors import SelectionError
    from planner.loading.problems import did_you_mean

    declared = sorted(one.address.name for one in load_desired_offline(request).resources if is_registry_image(one))
    if name not in declared:
        raise SelectionError(
            f"no image {name} is declared, and no run touched one", remedy=did_you_mean(name, declared)
        )


def _said(detail: Mapping[str, Any]) -> str:
    """What the journal has about how it ended."""
    from planner.text_safe import safe_text

    return safe_text("; ".join(str(detail[key]) for key in ("message", "remedy") if detail.get(key)))
