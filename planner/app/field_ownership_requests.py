"""What the options of a command ask about the ownership of fields, put on the selected resources. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planner.address import Address, is_hwplan_kind
from planner.app.request import Request
from planner.errors import SelectionError, refuse_unknown_words
from planner.resource import Resource


def resources_with_ownership_options(
    resources: Mapping[Address, Resource], request: Request
) -> dict[Address, Resource]:
    """The resources with the `take_over` and `reset_undeclared` of a request in their options.

    Raises SelectionError for globs that match none of them: what was asked would not be done.
    """
    objects = [address for address in resources if not is_hwplan_kind(resources[address].api_version)]
    refuse_unknown_words(
        [
            SelectionError(
                f"nothing that is selected matches {pattern}",
                where="--reset-undeclared",
                remedy="give an address as `drift` shows it: Kind.group/namespace/name",
            )
            for pattern in request.reset_undeclared
            if not any(address.matches(pattern) for address in objects)
        ]
    )
    if not (request.take_over or request.reset_undeclared):
        return dict(resources)
    return {**resources, **{address: _asked(resources[address], request) for address in objects}}


def _asked(resource: Resource, request: Request) -> Resource:
    names = tuple(dict.fromkeys((*resource.options.take_over, *request.take_over)))
    reset = any(resource.address.matches(pattern) for pattern in request.reset_undeclared)
    return replace(resource, options=replace(resource.options, take_over=names, reset_undeclared=reset))
