"""Validation without a network: configuration, templates, references, cycles, policies; every problem at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planner.app.load_desired import load_configuration, load_desired_offline
from planner.app.request import Request
from planner.dataclass import dataclass
from planner.errors import ConfigError, Problem
from planner.graph import build_graph

if TYPE_CHECKING:
    from planner.loading.config import Config


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What was found valid: how many resources each selection has, by its name ("" for the one that was asked for), and
    warnings, each once."""

    resources: tuple[tuple[str, int], ...]
    warnings: tuple[str, ...] = ()


def validate_configuration(request: Request) -> ValidationResult:
    """Validate what is selected, or every lane of every node when nothing is. Raises ConfigError with all problems."""
    if request.plain or request.nodes or request.lanes:
        count, warnings = _check(request)
        return ValidationResult((("", count),), warnings)
    config = load_configuration(request)
    problems: dict[Problem, None] = {}
    counts: list[tuple[str, int]] = []
    warnings = ()
    for product in sorted(config.products):
        for node in config.nodes_of(product):
            try:
                count, more = _check(replace(request, product=product, nodes=(node,), lanes=("all",)), config)
                counts.append((f"{product} {node}", count))
                warnings += more
            except ConfigError as error:
                problems |= dict.fromkeys(error.problems)
    if problems:
        raise ConfigError(tuple(problems))
    return ValidationResult(tuple(counts), tuple(dict.fromkeys(warnings)))


def _check(request: Request, config: Config | None = None) -> tuple[int, tuple[str, ...]]:
    """How many resources the selection has, and warnings; raises when it cannot be loaded or ordered. `config` is the
    configuration where it was read already: its files and models are the same for each selection."""
    stack = load_desired_offline(request, config)
    build_graph(stack.resources)
    return len(stack.resources), stack.warnings
