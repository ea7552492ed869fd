"""The words that completion offers, read from the configuration."""

from __future__ import annotations

from pathlib import Path

from planner.app.load import load_offline
from planner.app.request import Request


def known_words(config_dir: Path, what: str) -> list[str]:
    """Nodes, lanes, products, scopes or addresses. Raises ConfigError or SelectionError when there are none to tell."""
    from planner.loading.config import load_config

    config = load_config(config_dir)
    match what:
        case "nodes":
            return sorted(config.nodes)
        case "lanes":
            return sorted({lane.name for lane in config.lanes} | {"all"})
        case "products":
            return sorted(config.products)
        case "scopes":
            return sorted({scope.name for product in config.products.values() for scope in product.spec.scopes})
        case _:
            node = min(config.nodes)
            stack = load_offline(Request(config=config_dir, nodes=(node,), lanes=("all",)))
            return [resource.address.local for resource in stack.resources]
