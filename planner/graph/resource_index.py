"""Look-up tables over the declared resources, made once, so that every rule finds what a field names in one step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import TypeAlias

from planner.address import Address
from planner.dataclass import dataclass
from planner.resource import Resource
from planner.values import JsonObject, JsonValue

Key: TypeAlias = tuple[
    str, str, str, str, str
]  # node_lane, kind, group, namespace, name: cheaper to make than an Address
Named: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ResourceIndex:
    """Declared resources by what others know them by. All keys start with the node_lane: rules never cross places.

    `crds` is by group and kind, `bindings` by namespace and name of a bound ServiceAccount, `secret_sources` by the
    Secret they write, `images` by target, `cluster_roles` by node_lane alone, `workloads` by namespace, `by_name` by
    kind and name alone. `pods` has where the pod specification of a workload is, and the specification.
    """

    by_key: dict[Key, Address] = field(default_factory=dict)
    by_name: dict[Named, list[Address]] = field(default_factory=dict)
    resources: dict[Address, Resource] = field(default_factory=dict)
    crds: dict[Named, Address] = field(default_factory=dict)
    bindings: dict[Named, list[Address]] = field(default_factory=dict)
    secret_sources: dict[Named, Address] = field(default_factory=dict)
    images: dict[tuple[str, str], Address] = field(default_factory=dict)
    cluster_roles: dict[str, list[Address]] = field(default_factory=dict)
    workloads: dict[tuple[str, str], list[Resource]] = field(default_factory=dict)
    pods: dict[Address, tuple[str, JsonObject]] = field(default_factory=dict)

    def find(self, node_lane: str, kind: str, group: str, namespace: str, name: str) -> Address | None:
        """The declared resource of that identity, if there is one."""
        return self.by_key.get((node_lane, kind, group, namespace, name))

    def resolve(self, address: Address, node_lane: str) -> Address | None:
        """What an address written in a resource at `node_lane` means: without a node_lane, the author's own."""
        return self.by_key.get(
            (address.node_lane or node_lane, address.kind, address.group, address.namespace, address.name)
        )


def index_resources(resources: Iterable[Resource]) -> ResourceIndex:
    """Read every resource once."""
    index = ResourceIndex()
    for resource in resources:
        address = resource.address
        index.resources.setdefault(address, resource)
        index.by_key.setdefault(
            (address.node_lane, address.kind, address.group, address.namespace, address.name), address
        )
        index.by_name.setdefault((address.node_lane, address.kind, address.name), []).append(address)
        if address.kind in _KNOWN_BY_MORE:
            _enter(index, resource)
        elif found := pod_spec(resource.manifest):
            index.pods[address] = found
            index.workloads.setdefault((address.node_lane, address.namespace), []).append(resource)
    return index


_KNOWN_BY_MORE = frozenset(
    ("CustomResourceDefinition", "RoleBinding", "ClusterRoleBinding", "ClusterRole", "SecretSource", "RegistryImage")
)


def _enter(index: ResourceIndex, resource: Resource) -> None:
    """Enter what is known by more than its name."""
    address, spec = resource.address, map_or_empty(resource.manifest.get("spec"))
    match address.kind, address.group:
        case "CustomResourceDefinition", "apiextensions.k8s.io":
            kind = text_or_empty(map_or_empty(spec.get("names")).get("kind"))
            index.crds.setdefault((address.node_lane, text_or_empty(spec.get("group")), kind), address)
        case (("RoleBinding" | "ClusterRoleBinding"), "rbac.authorization.k8s.io"):
            for namespace, name in accounts_of_binding(resource):
                index.bindings.setdefault((address.node_lane, namespace, name), []).append(address)
        case "ClusterRole", "rbac.authorization.k8s.io":
            index.cluster_roles.setdefault(address.node_lane, []).append(address)
        case "SecretSource", "":
            index.secret_sources.setdefault((address.node_lane, *secret_written_by_source(spec.get("target"))), address)
        case "RegistryImage", "":
            index.images.setdefault((address.node_lane, text_or_empty(spec.get("target"))), address)


def accounts_of_binding(resource: Resource) -> tuple[tuple[str, str], ...]:
    """Namespace and name of every ServiceAccount among the subjects of a binding."""
    own = resource.address.namespace
    subjects = maps_or_empty(resource.manifest.get("subjects"))
    accounts = (subject for subject in subjects if subject.get("kind") == "ServiceAccount")
    return tuple(
        (text_or_empty(account.get("namespace")) or own, text_or_empty(account.get("name"))) for account in accounts
    )


def secret_written_by_source(target: JsonValue) -> tuple[str, str]:
    """Namespace and name of the Secret that a SecretSource writes: `{namespace, name}` or `[Secret/]namespace/name`."""
    if isinstance(target, dict):
        return text_or_empty(target.get("namespace")), text_or_empty(target.get("name"))
    parts = text_or_empty(target).split("/")
    return ("", parts[-1]) if len(parts) < 2 else (parts[-2], parts[-1])


def pod_spec(manifest: JsonObject) -> tuple[str, JsonObject] | None:
    """Where the pod specification of a workload is, and itself; found by shape, so that custom kinds count too."""
    spec = manifest.get("spec")
    if not isinstance(spec, dict):
        return None
    if manifest.get("kind") == "Pod":
        return "spec", spec
    if "template" in spec and (template := _template(spec)):
        return "spec.template.spec", template
    if "jobTemplate" in spec and (template := _template(map_or_empty(map_or_empty(spec["jobTemplate"]).get("spec")))):
        return "spec.jobTemplate.spec.template.spec", template
    return None


def _template(holder: JsonObject) -> JsonObject | None:
    spec = map_or_empty(map_or_empty(holder.get("template")).get("spec"))
    return spec if isinstance(spec.get("containers"), list) else None


def map_or_empty(value: JsonValue) -> JsonObject:
    """`value` if it is a map, else an empty one: rules may read misshapen documents, complaining is not theirs."""
    return value if isinstance(value, dict) else {}


def maps_or_empty(value: JsonValue) -> list[JsonObject]:
    """The maps in `value` if it is a list, else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_or_empty(value: JsonValue) -> str:
    """`value` if it is text, else empty: an OutputRef or OutputTemplate has no text yet, and its own edge."""
    return value if isinstance(value, str) else ""
