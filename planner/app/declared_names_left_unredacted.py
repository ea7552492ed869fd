"""Names that pages show in any case: the redactor leaves them in every text, whatever a secret reads like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.address import is_hwplan_kind
from planner.redaction.redactor import REDACTOR
from planner.values import value_leaves

if TYPE_CHECKING:
    from planner.app.load_desired import DesiredStack
    from planner.app.request import Request

# Fields of hwplan kinds that say where something is: pages show them.
_LOCATIONS = frozenset({"baseUrl", "path", "ref", "remote", "server", "source", "target", "url"})


def leave_declared_names_unredacted(request: Request, stack: DesiredStack) -> None:
    """Tell the redactor the names of everything that is declared, and the selecting words: they stay in every text."""
    REDACTOR.publish(_names(request, stack))


def _names(request: Request, stack: DesiredStack) -> Iterator[str]:
    yield from {text for one in stack.resources for text in (one.api_version, one.source.file)}
    for one in stack.resources:
        yield str(one.address)
        if is_hwplan_kind(one.api_version):
            named = (leaf for path, leaf in value_leaves(one.manifest["spec"]) if path[-1:] and path[-1] in _LOCATIONS)
            yield from (leaf for leaf in named if isinstance(leaf, str))
    yield from (*stack.owned, *stack.nodes, *stack.lanes, *stack.scopes, stack.product, stack.context)
    yield from (str(request.config), str(request.live), request.state, request.kubeconfig, *request.files)
