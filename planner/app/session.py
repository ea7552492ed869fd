"""One command's session: state, stack and world opened together, closed together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from planner.app.declared_names_left_unredacted import leave_declared_names_unredacted
from planner.app.load_desired import DesiredStack, load_desired, load_selected_configuration
from planner.app.request import Request
from planner.app.runtime import Runtime, open_runtime, open_state_store
from planner.dataclass import dataclass
from planner.errors import ForeignPlan
from planner.plan import ClusterIdentity
from planner.redaction.redactor import REDACTOR
from state.state_store import StateStore

if TYPE_CHECKING:
    from planner.loading.config import Config


@dataclass(frozen=True, slots=True)
class Session:
    """State, stack and world of one operation, open together. `config` is the configuration that the stack is of,
    where there is one: it is read once for a command."""

    request: Request
    store: StateStore
    stack: DesiredStack
    world: Runtime
    config: Config | None = None


@contextmanager
def open_session(request: Request, config: Config | None = None) -> Iterator[Session]:
    """Open a session: open the state, load what is desired, from `config` where it was read already, open the world.
    Raises ConfigError, StateError, SelectionError."""
    with open_state_store(request) as store:
        if config is None and not request.plain and not request.name:
            config = load_selected_configuration(request)
        stack = load_desired(request, store.fingerprinter(), config)
        with open_session_of_loaded_stack(request, store, stack, config) as session:
            yield session


@contextmanager
def open_session_of_loaded_stack(
    request: Request, store: StateStore, stack: DesiredStack, config: Config | None = None
) -> Iterator[Session]:
    """Open a session of a stack that is loaded already."""
    leave_declared_names_unredacted(request, stack)
    with open_runtime(request, stack.secrets, store, context=stack.context) as world:
        yield Session(request, store, stack, world, config)


def identify_cluster(session: Session) -> ClusterIdentity:
    """Which cluster this is. Raises ForeignPlan when the configuration insists on another one."""
    stack, identity = session.stack, session.world.identity()
    REDACTOR.publish([identity.server])
    if stack.cluster_uid and stack.cluster_uid != identity.uid:
        raise ForeignPlan(
            f"the configuration insists on cluster {stack.cluster_uid[:8]}, this is {identity.uid[:8]}",
            where=identity.server,
            remedy="choose the cluster with --kubeconfig and --context",
        )
    return identity
