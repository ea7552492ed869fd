"""The plan of an Argo CD sync: what of a selection `hwplan sync` plans (S13).

Of a product that is its scope `sync`, of plain manifests the kinds about Argo CD; and what these name to come first,
such as the Secret that a store starts with. Everything else of these scopes is left to `apply`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from planner.address import is_hwplan_kind
from planner.app.plan_with_inputs import Only, PlanWithInputs, plan_selected_resources
from planner.app.request import Request
from planner.app.session import Session, open_session
from planner.errors import SelectionError
from planner.resource import Resource

SCOPE = "sync"
_KINDS = frozenset({"ArgoRepair", "ArgoSync", "GitHead"})


@contextmanager
def open_argo_sync_plan(request: Request) -> Iterator[tuple[PlanWithInputs, Session]]:
    """The plan of the repairs and the sync; the session stays open for whoever applies it.

    Raises SelectionError for words that a sync does not take, and where nothing selected names an Application.
    """
    if request.scopes or request.targets or request.exclude:
        raise SelectionError("a sync takes a node and lanes", remedy="hwplan sync --node NODE --lane LANE")
    with open_session(request if request.plain else replace(request, scopes=(SCOPE,))) as session:
        only = _only(session)
        yield plan_selected_resources(session, only=only), session


def _only(session: Session) -> Only:
    resources = session.stack.resources
    ours = [one for one in resources if _is_part(one, session.request)]
    if not any(one.address.kind in ("ArgoRepair", "ArgoSync") for one in ours):
        raise SelectionError(
            "nothing that is selected repairs or syncs an Application",
            where=", ".join((*session.stack.nodes, *session.stack.lanes)),
            remedy=f"declare an ArgoSync in the scope {SCOPE}; a lane needs gitMirror.url and its gitopsBranch there",
        )
    names = {address.local for one in ours for address in one.options.depends_on}
    return lambda one: _is_part(one, session.request) or one.address.local in names


def _is_part(resource: Resource, request: Request) -> bool:
    if request.plain:
        return is_hwplan_kind(resource.api_version) and resource.address.kind in _KINDS
    return resource.scope == SCOPE
