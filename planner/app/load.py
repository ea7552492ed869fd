"""Loading what is desired: a product's configuration and templates, or plain manifests, as one Stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING

from planner.address import Address
from planner.app.request import Request
from planner.errors import SelectionError
from planner.loading import Loaded
from planner.plan import Selection
from planner.ports import Fingerprinter, SecretSource
from planner.resource import Resource
from planner.values import Vault
from state.fingerprint import KeyedFingerprinter

if TYPE_CHECKING:
    from planner.loading.config import Config
    from planner.loading.secret_reader import KubernetesReader


@dataclass(frozen=True, slots=True)
class Stack:
    """What is desired, and where its secrets come from.

    `unsourced` gives resources whose source is missing, with the reason; `context` is the kube context that the node's
    configuration names, `cluster_uid` the cluster it insists on.
    """

    resources: tuple[Resource, ...]
    vault: Vault = field(repr=False)
    secrets: SecretSource = field(repr=False)
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


def load(request: Request, fingerprinter: Fingerprinter) -> Stack:
    """Load what `request` selects. Raises ConfigError with every problem, SelectionError for unknown words."""
    return _plain(request, fingerprinter) if request.plain else _product(request, fingerprinter, online=True)


def load_offline(request: Request) -> Stack:
    """The same for those who need no state and ask no cluster: fingerprints are made with a key that nobody keeps."""
    fingerprinter = KeyedFingerprinter(token_bytes(32))
    return _plain(request, fingerprinter) if request.plain else _product(request, fingerprinter, online=False)


def empty(request: Request) -> Stack:
    """A stack of nothing: for a plan that brings everything it needs."""
    from planner.loading.secret_reader import SecretReader

    return Stack((), {}, SecretReader({}), digest="", owned=(request.name,) if request.name else ())


def configuration(request: Request) -> Config:
    """The configuration that `request` names, read and checked. Raises ConfigError with every problem."""
    from planner.loading.config import load_config

    return load_config(request.config)


def load_selected(
    request: Request, config: Config, fingerprinter: Fingerprinter, kubernetes: KubernetesReader | None = None
) -> Loaded:
    """What the words of `request` select from `config`. `kubernetes` reads Secrets that are sources of others."""
    from planner.loading.stack import load_stack

    return load_stack(
        config, _selection(request), fingerprinter, secrets_dir=_secrets_dir(request), kubernetes=kubernetes
    )


def _selection(request: Request) -> Selection:
    return Selection(request.product, "", request.nodes, request.lanes, request.scopes)


def _plain(request: Request, fingerprinter: Fingerprinter) -> Stack:
    from planner.loading.manifests import load_manifests
    from planner.loading.secret_reader import SecretReader

    loaded = load_manifests(request.files, stdin=request.stdin, name=request.name, fingerprinter=fingerprinter)
    return _stack(loaded, SecretReader({}, vault=loaded.vault))


def _product(request: Request, fingerprinter: Fingerprinter, *, online: bool) -> Stack:
    from planner.loading.stack import secret_reader

    config = configuration(request)
    kubernetes = _cluster_secrets(request, config) if online else None
    loaded = load_selected(request, config, fingerprinter, kubernetes)
    reader = secret_reader(config, _secrets_dir(request), kubernetes=kubernetes)
    if len(loaded.nodes) > 1:
        raise SelectionError(
            f"a plan is bound to one cluster, and {', '.join(loaded.nodes)} are {len(loaded.nodes)}",
            where="--node",
            remedy="plan each node on its own",
        )
    node = config.nodes[loaded.nodes[0]].spec
    return _stack(
        loaded, replace(reader, vault=loaded.vault), context=node.kube_context, cluster_uid=node.cluster_uid or ""
    )


def _cluster_secrets(request: Request, config: Config) -> KubernetesReader:
    """With the kube context of the selected node: a plan is bound to one."""
    from planner.app.cluster_secrets import ClusterSecrets
    from planner.loading.selection import choose

    node, _ = choose(config, _selection(request)).nodes[0]
    return ClusterSecrets(request, node.spec.kube_context)


def _secrets_dir(request: Request) -> Path | None:
    """A sandbox brings its own secrets; otherwise each node's configuration says where they are."""
    return request.live / "secrets" if request.live is not None and (request.live / "secrets").is_dir() else None


def _stack(loaded: Loaded, secrets: SecretSource, *, context: str = "", cluster_uid: str = "") -> Stack:
    return Stack(
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
    )
