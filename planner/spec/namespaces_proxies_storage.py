"""Models of namespaces, egress proxy, volumes, and CPU and memory of containers, for nodes and lanes."""

from __future__ import annotations

from pydantic import Field

from planner.spec.base import Flag, HttpUrl, LabelName, MetricName, Name, Quantity, StrictModel, Text


class Namespace(StrictModel):
    """A namespace that resources live in."""

    name: Name = Field(description="Name of the namespace in the cluster.")
    create: Flag = Field(
        True,
        alias="createNamespace",
        description="Whether hwplan declares it. `false` reuses a namespace that somebody else owns.",
    )
    pod_security: Text = Field(
        "baseline", description="Pod security level enforced on it: privileged, baseline, restricted."
    )
    quota: dict[Text, Quantity] = Field(
        default_factory=dict,
        description="Hard limits of its ResourceQuota, such as `requests.cpu: 8`. Empty: no quota.",
    )


class ProxyByteCounterMetric(StrictModel):
    """The proxy server's own counter of bytes per client, as the node's Prometheus scrapes it."""

    counter: MetricName = Field(description="Counter of bytes.")
    client_label: LabelName = Field("client", description="Label with the client's id.")


class EgressProxy(StrictModel):
    """The HTTP proxy that workloads of a node use to reach the outside, and the tunnel (CONNECT) of git over ssh."""

    url: HttpUrl = Field(description="URL of the proxy, `http://host:port`.")
    no_proxy: tuple[Text, ...] = Field((), description="Hosts, suffixes and ranges that are reached directly.")
    traffic: ProxyByteCounterMetric | None = Field(
        None, description="How the proxy server counts traffic per client: proves that traffic went through it (S22)."
    )


class ResourceBounds(StrictModel):
    """CPU and memory that a container requests, and their limits, as Kubernetes quantities."""

    cpu: Quantity = Field("100m", description="CPU request.")
    memory: Quantity = Field("128Mi", description="Memory request.")
    cpu_limit: Quantity | None = Field(None, description="CPU limit; none when left out.")
    memory_limit: Quantity | None = Field(None, description="Memory limit; none when left out.")


class Storage(StrictModel):
    """The volume of a persistent volume claim: its size and storage class."""

    size: Quantity = Field(description="Requested size.")
    storage_class: Name | None = Field(None, description="StorageClass; the cluster's default when left out.")
