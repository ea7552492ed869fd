"""Which products the words of a command can mean, before anything of a product is checked. Pure.

What is meant is decided by planner.loading.selection, from checked lanes; no product that it could name is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from planner.plan import Selection
from planner.spec.product import LanesDocument, Product

ALL = "all"  # every product, node, lane or scope


def products_named_by_selection(
    products: Mapping[str, Product], documents: Sequence[LanesDocument], selection: Selection
) -> Collection[str]:
    """The names of products that have the nodes and lanes a selection names; all of them where none has, so that the
    error can list them."""
    if selection.product in products:
        return [selection.product]
    fitting = [name for name, one in products.items() if _has(one, documents, selection)] or list(products)
    chosen = [] if selection.product else [name for name in fitting if products[name].default]
    return chosen or fitting


def _has(product: Product, documents: Sequence[LanesDocument], selection: Selection) -> bool:
    taken = [(node, lanes) for one in documents if one.product == product.name for node, lanes in one.nodes.items()]
    nodes = {word for word in selection.nodes if word != ALL}
    every = ALL in selection.nodes or not nodes
    lanes = {lane for node, known in taken for lane in known if every or node in nodes}
    scopes = {scope.name for scope in product.scopes}
    return (
        nodes <= {node for node, _ in taken}
        and {word for word in selection.lanes if word != ALL} <= lanes
        and {word for word in selection.scopes if word != ALL} <= scopes
    )
