"""A lane: one branch of a product on its way to one runtime, on one node."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from planner.spec.base import (
    Branch,
    Count,
    Duration,
    Flag,
    HttpUrl,
    ImageRef,
    InnerPath,
    Model,
    Name,
    Port,
    Quantity,
    Text,
    Values,
)
from planner.spec.places import Namespace, Resources, Storage
from planner.spec.secrets import SecretRule


class ServiceBuild(Model):
    """How a service becomes an image."""

    context: InnerPath = Field(description="Folder in the source repository.")
    dockerfile: InnerPath = Field("Dockerfile", description="Path of the Dockerfile in the context.")
    paths: tuple[Text, ...] = Field((), description="Globs of further paths that make a rebuild necessary.")
    env_recipe: Literal["none", "npm", "bun", "go", "apt", "pip"] = Field(
        "none", description="How its dependency layer is made; lets unchanged dependencies be reused."
    )
    timeout: Duration = Field("20m", description="Longest build.")
    resources: Resources = Field(default_factory=Resources, description="Of the build step.")


class ServiceDeploy(Model):
    """What the service is at run time."""

    port: Port = Field(description="Port of its container and of its Service.")
    health_path: Text = Field("/health", description="Path that answers health.")
    replicas: Count = Field(1, description="Wanted pods.")
    ingress_from: tuple[Name, ...] = Field((), description="Services that may connect to it; `edge` is the edge proxy.")
    uses: tuple[Literal["postgres", "openfga", "egress"], ...] = Field((), description="What it may connect to.")
    env: dict[Text, Text] = Field(default_factory=dict, description="Plain settings; secrets come from `secrets`.")


class Service(Model):
    """One service of the lane: a `build-<service>` task and a workload."""

    build: ServiceBuild = Field(description="How it is built.")
    deploy: ServiceDeploy = Field(description="How it runs.")


class CdPolicy(Model):
    """What happens when commits follow each other quickly."""

    policy: Literal["latest-only", "every-commit"] = Field(
        "latest-only",
        description="`latest-only`: older runs are neither cancelled nor awaited; stale commits close as superseded.",
    )


class GateProbe(Model):
    """A probe of the gate: a health endpoint of the deployed service, or provenance. Nothing that drives a browser."""

    kind: Literal["http", "browser"] = Field(
        "http", description="`browser` is refused in a gate; it exists to be named in the error."
    )
    url: HttpUrl = Field(description="Under the lane's formal public URL.")
    expect_status: Annotated[StrictInt, Field(ge=100, le=599)] = Field(200, description="Expected HTTP status.")
    role: Literal["gate", "diagnostic"] = Field("gate", description="A diagnostic probe never decides.")


class Gate(Model):
    """When a rollout counts as good, and what is done when it does not."""

    probes: tuple[GateProbe, ...] = Field((), description="Public probes.")
    require: tuple[Literal["pipelinerun", "argo", "runtime", "mirror-flush"], ...] = Field(
        ("pipelinerun", "argo", "runtime", "mirror-flush"), description="Evidence besides the probes."
    )
    failure_issue: Flag = Field(False, description="Create or update one issue per failure family.")
    warn_after: Duration = Field(
        "120s", description="Warn `node-runtime-trigger-over-120s` beyond this, even on success."
    )


class Pipeline(Model):
    """The Tekton pipeline of the lane."""

    name: Name = Field(description="Name of the Pipeline.")
    run_prefix: Name = Field(description="Runs are named `<run_prefix>-<short commit>`.")
    service_account: Name = Field(description="Account that its tasks run as.")
    timeout: Duration = Field("1h", description="Longest run.")
    tasks_timeout: Duration = Field("50m", description="Longest time of its tasks; the rest is for `finally`.")
    workspace: Storage = Field(description="Volume of one run.")
    build_cache: Storage | None = Field(None, description="Volume of the build cache, kept between runs.")
    params: dict[Name, Text] = Field(default_factory=dict, description="Defaults of further parameters.")


class RunRetention(Model):
    """Which finished objects are kept (S24)."""

    min_age: Duration = Field("2h", description="Younger ones are never deleted.")
    keep: Count = Field(5, description="The newest that are kept.")
    limit: Count = Field(20, description="Most deletions in one run.")


class Postgres(Model):
    """The relational store of the runtime."""

    mode: Literal["local-k3s", "external"] = Field(
        description="`local-k3s`: a StatefulSet of the lane; `external`: only a connection."
    )
    image: ImageRef | None = Field(None, description="Image of the server, for local-k3s.")
    host: Text | None = Field(None, description="Host of the external server.")
    port: Port = Field(5432, description="Its port.")
    database: Name = Field(description="Database of the product.")
    storage: Storage | None = Field(None, description="Volume, for local-k3s.")
    bootstrap_secret: Name = Field("postgres-bootstrap", description="Secret with its first user and password.")
    max_connections: Annotated[StrictInt, Field(ge=10, le=10_000)] = Field(200, description="Server setting.")
    shared_buffers: Quantity = Field("256Mi", description="Server setting, as a Kubernetes quantity.")


class RuntimeStore(Model):
    """Stores of the runtime."""

    postgres: Postgres = Field(description="PostgreSQL.")


class LaneArgo(Model):
    """The Argo CD objects of the lane."""

    project: Name = Field(description="AppProject.")
    application: Name = Field(description="Application.")
    path: InnerPath = Field(description="Folder in the GitOps branch.")
    self_heal: Flag = Field(True, description="Argo CD puts drift back by itself.")
    prune: Flag = Field(True, description="Argo CD deletes what left the branch.")


class LaneNamespaces(Model):
    """The namespaces of the lane."""

    ci: Namespace = Field(description="Where pipelines run.")
    runtime: Namespace = Field(description="Where the product runs.")


class Sentinel(Model):
    """A watcher of the public site with a publish pipeline of its own (S15)."""

    image: ImageRef = Field(description="Its image.")
    target: HttpUrl = Field(description="What it watches.")
    interval: Duration = Field("5m", description="How often.")


class Lane(Model):
    """One lane on one node, after the overlays were merged."""

    description: Text | None = Field(None, description="What it is, for people.")
    enabled: Flag = Field(True, description="A lane that is not enabled can be validated but is not planned by `all`.")
    remote: Name = Field(description="Remote of the node's git mirror that it builds from.")
    source_branch: Branch = Field(description="Branch that is built.")
    gitops_branch: Branch = Field(description="Branch that Argo CD follows.")
    namespaces: LaneNamespaces = Field(description="Where it lives.")
    base_image: ImageRef = Field(description="Base of every service build: a tag in the node-local registry.")
    base_image_source: ImageRef = Field(description="The public image that `baseImage` is a copy of.")
    tools_image: ImageRef = Field(description="Image of the pipeline steps, in the node-local registry.")
    builder_image: ImageRef = Field(description="Image of the build step, in the node-local registry.")
    image_prefix: Text = Field(description="Repository prefix of the service images, in the node-local registry.")
    public_url: HttpUrl | None = Field(None, description="The formal public URL; the only one that a gate may probe.")
    legacy_ports: tuple[Port, ...] = Field((), description="Old edge ports: diagnostic evidence, refused in a gate.")
    cd: CdPolicy = Field(default_factory=CdPolicy, description="Policy for commits that follow each other.")
    gate: Gate = Field(default_factory=Gate, description="When a rollout is good.")
    pipeline: Pipeline = Field(description="The Tekton pipeline.")
    services: dict[Name, Service] = Field(min_length=1, description="Services, by name.")
    runtime_store: RuntimeStore = Field(description="Stores of the runtime.")
    argo: LaneArgo = Field(description="Argo CD objects.")
    retention: dict[Name, RunRetention] = Field(
        default_factory=dict, description="What is kept, by kind of object: `pipelineruns`, `pvs`."
    )
    secrets: dict[Name, SecretRule] = Field(
        default_factory=dict, description="Secrets of the lane, by the name of the Secret."
    )
    sentinels: dict[Name, Sentinel] = Field(default_factory=dict, description="Watchers, by id.")
    values: Values = Field(default_factory=dict, description="Anything else that templates need; not checked.")
