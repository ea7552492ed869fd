"""A node: one cluster and what the control plane keeps there for all lanes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from planner.spec.base import Duration, Flag, HttpUrl, InnerPath, Model, Name, RegistryHost, Sha256, Text, Values
from planner.spec.git import GitMirror
from planner.spec.images import Image, ImageRewrite, Registry
from planner.spec.places import EgressProxy, Namespace
from planner.spec.secrets import SecretRule


class ManifestOrigin(Model):
    """A manifest that others publish, pinned by digest."""

    url: HttpUrl | None = Field(None, description="Where it is published.")
    file: InnerPath | None = Field(None, description="Local copy, relative to the configuration folder.")
    sha256: Sha256 | None = Field(None, description="Digest of the bytes. Needed before it is installed.")


class Install(Model):
    """Software installed from a published manifest: Argo CD, Tekton."""

    version: Text = Field(description="Version, as published.")
    manifest: ManifestOrigin = Field(description="The manifest.")
    managed: Flag = Field(
        False, description="Whether hwplan installs it. Needs the local copy of the manifest and its sha256."
    )
    images: tuple[ImageRewrite, ...] = Field((), description="Images that come from somewhere else on this node.")
    crds: tuple[Text, ...] = Field((), description="CustomResourceDefinitions that have to be established.")
    workloads: tuple[Text, ...] = Field(
        (), description="Workloads that have to be ready: `deployment/argocd-repo-server`."
    )


class ArgoInstall(Install):
    """Argo CD of a node."""

    namespace: Name = Field("argocd", description="Its namespace.")
    destination: HttpUrl = Field("https://kubernetes.default.svc", description="API server as Argo CD names it.")


class TektonInstall(Install):
    """Tekton of a node."""

    namespace: Name = Field("tekton-pipelines", description="Its namespace.")


class Benchmark(Model):
    """A profile of the CI build benchmark (S11)."""

    catalog_path: Annotated[Text, StringConstraints(pattern=r"^[^{}]*\{run\}[^{}]*$")] = Field(
        description="Template of the catalog path of a run; `{run}` keeps it apart from the real catalog."
    )
    build_cache_mode: Literal["enabled", "disabled"] = Field("enabled", description="Build cache of the run.")
    forbid_buildkit_cache: Flag = Field(False, description="True passes `build-cache-mode=disabled` to the run.")
    timing_phases: tuple[Name, ...] = Field(min_length=1, description="Phases whose times have to be reported.")
    failure_families: tuple[Name, ...] = Field(min_length=1, description="Names that a failure is sorted under.")
    require_proxy_evidence: Flag = Field(
        False, description="Traffic seen by the proxy server has to be attached (S22)."
    )
    timeout: Duration = Field("1h", description="Longest run.")


class Observability(Model):
    """Prometheus of a node."""

    prometheus_url: HttpUrl | None = Field(None, description="Base URL of its HTTP API.")
    namespace: Name = Field("monitoring", description="Its namespace.")
    service_monitors: Flag = Field(False, description="Whether the Prometheus operator's kinds are served.")


class Node(Model):
    """One node: the cluster of a kube context, its registry, mirror, proxies and installed software."""

    description: Text | None = Field(None, description="What it is, for people.")
    kube_context: Text = Field(description="Context of the kubeconfig.")
    cluster_uid: Text | None = Field(
        None, description="Uid of the namespace kube-system. When given, any other cluster is refused."
    )
    namespaces: dict[Name, Namespace] = Field(
        description="Namespaces shared by all lanes, by role: `infra`, `argo`, ..."
    )
    registry: Registry = Field(description="The node-local registry: an output only.")
    public_registries: tuple[RegistryHost, ...] = Field(
        ("docker.io", "quay.io", "ghcr.io", "registry.k8s.io"),
        description="Registries that input images may come from.",
    )
    egress_proxy: EgressProxy | None = Field(None, description="The proxy of its workloads; none when left out.")
    git_mirror: GitMirror = Field(description="The mirror of git repositories.")
    images: dict[Name, Image] = Field(default_factory=dict, description="Images that have to be in its registry.")
    argo: ArgoInstall = Field(description="Argo CD.")
    tekton: TektonInstall = Field(description="Tekton Pipelines.")
    benchmarks: dict[Name, Benchmark] = Field(default_factory=dict, description="Benchmark profiles, by name.")
    observability: Observability = Field(default_factory=Observability, description="Where metrics are read.")
    secrets_dir: Text | None = Field(
        None, description="Folder with the files that secrets are read from; `~` is the home folder."
    )
    secrets: dict[Name, SecretRule] = Field(default_factory=dict, description="Secrets shared by all lanes.")
    values: Values = Field(default_factory=dict, description="Anything else that templates need; not checked.")
