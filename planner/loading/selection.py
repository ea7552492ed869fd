"""Selecting: the words of the command line become a product, its nodes, lanes and scopes. `all` is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from planner.dataclass import dataclass
from planner.errors import SelectionError, refuse_unknown_words
from planner.loading.config import ALL as ALL
from planner.loading.config import Config, ConfiguredLane, ConfiguredNode
from planner.loading.problems import did_you_mean
from planner.plan import Selection
from planner.spec.product import Product, ProductTemplateScope


@dataclass(frozen=True, slots=True)
class ResolvedSelection:
    """What was selected: nodes with the lanes taken there, scopes in the product's order."""

    product: Product
    nodes: tuple[tuple[ConfiguredNode, tuple[ConfiguredLane, ...]], ...]
    scopes: tuple[ProductTemplateScope, ...]

    @property
    def lane_names(self) -> tuple[str, ...]:
        """Names of all lanes taken, each once."""
        return tuple(dict.fromkeys(lane.name for _, lanes in self.nodes for lane in lanes))


def resolve_selection(config: Config, selection: Selection) -> ResolvedSelection:
    """Resolve a selection.

    No lane means all enabled lanes of a node, no scope all that are taken by default, no node the only one.

    Raises SelectionError naming all unknown words, each with a close one.
    """
    name = selection.product or select_product(config, selection)
    if name not in config.products:
        raise _unknown("product", name, config.products)
    product = config.products[name].spec
    refuse_unknown_words(_unknown_words(config, name, selection))
    nodes = _nodes(config, name, selection.nodes)
    taken = tuple((config.nodes[node], _lanes(config, name, node, selection.lanes)) for node in nodes)
    return ResolvedSelection(product, taken, _scopes(product, selection.scopes))


def resolve_selection_per_product(config: Config, selection: Selection) -> tuple[ResolvedSelection, ...]:
    """One for each product that is selected: `all` takes those that have the nodes and lanes. Raises SelectionError."""
    if selection.product != ALL:
        return (resolve_selection(config, selection),)
    fitting = [name for name in config.products if _has(config, name, selection)]
    if not fitting:
        refuse_unknown_words(_words_of_no_product(config, selection))
        raise SelectionError("no product has these nodes, lanes and scopes", where="--product all")
    return tuple(resolve_selection(config, replace(selection, product=name)) for name in fitting)


def resolve_shards(config: Config, selection: Selection) -> tuple[ConfiguredLane, ...]:
    """The lanes on nodes that a selection names, each alone, by node, product and lane: all products without one.

    Words of nodes and lanes are globs. Without a word for lanes, and by `all` or a glob, disabled lanes are left out.

    Raises SelectionError naming all words that stand for nothing, each with a close one.
    """
    if selection.product not in ("", ALL, *config.products):
        raise _unknown("product", selection.product, config.products)
    known = [one for one in config.lanes if selection.product in ("", ALL, one.product)]
    named = {one.product for one in known}
    refuse_unknown_words(
        [
            *_unmatched("node", selection.nodes, [one.node for one in known]),
            *_unmatched("lane", selection.lanes, [one.name for one in known]),
            *_absent("scope", selection.scopes, _scope_names(config, named)),
        ]
    )
    scopes = {word for word in selection.scopes if word != ALL}
    fitting = [
        one
        for one in known
        if _matches(one.node, selection.nodes)
        and _matches(one.name, selection.lanes)
        and (one.spec.enabled or one.name in selection.lanes)
        and scopes <= {scope.name for scope in config.products[one.product].spec.scopes}
    ]
    if not fitting:
        raise SelectionError(
            "no lane on a node has all that is named", where="--node, --lane, --product, --scope", remedy="name less"
        )
    return tuple(sorted(fitting, key=lambda one: (one.node, one.product, one.name)))


def _matches(name: str, words: Sequence[str]) -> bool:
    """Whether a glob of `words` names it, or none does because there is no word."""
    return not words or ALL in words or any(fnmatchcase(name, word) for word in words)


def select_product(config: Config, selection: Selection) -> str:
    """The one product that has the nodes and lanes; where several do, the one that is the default."""
    if len(config.products) == 1:
        return _only(config.products, "product", "--product")
    fitting = [name for name in config.products if _has(config, name, selection)] or list(config.products)
    chosen = [name for name in fitting if config.products[name].spec.default]
    return _only(chosen or fitting, "product", "--product")


def _has(config: Config, product: str, selection: Selection) -> bool:
    """Whether the product has all nodes that are named, and on one of them each lane."""
    nodes = config.nodes_of(product)
    wanted = [node for node in selection.nodes if node != ALL] or nodes
    lanes = {lane.name for node in wanted for lane in config.lanes_of(product, node)}
    scopes = {scope.name for scope in config.products[product].spec.scopes}
    return (
        set(wanted) <= set(nodes)
        and {lane for lane in selection.lanes if lane != ALL} <= lanes
        and {scope for scope in selection.scopes if scope != ALL} <= scopes
    )


def _unknown_words(config: Config, product: str, selection: Selection) -> list[SelectionError]:
    """What is wrong with the words about a product. A lane has to be on the node where that is one."""
    known = config.nodes_of(product)
    nodes = [] if ALL in selection.nodes else [node for node in known if node in selection.nodes]
    one = nodes[0] if len(nodes) == 1 else known[0] if len(known) == 1 else ""
    lanes = [lane.name for node in ([one] if one else known) for lane in config.lanes_of(product, node)]
    found = _absent("node", selection.nodes, known)
    if not selection.nodes and len(known) != 1:
        found.append(_which(known, "node", "--node"))
    return [
        *found,
        *_absent("lane", selection.lanes, lanes, f" on {one}" if one else ""),
        *_absent("scope", selection.scopes, [scope.name for scope in config.products[product].spec.scopes]),
    ]


def _words_of_no_product(config: Config, selection: Selection) -> list[SelectionError]:
    lanes = config.lanes
    return [
        *_absent("node", selection.nodes, [one.node for one in lanes]),
        *_absent("lane", selection.lanes, [one.name for one in lanes]),
        *_absent("scope", selection.scopes, _scope_names(config, config.products)),
    ]


def _scope_names(config: Config, products: Iterable[str]) -> list[str]:
    return [scope.name for product in products for scope in config.products[product].spec.scopes]


def _absent(what: str, words: Sequence[str], known: Sequence[str], where: str = "") -> list[SelectionError]:
    return [_unknown(what, word, known, where) for word in dict.fromkeys(words) if word not in (ALL, *known)]


def _unmatched(what: str, globs: Sequence[str], known: Sequence[str]) -> list[SelectionError]:
    words = dict.fromkeys(globs)
    return [_unknown(what, word, known) for word in words if not any(_matches(name, [word]) for name in known)]


def _nodes(config: Config, product: str, words: Sequence[str]) -> tuple[str, ...]:
    known = config.nodes_of(product)
    return known if not words or ALL in words else tuple(node for node in known if node in words)


def _lanes(config: Config, product: str, node: str, words: Sequence[str]) -> tuple[ConfiguredLane, ...]:
    lanes = config.lanes_of(product, node)
    if not words or ALL in words:
        return tuple(lane for lane in lanes if lane.spec.enabled)
    return tuple(lane for lane in lanes if lane.name in words)


def _scopes(product: Product, words: Sequence[str]) -> tuple[ProductTemplateScope, ...]:
    wanted = {scope.name for scope in product.scopes if _is_taken(scope, words)}
    wanted |= {name for scope in product.scopes if scope.name in wanted for name in scope.includes}
    return tuple(scope for scope in product.scopes if scope.name in wanted)


def _is_taken(scope: ProductTemplateScope, words: Sequence[str]) -> bool:
    """A scope that is not taken by default starts something: neither no word nor `all` may do so by accident."""
    return scope.name in words or (scope.default and (not words or ALL in words))


def _only(known: Iterable[str], what: str, option: str) -> str:
    names = tuple(known)
    if len(names) != 1:
        raise _which(names, what, option)
    return names[0]


def _which(names: Sequence[str], what: str, option: str) -> SelectionError:
    remedy = f"one of: {', '.join(names)}" if names else "none is declared"
    return SelectionError(f"which {what}?", where=option, remedy=remedy)


def _unknown(what: str, word: str, known: Iterable[str], where: str = "") -> SelectionError:
    return SelectionError(f"no {what} {word}{where}", where=f"--{what}", remedy=did_you_mean(word, known))
