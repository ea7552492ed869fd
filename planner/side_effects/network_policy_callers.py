"""Who a NetworkPolicy lets call a workload: pods of declared workloads by their labels, and whole namespaces. Pure.

Rules: https://kubernetes.io/docs/concepts/services-networking/network-policies/ (`from` alone, with both selectors).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from planner.address import Address
from planner.graph.resource_index import map_or_empty, maps_or_empty, pod_spec
from planner.resource import Resource
from planner.values import JsonObject, JsonValue

_POLICY = ("NetworkPolicy", "networking.k8s.io")


class NetworkPolicyCallerIndex:
    """Finds who a NetworkPolicy lets call a workload: an index of the policies and workloads, made once."""

    def __init__(self, known: Sequence[Resource]) -> None:
        self._policies: dict[str, list[Resource]] = defaultdict(list)
        self._workloads: dict[tuple[str, str, str], list[tuple[Address, JsonObject]]] = defaultdict(list)
        for one in known:
            namespace = one.address.namespace
            if (one.address.kind, one.address.group) == _POLICY:
                self._policies[namespace].append(one)
            elif pod_spec(one.manifest) is not None:
                template = map_or_empty(map_or_empty(one.manifest.get("spec")).get("template"))
                labels = map_or_empty(map_or_empty(template.get("metadata")).get("labels"))
                for key, value in labels.items():
                    self._workloads[namespace, key, str(value)].append((one.address, labels))

    def of(self, namespace: str, labels: JsonObject) -> Iterator[tuple[Address | str, str]]:
        """Each workload, or group of namespaces, that a policy lets reach pods with these labels, and the name of the
        policy. What a policy allows to everybody names nobody."""
        for policy in self._policies.get(namespace, ()):
            spec = map_or_empty(policy.manifest.get("spec"))
            selector = map_or_empty(map_or_empty(spec.get("podSelector")).get("matchLabels"))
            if not selector or not _has(labels, selector):  # one for the whole namespace says nothing of this workload
                continue
            for rule in maps_or_empty(spec.get("ingress")):
                for peer in maps_or_empty(rule.get("from")):
                    yield from ((one, policy.address.name) for one in self._peers(peer, namespace))

    def _peers(self, peer: JsonObject, namespace: str) -> Iterator[Address | str]:
        pods = map_or_empty(map_or_empty(peer.get("podSelector")).get("matchLabels"))
        if isinstance(peer.get("namespaceSelector"), dict):
            named = map_or_empty(map_or_empty(peer["namespaceSelector"]).get("matchLabels"))
            where = ", ".join(f"{key}={value}" for key, value in (*named.items(), *pods.items()))
            yield (
                f"pods of namespaces with {where}" if named else f"pods of any namespace{' with ' * bool(where)}{where}"
            )
            return
        for key, value in list(pods.items())[:1]:  # a pod that is selected has the first label
            for address, labels in self._workloads.get((namespace, key, str(value)), ()):
                if _has(labels, pods):
                    yield address


def _has(labels: JsonObject, wanted: JsonValue) -> bool:
    return all(labels.get(key) == value for key, value in map_or_empty(wanted).items())
