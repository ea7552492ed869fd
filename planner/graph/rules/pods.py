"""What a pod names stands before the workload: account and its bindings, volumes, environment, pull secrets, images.

Optional references count as well: the pod would start without the thing, and then not have it.
"""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import map_or_empty, maps_or_empty
from planner.graph.rules.images import add_image_edges
from planner.values import JsonObject, JsonValue

_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def add_pod_edges(collector: EdgeCollector) -> None:
    """Everything that the pod specification of a workload names -> the workload."""
    found = collector.index.pods.get(collector.resource.address)
    if found is None:
        return
    where, spec = found
    add_service_account_edges(collector, f"{where}.serviceAccountName", spec.get("serviceAccountName"))
    add_pod_field_edges(collector, where, spec)
    add_container_list_edges(collector, where, spec, _CONTAINERS)
    if collector.resource.address.kind == "StatefulSet":
        collector.names("service", "spec.serviceName", "Service", collector.spec.get("serviceName"))


def add_service_account_edges(collector: EdgeCollector, field: str, name: JsonValue) -> None:
    """ServiceAccount and every binding that gives it rights -> whoever runs as it."""
    if not isinstance(name, str) or not name:
        return
    collector.names("service-account", field, "ServiceAccount", name)
    address = collector.resource.address
    for binding in collector.index.bindings.get((address.node_lane, address.namespace, name), ()):
        collector.after(binding, "binding", field)


def add_pod_field_edges(collector: EdgeCollector, where: str, spec: JsonObject) -> None:
    """Pull secrets, classes and volumes of a pod specification, or of a Tekton pod template."""
    for at, secret in enumerate(maps_or_empty(spec.get("imagePullSecrets"))):
        collector.names_secret("pull-secret", f"{where}.imagePullSecrets[{at}].name", secret.get("name"))
    for key, kind, group in (
        ("priorityClassName", "PriorityClass", "scheduling.k8s.io"),
        ("runtimeClassName", "RuntimeClass", "node.k8s.io"),
    ):
        collector.names("class", f"{where}.{key}", kind, spec.get(key), group, "")
    for volume in maps_or_empty(spec.get("volumes")):
        add_volume_edges(collector, f"{where}.volumes[name={volume.get('name')}]", volume)


def add_volume_edges(collector: EdgeCollector, where: str, volume: JsonObject) -> None:
    """ConfigMap, Secret, claim -> the workload; also the form that Tekton gives to a bound workspace."""
    config, claim = map_or_empty(volume.get("configMap")), map_or_empty(volume.get("persistentVolumeClaim"))
    collector.names("volume", f"{where}.configMap.name", "ConfigMap", config.get("name"))
    collector.names_secret("volume", f"{where}.secret.secretName", map_or_empty(volume.get("secret")).get("secretName"))
    collector.names(
        "volume", f"{where}.persistentVolumeClaim.claimName", "PersistentVolumeClaim", claim.get("claimName")
    )
    publish = map_or_empty(map_or_empty(volume.get("csi")).get("nodePublishSecretRef"))
    collector.names_secret("volume", f"{where}.csi.nodePublishSecretRef.name", publish.get("name"))
    for at, source in enumerate(maps_or_empty(map_or_empty(volume.get("projected")).get("sources"))):
        inside = f"{where}.projected.sources[{at}]"
        collector.names(
            "volume", f"{inside}.configMap.name", "ConfigMap", map_or_empty(source.get("configMap")).get("name")
        )
        collector.names_secret("volume", f"{inside}.secret.name", map_or_empty(source.get("secret")).get("name"))


def add_container_list_edges(collector: EdgeCollector, where: str, holder: JsonObject, lists: tuple[str, ...]) -> None:
    """Environment and image of every container in the named lists of `holder`."""
    for key in lists:
        for at, container in enumerate(maps_or_empty(holder.get(key))):
            name = container.get("name")
            add_container_edges(collector, f"{where}.{key}[name={name}]" if name else f"{where}.{key}[{at}]", container)


def add_container_edges(collector: EdgeCollector, where: str, container: JsonObject) -> None:
    """ConfigMaps, Secrets and the image that one container names."""
    add_image_edges(collector, f"{where}.image", container.get("image"))
    for variable in maps_or_empty(container.get("env")):
        if source := map_or_empty(variable.get("valueFrom")):
            inside = f"{where}.env[name={variable.get('name')}].valueFrom"
            config, secret = map_or_empty(source.get("configMapKeyRef")), map_or_empty(source.get("secretKeyRef"))
            collector.names("env", f"{inside}.configMapKeyRef.name", "ConfigMap", config.get("name"))
            collector.names_secret("env", f"{inside}.secretKeyRef.name", secret.get("name"))
    for at, source in enumerate(maps_or_empty(container.get("envFrom"))):
        inside = f"{where}.envFrom[{at}]"
        collector.names(
            "env", f"{inside}.configMapRef.name", "ConfigMap", map_or_empty(source.get("configMapRef")).get("name")
        )
        collector.names_secret("env", f"{inside}.secretRef.name", map_or_empty(source.get("secretRef")).get("name"))
