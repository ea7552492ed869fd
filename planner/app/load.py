"""Loading what is desired: a product's configuration and templates, or plain manifests, as one Stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING

from planner.address import Address
from planner.app.recorded import is_snapshot, recorded_secrets
from planner.app.request import Request
from planner.errors import SelectionError
from planner.loading import Loaded
from planner.plan import Selection
from planner.ports import Fingerprinter
from planner.resource import Resource
from planner.values import Sealed, Vault, leaves
from state.fingerprint import KeyedFingerprinter

if TYPE_CHECKING:
    from planner.loading.config import Config
    from planner.loading.secret_reader import KubernetesReader, SecretReader


@dataclass(frozen=True, slots=True)
class Stack:
    """What is desired, and where its secrets come from.

    `unsourced` gives resources whose source is missing, with the reason; `context` is the kube context that the node's
    configuration names, `cluster_uid` the cluster it insists on; `fingerprints` are those of every reference to a
    secret that was tried, "" where there was no value.
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

    recorded = recorded_secrets(request.live, fingerprinter) if is_snapshot(request.live) else None
    print_of = recorded.fingerprinter(fingerprinter) if recorded else fingerprinter
    return load_stack(
        config,
        _selection(request),
        print_of,
        secrets_dir=_secrets_dir(request),
        kubernetes=None if recorded else kubernetes,  # a snapshot has no values, but it says what their sources had
        recorded=recorded,
    )


def _selection(request: Request) -> Selection:
    return Selection(request.product, "", request.nodes, request.lanes, request.scopes)


def _plain(request: Request, fingerprinter: Fingerprinter) -> Stack:
    from planner.loading.manifests import load_manifests
    from planner.loading.secret_reader import SecretReader

    loaded = load_manifests(request.files, stdin=request.stdin, name=request.name, fingerprinter=fingerprinter)
    stack = _stack(loaded, SecretReader({}, vault=loaded.vault))
    return stack if _is_comparable(request, fingerprinter) else _without_values(stack)


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
    secrets = replace(reader, vault=loaded.vault)
    return _stack(loaded, secrets, context=node.kube_context, cluster_uid=node.cluster_uid or "")


def _is_comparable(request: Request, fingerprinter: Fingerprinter) -> bool:
    """Whether fingerprints made here can be compared with those of what is looked at."""
    return not is_snapshot(request.live) or recorded_secrets(request.live, fingerprinter).same_key


def _without_values(stack: Stack) -> Stack:
    """Secrets with values in plain manifests cannot be told from changed ones: a snapshot keeps nothing of those."""
    reason = (
        "its value stands in the manifest, and the fingerprints of the snapshot were made with another key"
        " (give this job the same --state, or take the value from a SecretSource)"
    )
    inline = {one.address: reason for one in stack.resources if _holds_value(one)}
    return replace(stack, unsourced={**inline, **stack.unsourced})


def _holds_value(resource: Resource) -> bool:
    from planner.loading.recorded_secrets import INLINE

    if resource.address.kind != "Secret":
        return False
    found = (leaf for _, leaf in leaves(resource.manifest.get("data")))
    return any(isinstance(leaf, Sealed) and leaf.ref.startswith(INLINE) for leaf in found)


def _cluster_secrets(request: Request, config: Config) -> KubernetesReader:
    """With the kube context of the selected node: a plan is bound to one."""
    from planner.app.cluster_secrets import ClusterSecrets
    from planner.loading.selection import choose

    node, _ = choose(config, _selection(request)).nodes[0]
    return ClusterSecrets(request, node.spec.kube_context)


def _secrets_dir(request: Request) -> Path | None:
    """A sandbox brings its own secrets; otherwise each node's configuration says where they are."""
    return request.live / "secrets" if request.live is not None and (request.live / "secrets").is_dir() else None


def _stack(loaded: Loaded, secrets: SecretReader, *, context: str = "", cluster_uid: str = "") -> Stack:
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
        fingerprints=loaded.fingerprints,
    )
