"""One command's session: state, stack and world opened together, closed together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from planner.address import is_own_kind
from planner.app.load import Stack, load
from planner.app.request import Request
from planner.app.world import World, open_store, open_world
from planner.redaction import GUARD
from planner.values import leaves
from state.store import StateStore

# Fields of hwplan kinds that say where something is: pages show them.
_PLACES = frozenset({"baseUrl", "path", "ref", "remote", "server", "source", "target", "url"})


@dataclass(frozen=True, slots=True)
class Session:
    """What an operation works with."""

    request: Request
    store: StateStore
    stack: Stack
    world: World


@contextmanager
def opened(request: Request) -> Iterator[Session]:
    """Open the state, load what is desired, open the world. Raises ConfigError, StateError, SelectionError."""
    with open_store(request) as store:
        stack = load(request, store.fingerprinter())
        with opened_with(request, store, stack) as session:
            yield session


@contextmanager
def opened_with(request: Request, store: StateStore, stack: Stack) -> Iterator[Session]:
    """The same with a stack that is loaded already."""
    GUARD.publish(_public_names(request, stack))
    with open_world(request, stack.secrets, store, context=stack.context) as world:
        yield Session(request, store, stack, world)


def _public_names(request: Request, stack: Stack) -> Iterator[str]:
    """What pages show in any case: a secret value that reads like one of them cannot be hidden anyway."""
    yield from {text for one in stack.resources for text in (one.api_version, one.source.file)}
    for one in stack.resources:
        yield str(one.address)
        if is_own_kind(one.api_version):
            named = (leaf for path, leaf in leaves(one.manifest["spec"]) if path[-1:] and path[-1] in _PLACES)
            yield from (leaf for leaf in named if isinstance(leaf, str))
    yield from (*stack.owned, *stack.nodes, *stack.lanes, *stack.scopes, stack.product, stack.context)
    yield from (str(request.config), str(request.live), request.state, request.kubeconfig, *request.files)
