"""Loading what is desired: a product's configuration and templates, or plain manifests, as one Stack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner.address import Address
from planner.app.declared_names_left_unredacted import leave_declared_names_unredacted
from planner.app.request import Request
from planner.app.snapshot_records import is_saved_snapshot, read_secret_fingerprints_of_snapshot
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.loading import LoadResult
from planner.plan import Selection
from planner.ports import Fingerprinter
from planner.resource import Resource
from planner.values import SealedSecret, Vault, value_leaves
from state.fingerprint import KeyedFingerprinter

if TYPE_CHECKING:
    from planner.loading.config import Config
    from planner.loading.secrets.secret_reader import KubernetesReader, SecretReader


@dataclass(frozen=True, slots=True)
class DesiredStack:
    """What is desired, and where its secrets come from.

    `unsourced` gives resources whose source is missing, with the reason; `context` is the kube context that the node's
    configuration names, `cluster_uid` the cluster it insists on; `fingerprints` are those of every reference to a
    secret that was tried, "" where there was no value; `declared_sets` are those of all nodes and lanes of the product;
    `obsolete` are Secrets that are declared as no longer wanted.
    """

    resources: tuple[Resource, ...]
    vault: Vault = field(repr=False)
    secrets: SecretReader = field(repr=False)
    digest: str
    warnings: tuple[str, ...] = ()
    unsourced: Mapping[Address, str] = field(default_factory=dict)
    owned: tuple[str, ...] = ()
    product: str = ""
    nodes: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    context: str = ""
    cluster_uid: str = ""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    declared_sets: frozenset[str] = frozenset()
    obsolete: tuple[Resource, ...] = ()


def load_desired(request: Request, fingerprinter: Fingerprinter, config: Config | None = None) -> DesiredStack:
    """Load what `request` selects, from `config` where it was read already. Raises ConfigError with every problem,
    SelectionError for unknown words."""
    if request.plain:
        return _plain(request, fingerprinter)
    if request.name:
        return stack_without_resources(request)  # a set by its name alone: what belongs to it is found, not declared
    return _product(request, fingerprinter, config or load_selected_configuration(request), online=True)


def load_desired_offline(request: Request, config: Config | None = None) -> DesiredStack:
    """Load what `request` selects for those who need no state and ask no cluster: fingerprints are made with a key
    that nobody keeps."""
    fingerprinter = KeyedFingerprinter(os.urandom(32))
    if request.plain:
        stack = _plain(request, fingerprinter)
    else:
        stack = _product(request, fingerprinter, config or load_selected_configuration(request), online=False)
    leave_declared_names_unredacted(request, stack)
    return stack


def stack_without_resources(request: Request) -> DesiredStack:
    """A stack without resources, for a plan that brings everything it needs."""
    from planner.loading.secrets.secret_reader import SecretReader

    return DesiredStack((), {}, SecretReader({}), digest="", owned=(request.name,) if request.name else ())


def load_configuration(request: Request) -> Config:
    """The configuration that `request` names, read and checked. Raises ConfigError with every problem."""
    from planner.loading.config import load_config

    return load_config(request.config)


def load_selected_configuration(request: Request) -> Config:
    """The configuration that `request` names, without the products that it does not select: those are neither read
    nor checked."""
    from planner.loading.config import load_config

    return load_config(request.config, selection=requested_selection(request))


def load_desired_selection(
    request: Request,
    config: Config,
    fingerprinter: Fingerprinter,
    kubernetes: KubernetesReader | None = None,
    *,
    online: bool = True,
) -> LoadResult:
    """What the words of `request` select from `config`. `kubernetes` reads Secrets that are sources of others;
    published manifests are fetched only where `online`."""
    from planner.app.manifest_download import download_manifest
    from planner.loading.product_stack import load_product_stack

    recorded = (
        read_secret_fingerprints_of_snapshot(request.live, fingerprinter) if is_saved_snapshot(request.live) else None
    )
    print_of = recorded.fingerprinter(fingerprinter) if recorded else fingerprinter
    return load_product_stack(
        config,
        requested_selection(request),
        print_of,
        secrets_dir=_secrets_dir(request),
        kubernetes=None if recorded else kubernetes,  # a snapshot has no values, but it says what their sources had
        recorded=recorded,
        fetch=download_manifest if online else None,
    )


def requested_selection(request: Request) -> Selection:
    """The Selection that the words of a request mean."""
    return Selection(request.product, "", request.nodes, request.lanes, request.scopes)


def _build_kustomization(folder: str) -> bytes:
    from planner.app.kustomize import build_kustomization  # it runs a program; most manifests come without one

    return build_kustomization(folder)


def _plain(request: Request, fingerprinter: Fingerprinter) -> DesiredStack:
    from planner.loading.manifests.plain_manifests import load_plain_manifests
    from planner.loading.secrets.secret_reader import SecretReader

    loaded = load_plain_manifests(
        request.files,
        stdin=request.stdin,
        name=request.name,
        fingerprinter=fingerprinter,
        build=_build_kustomization,
        hooks_as_objects=request.hooks_as_objects,
    )
    stack = _stack(loaded, SecretReader({}, vault=loaded.vault))
    return stack if _is_comparable(request, fingerprinter) else _without_values(stack)


def _product(request: Request, fingerprinter: Fingerprinter, config: Config, *, online: bool) -> DesiredStack:
    from planner.loading.product_stack import open_secret_reader

    kubernetes = _cluster_secrets(request, config) if online else None
    loaded = load_desired_selection(request, config, fingerprinter, kubernetes, online=online)
    reader = open_secret_reader(config, _secrets_dir(request), kubernetes=kubernetes)
    if len(loaded.nodes) > 1:
        raise SelectionError(
            f"a plan is bound to one cluster, and {', '.join(loaded.nodes)} are {len(loaded.nodes)}",
            where="--node",
            remedy="plan each node on its own",
        )
    node = config.nodes[loaded.nodes[0]].spec
    secrets = replace(reader, vault=loaded.vault)
    stack = _stack(loaded, secrets, context=node.kube_context, cluster_uid=node.cluster_uid or "")
    return replace(stack, declared_sets=config.sets_of(loaded.product))


def _is_comparable(request: Request, fingerprinter: Fingerprinter) -> bool:
    """Whether fingerprints made here can be compared with those of what is looked at."""
    return (
        not is_saved_snapshot(request.live)
        or read_secret_fingerprints_of_snapshot(request.live, fingerprinter).same_key
    )


def _without_values(stack: DesiredStack) -> DesiredStack:
    """Secrets with values in plain manifests cannot be determined from changed ones: a snapshot keeps nothing of
    those."""
    reason = (
        "its value stands in the manifest, and the fingerprints of the snapshot were made with another key"
        " (give this job the same --state, or take the value from a SecretSource)"
    )
    inline = {one.address: reason for one in stack.resources if _holds_value(one)}
    return replace(stack, unsourced={**inline, **stack.unsourced})


def _holds_value(resource: Resource) -> bool:
    from planner.loading.secrets.snapshot_secret_fingerprints import INLINE

    if resource.address.kind != "Secret":
        return False
    found = (leaf for _, leaf in value_leaves(resource.manifest.get("data")))
    return any(isinstance(leaf, SealedSecret) and leaf.ref.startswith(INLINE) for leaf in found)


def _cluster_secrets(request: Request, config: Config) -> KubernetesReader:
    """With the kube context of the selected node: a plan is bound to one."""
    from planner.app.cluster_secrets import ClusterSecretReader
    from planner.loading.selection import resolve_selection_per_product

    node, _ = resolve_selection_per_product(config, requested_selection(request))[0].nodes[0]
    return ClusterSecretReader(request, node.spec.kube_context)


def _secrets_dir(request: Request) -> Path | None:
    """A sandbox brings its own secrets; otherwise each node's configuration says where they are."""
    return request.live / "secrets" if request.live is not None and (request.live / "secrets").is_dir() else None


def _stack(loaded: LoadResult, secrets: SecretReader, *, context: str = "", cluster_uid: str = "") -> DesiredStack:
    return DesiredStack(
        resources=loaded.resources,
        vault=loaded.vault,
        secrets=secrets,
        digest=loaded.digest,
        warnings=loaded.warnings,
        unsourced=loaded.blocked,
        owned=loaded.owned,
        product=loaded.product,
        nodes=loaded.nodes,
        lanes=loaded.lanes,
        scopes=loaded.scopes,
        context=context,
        cluster_uid=cluster_uid,
        fingerprints=loaded.fingerprints,
        obsolete=loaded.obsolete,
    )
