"""Filters of resources by kind: what `hwplan mirror`, `image` and `secret` mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.address import Address, is_hwplan_kind
from planner.app.request import Request
from planner.loading.selection import ALL
from planner.resource import Resource
from planner.values import OutputTemplate

if TYPE_CHECKING:
    from planner.app.plan_with_inputs import Only
    from planner.loading.config import Config


def is_git_ref(resource: Resource) -> bool:
    """Whether a resource is about git refs."""
    return _is(resource, "GitHead", "GitRef")


def without_git_refs_of_other_lanes(request: Request, only: Only, config: Config | None = None) -> Only:
    """`only`, less the refs of branches that belong to other lanes, where `request` names lanes.

    A mirror serves all lanes of a node; what its refs are called follows from the branches of each lane. `config` where
    it was read already.
    """
    from planner.app.load_desired import load_selected_configuration, requested_selection
    from planner.loading.selection import resolve_selection_per_product

    if request.plain or not request.lanes or ALL in request.lanes:
        return only
    config = config or load_selected_configuration(request)
    products = {one.product.name for one in resolve_selection_per_product(config, requested_selection(request))}
    foreign: set[str] = set()
    own: set[str] = set()
    for lane in config.lanes:
        if lane.product in products and (not request.nodes or lane.node in request.nodes):
            branches = {one for one in (lane.spec.source_branch, lane.spec.gitops_branch) if one}
            own |= branches if lane.name in request.lanes else set()
            foreign |= branches if lane.name not in request.lanes else set()
    others = foreign - own
    return lambda one: only(one) and not (is_git_ref(one) and any(_is_about(one, branch) for branch in others))


def _is_about(resource: Resource, branch: str) -> bool:
    """Whether a head, a ref or a snapshot ref (which has the branch inside) is about the branch."""
    if not is_git_ref(resource):
        return False
    spec = resource.manifest["spec"]
    refs = [spec.get("branch"), *(spec[side].get("ref") for side in ("from", "to") if side in spec)]
    texts = [ref.parts[0] if isinstance(ref, OutputTemplate) else ref for ref in refs]
    return any(f"/{branch}/" in f"/{text}/" for text in texts if isinstance(text, str))


def is_git_mirror_sync(resource: Resource) -> bool:
    """Whether a resource brings upstream branches and snapshots into the git mirror, or is a head that they take."""
    return _is(resource, "GitHead") or (_is(resource, "GitRef") and _mode(resource) != "fast-forward")


def is_git_mirror_flush(resource: Resource) -> bool:
    """Whether a resource brings promoted branches from the git mirror back to the upstream, fast-forward only."""
    return _is(resource, "GitRef") and _mode(resource) == "fast-forward"


def is_registry_image(resource: Resource) -> bool:
    """Whether a resource is an image of the registry, copied or built."""
    return _is(resource, "RegistryImage")


def is_copied_image(resource: Resource) -> bool:
    """Whether a resource is an image that is copied into the registry."""
    return is_registry_image(resource) and "source" in resource.manifest["spec"]


def is_built_image(resource: Resource) -> bool:
    """Whether a resource is an image that is built from a Dockerfile."""
    return is_registry_image(resource) and "build" in resource.manifest["spec"]


def is_retention_of_kind(kind: str) -> Only:
    """A predicate: whether a resource is the Retention that says which ended objects of `kind` go."""

    def only(resource: Resource) -> bool:
        return _is(resource, "Retention") and resource.manifest["spec"]["selector"]["kind"] == kind

    return only


def is_retention_of_inactive_objects(resource: Resource) -> bool:
    """Whether a resource is a Retention that says which objects go that run on without a sign of life."""
    return _is(resource, "Retention") and "activity" in resource.manifest["spec"]


def is_declared_secret(resource: Resource) -> bool:
    """Whether a resource is a declared Secret; also those that come from a SecretSource."""
    return resource.api_version == "v1" and resource.address.kind == "Secret"


def selects_no_resource(resource: Resource) -> bool:
    """False for every declared resource: the filter of verbs that only take away."""
    return False


def is_secret_address(address: Address) -> bool:
    """Whether an address is that of a Secret, among what nobody declares any more."""
    return (address.kind, address.group) == ("Secret", "")


def _is(resource: Resource, *kinds: str) -> bool:
    return is_hwplan_kind(resource.api_version) and resource.address.kind in kinds


def _mode(resource: Resource) -> str:
    return str(resource.manifest["spec"].get("mode", ""))
