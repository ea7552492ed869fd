"""Owned sets that nobody declares any more: a lane or a node that left the configuration. Found, and named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from planner.address import Address
from planner.app.load_desired import DesiredStack, load_configuration, stack_without_resources
from planner.app.request import Request
from planner.app.runtime import open_state_store
from planner.app.session import Session, open_session_of_loaded_stack
from planner.errors import SelectionError
from planner.ports import ReadResult


def warn_of_undeclared_owned_sets_in_cluster(session: Session, seen: ReadResult) -> tuple[str, ...]:
    """A warning for each set of the product that was seen in the cluster and that no node or lane declares."""
    return tuple(
        f"the set {name} is in the cluster, and no node or lane declares it: hwplan destroy --set {name} takes it away"
        for name in sorted(_undeclared(session, seen.sets))
    )


def remarks_on_undeclared_sets_only_in_state(session: Session, seen: ReadResult) -> Mapping[Address, str]:
    """Remarks about undeclared owned sets that only the state knows, of this node or of one that is gone: one object
    each."""
    if not session.stack.product:  # what is not of a product is declared by no configuration
        return {}
    first: dict[str, Address] = {}
    for record in session.store.records():
        first.setdefault(record.owned_by, record.address)
    names = _undeclared(session, first.keys() - set(seen.sets))
    return {
        first[name]: f"of the set {name}, which no node or lane declares: hwplan destroy --set {name} takes it away"
        for name in sorted(names)
        if _is_of_here(session, name)
    }


def suggest_similar_owned_set(name: str, session: Session, seen: ReadResult) -> str:
    """A suggestion for a set that is not known: the closest of those in the cluster and in the state."""
    from planner.loading.problems import did_you_mean

    known = set(seen.sets).union(record.owned_by for record in session.store.records())
    return did_you_mean(name, sorted(known - {name})) or f"known sets: {', '.join(sorted(known)) or 'none'}"


@contextmanager
def open_owned_set_session(request: Request, name: str) -> Iterator[Session]:
    """A session about a set by its name, in the cluster of its node where the configuration knows that.

    Raises SelectionError for a set that is still declared: its node and lane select it.
    """
    asked = replace(request, name=name)
    with open_state_store(request) as store:
        stack = (
            _of_its_node(stack_without_resources(asked), request, name)
            if request.config.is_dir()
            else stack_without_resources(asked)
        )
        with open_session_of_loaded_stack(asked, store, stack) as session:
            yield session


def _of_its_node(stack: DesiredStack, request: Request, name: str) -> DesiredStack:
    config = load_configuration(request)
    product, _, rest = name.partition(".")
    node, _, lane = rest.partition(".")
    if product in config.products and name in config.sets_of(product):
        words = f"--node {node}" + (f" --lane {lane}" if lane else "")
        raise SelectionError(f"the set {name} is declared", where="--set", remedy=f"hwplan destroy {words}")
    if node not in config.nodes:
        return stack
    spec = config.nodes[node].spec
    return replace(stack, context=spec.kube_context, cluster_uid=spec.cluster_uid or "")


def _undeclared(session: Session, names: Iterable[str]) -> set[str]:
    stack = session.stack
    known = stack.declared_sets.union(stack.owned)
    return {name for name in names if stack.product and name.startswith(f"{stack.product}.") and name not in known}


def _is_of_here(session: Session, name: str) -> bool:
    """Whether it is a set of the planned node, or of none that is declared: the state may know many clusters."""
    node = ".".join(name.split(".")[:2])
    here = {f"{session.stack.product}.{one}" for one in session.stack.nodes}
    return node in here or node not in session.stack.declared_sets
