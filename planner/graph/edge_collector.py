"""What edge rules add edges with: it has the resource at hand and turns what a field of it names into edges, if
declared."""

from __future__ import annotations

from typing import TypeAlias

from planner.address import Address
from planner.dataclass import dataclass
from planner.graph.edge import Edge
from planner.graph.resource_index import ResourceIndex, map_or_empty, text_or_empty
from planner.resource import Resource
from planner.values import Json, JsonObject, JsonValue

Missing: TypeAlias = tuple[Resource, Address, str]


@dataclass(frozen=True, slots=True)
class EdgeCollector:
    """Adds the edges into one resource. `edges` and `missing` are shared by all collectors of one graph."""

    resource: Resource
    index: ResourceIndex
    edges: list[Edge]
    missing: list[Missing]

    @property
    def manifest(self) -> JsonObject:
        return self.resource.manifest

    @property
    def spec(self) -> JsonObject:
        return map_or_empty(self.resource.manifest.get("spec"))

    def after(self, before: Address | None, rule: str, field: str, *, explicit: bool = False) -> None:
        """The resource in hand comes after `before`, if that is declared and another one."""
        if before is not None and before != self.resource.address:
            self.edges.append(Edge(before, self.resource.address, rule, field, explicit))

    def names(
        self, rule: str, field: str, kind: str, name: Json, group: str = "", namespace: str | None = None
    ) -> None:
        """The resource in hand names another one, in its own namespace unless stated otherwise ("" for the cluster)."""
        if isinstance(name, str) and name:
            address = self.resource.address
            where = address.namespace if namespace is None else namespace
            self.after(self.index.by_key.get((address.node_lane, kind, group, where, name)), rule, field)

    def names_secret(self, rule: str, field: str, name: JsonValue, namespace: str | None = None) -> None:
        """As `names`, for a Secret: whoever declares it, as an object or as a SecretSource that writes it."""
        if wanted := text_or_empty(name):
            where = self.resource.address.namespace if namespace is None else namespace
            self.names(rule, field, "Secret", wanted, namespace=where)
            self.after(self.index.secret_sources.get((self.resource.address.node_lane, where, wanted)), rule, field)

    def refers(self, address: Address, rule: str, field: str) -> None:
        """An address that the author wrote for hwplan: it has to be declared."""
        found = self.index.resolve(address, self.resource.address.node_lane)
        if found is None:
            self.missing.append((self.resource, address, field))
        self.after(found, rule, field, explicit=True)
