"""Validation without a network: configuration, templates, references, cycles, policies; every problem at once."""

from __future__ import annotations

from dataclasses import replace

from planner.app.load import configuration, load_offline
from planner.app.request import Request
from planner.errors import ConfigError, Problem
from planner.graph import build_graph


def validate(request: Request) -> str:
    """Check what is selected, or every lane of every node when nothing is. Raises ConfigError with all problems."""
    if request.plain or request.nodes or request.lanes:
        return f"valid: {_check(request)} resources"
    config = configuration(request)
    problems: dict[Problem, None] = {}
    counts: list[str] = []
    for product in sorted(config.products):
        for node in config.nodes_of(product):
            one = replace(request, product=product, nodes=(node,), lanes=("all",))
            try:
                counts.append(f"{product} {node}: {_check(one)} resources")
            except ConfigError as error:
                problems |= dict.fromkeys(error.problems)
    if problems:
        raise ConfigError(tuple(problems))
    return "valid\n" + "\n".join(f"  {line}" for line in counts)


def _check(request: Request) -> int:
    """How many resources the selection has; raises when it cannot be loaded or ordered."""
    resources = load_offline(request).resources
    build_graph(resources)
    return len(resources)
