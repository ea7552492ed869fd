"""The words that completion offers, read from the configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from planner.app.load_desired import load_desired_offline
from planner.app.request import Request
from planner.errors import HwplanError


def completion_words(config_dir: Path, what: str, nodes: tuple[str, ...] = ()) -> list[str]:
    """The words for shell completion: nodes, lanes (of the chosen `nodes`), products, scopes, kinds or addresses.

    Raises ConfigError or SelectionError when there are none.
    """
    from planner.loading.config import load_config

    config = load_config(config_dir)
    match what:
        case "nodes":
            return sorted(config.nodes)
        case "lanes":
            return sorted({lane.name for lane in config.lanes if not nodes or lane.node in nodes} | {"all"})
        case "products":
            return sorted(config.products)
        case "scopes":
            return sorted({scope.name for product in config.products.values() for scope in product.spec.scopes})
        case "kinds":
            from planner.app.product_defined_fields import product_field_models_of_config
            from planner.loading.kind_documentation import summaries_of_kinds

            return [kind for kind, _ in summaries_of_kinds(product_field_models_of_config(config))]
        case _:
            node = min(config.nodes)
            stack = load_desired_offline(Request(config=config_dir, nodes=(node,), lanes=("all",)))
            return [resource.address.local for resource in stack.resources]


def without_scopes_where_all_are_selected(request: Request) -> Request:
    """The request without its scopes where they are all that its product has: nobody would type them in a command."""
    from planner.loading.config import load_config

    if request.plain or not request.scopes:
        return request
    try:
        products = load_config(request.config).products
    except (HwplanError, OSError):
        return request
    product = products.get(request.product)
    every = {scope.name for scope in product.spec.scopes if scope.default} if product else set()
    return replace(request, scopes=()) if every == set(request.scopes) else request
