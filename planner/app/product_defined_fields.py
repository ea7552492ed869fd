"""What products add to lanes and nodes, as models by name: for `explain`, completion and the schemas of editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.app.request import Request
from planner.errors import HwplanError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from planner.loading.config import Config


def load_product_field_models(request: Request, what: str | None = None) -> dict[str, type[BaseModel]]:
    """Load the configuration and give the models of the fields that products add: `<product>.Lane`, and
    `<product>.Node` where there is one.

    Empty when `what` is a kind that is known without it. Where nothing in particular is asked for, a configuration
    that cannot be read adds nothing; otherwise raises ConfigError or SelectionError.
    """
    from planner.loading.config import load_config
    from planner.loading.kind_documentation import is_known_kind

    if what and is_known_kind(what) and what.partition(".")[0] not in ("Lane", "Node"):
        return {}
    try:
        return product_field_models_of_config(load_config(request.config))
    except HwplanError:
        if what and not is_known_kind(what):
            raise
        return {}


def product_field_models_of_config(config: Config) -> dict[str, type[BaseModel]]:
    """The models of the fields that products add to lanes and nodes, by name, of a configuration that was read."""
    found: dict[str, type[BaseModel]] = {}
    for name, product in sorted(config.products.items()):
        found[f"{name}.Lane"] = product.models.lane
        if product.models.schema.node.properties:
            found[f"{name}.Node"] = product.models.node
    return found
