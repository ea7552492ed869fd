"""Who calls a workload whose pods stop or restart, as far as declared objects and texts say. Pure.

A caller is let in by a NetworkPolicy of the pods, or names one of the Services that select them: a route by its
backend, a monitor by its selector, anything else by the DNS name in a text
(https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/), or by the public host of a route. Values of
Secrets are not looked at: nobody here has them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from planner.address import Address
from planner.dataclass import dataclass
from planner.field_path import FieldPath, render_path
from planner.graph.build_graph import collect_edges
from planner.graph.resource_index import map_or_empty, maps_or_empty, pod_spec, text_or_empty
from planner.plan import SideEffect, SideEffectKind
from planner.resource import Resource
from planner.side_effects.configuration_readers import ALL_KEYS, configuration_read_mode
from planner.side_effects.network_policy_callers import NetworkPolicyCallerIndex
from planner.side_effects.text_leaves import text_leaves
from planner.side_effects.untouched_objects import UntouchedObjects
from planner.values import JsonObject, JsonValue

_MOST = 6  # callers that are named
_MOST_READERS = 3  # of one ConfigMap
_SHORT, _END = 4, 3  # parts of a path that are shown whole, and of a longer one
_SKIPPED = ("metadata", "status")
_NO_CALLERS = ("AppProject",)  # it only permits
_MONITORS = ("ServiceMonitor", "PodMonitor")
_DISTURBED = (SideEffectKind.OUTAGE, SideEffectKind.RESTART)
_NOBODY = (
    "none is known: no declared object names a Service of it (values of Secrets and calls by the code of a service are"
    " not seen)"
)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")  # as RFC 1123 has it
_Label: TypeAlias = tuple[str, str, str]  # namespace, key, value
_Text: TypeAlias = tuple[Resource, FieldPath, str]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """How a workload is called: the labels of its pods, and the Services in front of them."""

    workload: Address
    labels: JsonObject
    services: tuple[Resource, ...]


def effects_on_callers(
    disturbed: Sequence[SideEffect],
    resources: Mapping[Address, Resource],
    gone: Sequence[Resource],
    others: UntouchedObjects,
) -> Iterator[SideEffect]:
    """Side effects on callers: those known of each workload and Service of which `disturbed` says that pods stop or
    restart. That none is known is said only where nobody is served for a time."""
    found = {one.address: one.kind for one in reversed(disturbed) if one.kind in _DISTURBED}
    if not found:
        return
    staying = {one.address: one for one in (*others.live, *(one for _, one in others.all_delivered()))}
    staying |= {address: one for address, one in resources.items() if address not in others.delivered}
    going = {one.address: one for one in gone}
    known = {**staying, **going}
    services = _services_by_label(known.values())
    endpoints = [one for address in dict.fromkeys(found) if (one := _endpoint(address, known, services)) is not None]
    callers = _Callers([one for address, one in staying.items() if address not in going], known, endpoints)
    for one in endpoints:
        named = list(callers.of(one))
        if named:
            more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
            yield SideEffect(one.workload, SideEffectKind.CALLERS, ", ".join(named[:_MOST]) + more)
        elif found[one.workload] is SideEffectKind.OUTAGE:
            yield SideEffect(one.workload, SideEffectKind.CALLERS, _NOBODY)


def _services_by_label(resources: Iterable[Resource]) -> dict[_Label, list[Resource]]:
    """The Services by namespace and the first label of their selector: a pod that one selects has it."""
    found: dict[_Label, list[Resource]] = defaultdict(list)
    for one in resources:
        if (one.address.kind, one.address.group) == ("Service", ""):
            for key, value in list(map_or_empty(map_or_empty(one.manifest.get("spec")).get("selector")).items())[:1]:
                found[one.address.namespace, key, str(value)].append(one)
    return found


def _endpoint(
    address: Address, known: Mapping[Address, Resource], services_by_label: Mapping[_Label, list[Resource]]
) -> _Endpoint | None:
    """None for what is no workload and no Service."""
    one = known.get(address)
    if one is None:
        return None
    if (address.kind, address.group) == ("Service", ""):
        return _Endpoint(address, {}, (one,))
    if pod_spec(one.manifest) is None:
        return None
    template = map_or_empty(map_or_empty(one.manifest.get("spec")).get("template"))
    labels = _labels(template)
    services = (
        each
        for key, value in labels.items()
        for each in services_by_label.get((address.namespace, key, str(value)), ())
        if _selects(map_or_empty(each.manifest.get("spec")).get("selector"), labels)
    )
    return _Endpoint(address, labels, tuple(services))


def _labels(holder: JsonObject) -> JsonObject:
    return map_or_empty(map_or_empty(holder.get("metadata")).get("labels"))


def _selects(selector: JsonValue, labels: JsonObject) -> bool:
    wanted = map_or_empty(selector)
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


class _Callers:
    """All candidates, read once: routes by the Service that they lead to, texts by the names that stand in them."""

    def __init__(
        self, candidates: Sequence[Resource], known: Mapping[Address, Resource], endpoints: Sequence[_Endpoint]
    ) -> None:
        self.candidates = {one.address: one for one in candidates if one.address.kind not in _NO_CALLERS}
        self.monitors = [one for one in candidates if one.address.kind in _MONITORS]
        self.policies = NetworkPolicyCallerIndex(candidates)
        services = {one.address: one for endpoint in endpoints for one in endpoint.services}
        self.routes = _routes([one for one in known.values() if _is_route(one)], services)
        hosts = {host for routes in self.routes.values() for one in routes for host in _hosts(one.manifest)}
        self.texts = _texts(candidates, {one.name for one in services} | hosts)

    def of(self, endpoint: _Endpoint) -> Iterator[str]:
        """Each caller of one workload, with the field or host by which it is known."""
        routes = [one for service in endpoint.services for one in self.routes.get(service.address, ())]
        hosts = sorted({host for one in routes for host in _hosts(one.manifest)})
        named = {one.address: one for one in routes}
        own = {endpoint.workload.local, *(one.address.local for one in endpoint.services)}
        fields = self._naming_fields(endpoint, hosts)
        allowed = dict(self.policies.of(endpoint.workload.namespace, endpoint.labels))
        monitors = {one.address for one in self.monitors if _monitors(one, endpoint)}
        for address in sorted({*named, *fields, *monitors, *(one for one in allowed if isinstance(one, Address))}):
            one = self.candidates.get(address)
            if one is None or address.local in own:
                continue
            if address in named:
                yield f"{one.address.local} ({', '.join(_hosts(one.manifest)) or 'every host'})"
            elif address in monitors:
                yield f"{one.address.local} (scrapes it)"
            elif (path := fields.get(address)) is not None:
                yield f"{one.address.local} ({_brief(path)}){self._readers(one, path, own)}"
            else:
                yield f"{address.local} (allowed by NetworkPolicy {allowed[address]})"
        yield from (f"{one} (allowed by NetworkPolicy {by})" for one, by in allowed.items() if isinstance(one, str))

    def _naming_fields(self, endpoint: _Endpoint, hosts: Sequence[str]) -> dict[Address, FieldPath]:
        """Of each object the first field whose text names the workload by DNS, or by a public host."""
        found: dict[Address, FieldPath] = {}
        for service in endpoint.services:
            for one, path, text in self.texts.get(service.address.name, ()):
                if one.address not in found and _dns_pattern(service, one.address.namespace).search(text):
                    found[one.address] = path
        for host in hosts:
            for one, path, _ in self.texts.get(host, ()):
                found.setdefault(one.address, path)
        return found

    def _readers(self, one: Resource, path: FieldPath, own: Collection[str]) -> str:
        """Of a ConfigMap the workloads that read it: they are the ones that call."""
        if (one.address.kind, one.address.group) != ("ConfigMap", ""):
            return ""
        keys = frozenset({str(path[1]), "*"}) if len(path) > 1 else ALL_KEYS
        readers = [
            each.address.local
            for each in self.candidates.values()
            if each.address.namespace == one.address.namespace
            and each.address.local not in own
            and pod_spec(each.manifest) is not None
            and configuration_read_mode(each.manifest, one.address, keys) is not None
        ]
        more = f" and {len(readers) - _MOST_READERS} more" if len(readers) > _MOST_READERS else ""
        return f" read by {' and '.join(readers[:_MOST_READERS])}{more}" if readers else ""


def _brief(path: FieldPath) -> str:
    """The end of a long path: `env[name=API_URL].value`."""
    return render_path(path if len(path) <= _SHORT else path[-_END:])


def _is_route(one: Resource) -> bool:
    return one.address.kind == "Ingress" or one.address.kind.endswith("Route")


def _routes(routes: Sequence[Resource], services: Mapping[Address, Resource]) -> dict[Address, list[Resource]]:
    """The routes of each Service, by the rule of the graph."""
    by_address = {one.address: one for one in routes}
    found: dict[Address, list[Resource]] = defaultdict(list)
    for edge in collect_edges([*routes, *services.values()]) if routes and services else ():
        route = by_address.get(edge.after) if edge.rule == "backend" and edge.before in services else None
        if route is not None and route not in found[edge.before]:
            found[edge.before].append(route)
    return found


def _hosts(route: JsonObject) -> Iterator[str]:
    """The public host names of an Ingress or a route of the Gateway API."""
    spec = map_or_empty(route.get("spec"))
    names = spec.get("hostnames")
    yield from (text for text in names if isinstance(text, str)) if isinstance(names, list) else ()
    yield from (host for rule in maps_or_empty(spec.get("rules")) if (host := text_or_empty(rule.get("host"))))


def _texts(candidates: Sequence[Resource], names: Collection[str]) -> dict[str, list[_Text]]:
    """Where each name stands as a host, or as the first label of one."""
    found: dict[str, list[_Text]] = defaultdict(list)
    for one in candidates if names else ():
        for path, text in text_leaves(one.manifest):
            if path[0] in _SKIPPED or path[-1] == "image":
                continue
            for token in dict.fromkeys(_HOST.findall(text)):
                for name in {token, token.partition(".")[0]} & set(names):
                    found[name].append((one, path, text))
    return found


def _monitors(one: Resource, endpoint: _Endpoint) -> bool:
    selector = map_or_empty(map_or_empty(one.manifest.get("spec")).get("selector")).get("matchLabels")
    if one.address.namespace != endpoint.workload.namespace:
        return False
    if one.address.kind == "PodMonitor":
        return _selects(selector, endpoint.labels)
    return any(_selects(selector, _labels(each.manifest)) for each in endpoint.services)


def _dns_pattern(service: Resource, namespace: str) -> re.Pattern[str]:
    """What a Service is called by in texts of a namespace: everywhere with its own namespace; in that one also by its
    bare name, where it can only be a host (behind `//`, `@` or a word for a host, or before one of its ports)."""
    name, own = re.escape(service.address.name), re.escape(service.address.namespace)
    ways = [rf"(?<![\w.-]){name}\.{own}(?![\w-])"]
    if namespace == service.address.namespace:
        declared = maps_or_empty(map_or_empty(service.manifest.get("spec")).get("ports"))
        ports = [str(port) for one in declared if isinstance(port := one.get("port"), int)]
        ways += [rf"(?<=//){name}(?=[:/?]|$)", rf"(?<=@){name}(?=[:/?]|$)"]
        ways += [rf"(?i:host|server)\s*[=:]\s*{name}(?![\w.-])"]
        ways += [rf"(?<![\w.-]){name}:(?:{'|'.join(ports)})(?!\d)"] if ports else []
    return re.compile("|".join(ways))
