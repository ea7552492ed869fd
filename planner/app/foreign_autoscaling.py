"""Replicas that a plan sets and that an autoscaler in the cluster sets as well: the two would take turns. Says so.

An autoscaler writes through the subresource `scale`, mostly as `kube-controller-manager`, which says nothing of an
autoscaler; so it is looked for by what it targets, whoever declared it. Asked only where a plan changes replicas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.address import Address
from planner.errors import ProviderError
from planner.graph.resource_index import map_or_empty
from planner.plan import FieldOp
from planner.planning.autoscaled_objects import AUTOSCALER, REPLICAS, target_of_autoscaler
from planner.planning.plan_inputs import PlanInputs
from planner.values import JsonObject
from providers.cluster_interface import Cluster, KubernetesListScope
from providers.kubernetes.object_location import served_kind


def warn_of_autoscaled_replicas(inputs: PlanInputs, cluster: Cluster) -> Iterator[str]:
    """A warning for each object whose replicas are about to be set although an autoscaler that stays sets them; also
    where the autoscalers of its namespace cannot be read."""
    scaled = sorted(address for address in inputs.previews if _is_scaled(inputs, address))
    if not scaled:
        return
    found, unread = _autoscalers(cluster, {one.namespace: one.node_lane for one in scaled})
    going = {one.address for one in inputs.strays}
    for address in scaled:
        if address.namespace in unread:
            yield f"{address.local}: whether an autoscaler sets spec.replicas is not known: {unread[address.namespace]}"
        for scaler, spec in found.items():
            if target_of_autoscaler(scaler, spec) == address and scaler not in going:
                bounds = f"{spec.get('minReplicas', 1)} to {spec.get('maxReplicas')}"
                yield (
                    f"{address.local}: {scaler.local} sets spec.replicas ({bounds}), and will set it again:"
                    " declare no replicas, or take the autoscaler away"
                )


def _is_scaled(inputs: PlanInputs, address: Address) -> bool:
    """Whether replicas become other ones; none at all is no contest, because it pauses an autoscaler."""
    return any(
        one.path == REPLICAS and one.op is FieldOp.CHANGE and one.after != 0 for one in inputs.previews[address].fields
    )


def _autoscalers(cluster: Cluster, places: Mapping[str, str]) -> tuple[dict[Address, JsonObject], dict[str, str]]:
    """The `spec` of each autoscaler in these namespaces, and why those of a namespace cannot be read."""
    try:
        kind = served_kind(cluster, "autoscaling/v2", AUTOSCALER)
    except ProviderError as error:
        return {}, dict.fromkeys(places, error.message)
    if kind is None:
        return {}, {}
    found: dict[Address, JsonObject] = {}
    unread: dict[str, str] = {}
    for place, answer in cluster.list([KubernetesListScope(kind, namespace) for namespace in sorted(places)]).items():
        if isinstance(answer, ProviderError):
            unread[place.namespace] = answer.message
            continue
        for one in answer:
            name = str(one["metadata"]["name"])
            address = Address(places[place.namespace], AUTOSCALER, "autoscaling", place.namespace, name)
            found[address] = map_or_empty(one.get("spec"))
    return dict(sorted(found.items())), unread
