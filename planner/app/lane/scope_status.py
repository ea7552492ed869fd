"""The status of single scopes, or of one service: each resource as it is and as it is wanted, and what is missing.

Reads as a plan does and plans nothing (decision A20, spec 02 S07).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from planner.address import Address
from planner.app.load_desired import load_configuration
from planner.app.plan_with_inputs import Only, gather_plan_inputs
from planner.app.request import Request
from planner.app.session import open_session
from planner.dataclass import dataclass
from planner.errors import SelectionError, refuse_unknown_words
from planner.loading.problems import did_you_mean
from planner.loading.selection import select_product
from planner.plan import ClusterIdentity, Selection
from planner.planning import PlanInputs
from planner.ports import PresentObject, Preview, PreviewEffect, UnreadableObject
from planner.resource import Resource

_IMAGES = "images"
_SERVICE_LABEL = "app.kubernetes.io/name"


@dataclass(frozen=True, slots=True)
class ScopeResourceStatus:
    """The status of one resource of a scope. `state` is `ok`, `to do` or `unreadable`; `missing` says that it is not
    there at all."""

    address: str
    scope: str
    state: str
    reason: str = ""
    missing: bool = False


@dataclass(frozen=True, slots=True)
class ScopeResourceStatuses:
    """The status of every resource of the scopes, in the order of the graph."""

    cluster: ClusterIdentity
    selection: Selection
    rows: tuple[ScopeResourceStatus, ...]

    @property
    def blockers(self) -> tuple[ScopeResourceStatus, ...]:
        """What is not as declared, or could not be read."""
        return tuple(row for row in self.rows if row.state != "ok")

    @property
    def exit_code(self) -> int:
        """0 all as declared, 1 something could not be read, 2 something is not as declared."""
        states = {row.state for row in self.rows}
        return 1 if "unreadable" in states else 2 if "to do" in states else 0


def read_scope_resource_statuses(request: Request) -> ScopeResourceStatuses:
    """Read whether each resource of the scopes, or of the services, that `request.scopes` names is as declared.
    Images that are built for the node count in every scope: what needs one cannot start while it is missing. Raises
    SelectionError for words that are neither."""
    request = _of_product(request)
    words, known = set(request.scopes), _known_scopes(request)
    services = words - known
    scopes = () if services else tuple(sorted(words | (known & {_IMAGES})))
    with open_session(replace(request, scopes=scopes)) as session:
        _check(services, known, session.stack.resources)
        inputs = gather_plan_inputs(session, only=_only(words, services)).inputs
    rows = tuple(_row(inputs, address) for address in inputs.graph.order())
    selection = replace(inputs.selection, targets=(), scopes=tuple(sorted(words)))
    return ScopeResourceStatuses(inputs.cluster, selection, rows)


def _of_product(request: Request) -> Request:
    """The request about the product that has the scopes among its words: a service is a scope of some products."""
    if request.plain or request.product:
        return request
    config = load_configuration(request)
    known = {scope.name for product in config.products.values() for scope in product.spec.scopes}
    scopes = tuple(word for word in request.scopes if word in known)
    return replace(request, product=select_product(config, Selection("", "", request.nodes, request.lanes, scopes)))


def _known_scopes(request: Request) -> set[str]:
    if request.plain:
        return set()
    products = load_configuration(request).products
    chosen = [products[request.product]] if request.product in products else list(products.values())
    return {scope.name for product in chosen for scope in product.spec.scopes}


def _check(services: set[str], known: set[str], resources: Iterable[Resource]) -> None:
    served = {name for one in resources for name in (one.address.name, _service_of(one))}
    near = known | {name for name in served if name}
    refuse_unknown_words(
        [
            SelectionError(
                f"{word} is neither a scope nor a service",
                where="--scope",
                remedy=did_you_mean(word, near) or f"one of: {', '.join(sorted(known))}",
            )
            for word in sorted(services - served)
        ]
    )


def _only(words: set[str], services: set[str]) -> Only:
    def wanted(resource: Resource) -> bool:
        if services:
            return resource.scope in words or bool({resource.address.name, _service_of(resource)} & services)
        return resource.scope != _IMAGES or _IMAGES in words or "build" in (resource.manifest.get("spec") or {})

    return wanted


def _service_of(resource: Resource) -> str:
    return str((resource.manifest["metadata"].get("labels") or {}).get(_SERVICE_LABEL) or "")


def _row(inputs: PlanInputs, address: Address) -> ScopeResourceStatus:
    seen, preview = inputs.observations.get(address), inputs.previews.get(address)
    scope, missing = inputs.resources[address].scope, not isinstance(seen, PresentObject | UnreadableObject)
    if isinstance(seen, UnreadableObject):
        return ScopeResourceStatus(address.local, scope, "unreadable", seen.reason)
    reason = inputs.unsourced.get(address, "") or _open(preview)
    return ScopeResourceStatus(address.local, scope, "to do" if reason else "ok", reason, missing and bool(reason))


def _open(preview: Preview | None) -> str:
    """What is still to be done, "" for nothing. A run that follows a change is not due while nothing changes."""
    if preview is None:
        return "not predicted"
    if preview.blocked or preview.effect is PreviewEffect.NONE:
        return preview.blocked or preview.awaiting
    return "" if preview.on_change is not None else _WORDS[preview.effect]


_WORDS = {
    PreviewEffect.CREATE: "missing",
    PreviewEffect.UPDATE: "differs from what is declared",
    PreviewEffect.REPLACE: "has to be replaced",
    PreviewEffect.RUN: "has to run",
}
