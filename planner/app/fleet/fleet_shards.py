"""Which shards a request is about, and the request of each: what `plan` would be asked for that lane alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from planner.app.request import Request
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.fleet import Shard
from planner.loading.config import load_config
from planner.loading.selection import ALL, resolve_shards
from planner.plan import Selection


@dataclass(frozen=True, slots=True)
class FleetSelection:
    """The shards of a request, in the order of their index. `contexts` are the kube contexts of their nodes."""

    shards: tuple[Shard, ...]
    contexts: tuple[str, ...]


def select_fleet(request: Request) -> FleetSelection:
    """The shards that `request` names. Raises ConfigError with every problem of the files, SelectionError for words
    that stand for nothing or would have one cluster answer for several nodes."""
    config = load_config(request.config, selection=Selection(product=request.product or ALL))
    words = Selection(request.product, "", request.nodes, request.lanes, request.scopes)
    lanes = resolve_shards(config, words)
    nodes = tuple(dict.fromkeys(one.node for one in lanes))
    contexts = dict.fromkeys(config.nodes[node].spec.kube_context for node in nodes)
    _refuse_one_cluster_for_several(request, nodes, contexts)
    shards = (Shard(index, one.node, one.product, one.name) for index, one in enumerate(lanes))
    return FleetSelection(tuple(shards), tuple(sorted(contexts)))


def shards_of_part(shards: Sequence[Shard], index: int, count: int) -> tuple[Shard, ...]:
    """Every `count`-th shard from `index`: whatever the configuration holds by now, all parts together are all."""
    return tuple(shards[index::count])


def request_of_shard(request: Request, shard: Shard, nodes: Collection[str] = ()) -> Request:
    """What `plan` is asked about one shard. `nodes` are those of the whole fleet."""
    live = _live_of_node(request.live, shard.node, {shard.node, *nodes}) if request.live is not None else None
    return replace(request, product=shard.product, nodes=(shard.node,), lanes=(shard.lane,), live=live)


def _refuse_one_cluster_for_several(request: Request, nodes: Sequence[str], contexts: Collection[str]) -> None:
    """A cluster that is not the node's own would look as if all of it had to be made anew."""
    if request.context and len(contexts) > 1:
        raise SelectionError(
            f"one context, and {', '.join(nodes)} are {len(contexts)} clusters",
            where="--context",
            remedy="leave it out: the configuration names the context of each node; or select one node with --node",
        )
    if request.live is not None and len(nodes) > 1 and not _has_node_folders(request.live, nodes):
        raise SelectionError(
            f"one sandbox or snapshot, and {', '.join(nodes)} are {len(nodes)} nodes",
            where="--live",
            remedy="name a folder with one for each (hwplan sandbox create DIR --fleet), or select one with --node",
        )


def _has_node_folders(live: Path, nodes: Collection[str]) -> bool:
    return any((live / node).exists() or (live / f"{node}.json").exists() for node in nodes)


def _live_of_node(live: Path, node: str, nodes: Collection[str]) -> Path:
    """The sandbox `live/NODE` or the snapshot `live/NODE.json` in a folder that has one for each node, else `live`."""
    if not _has_node_folders(live, nodes):
        return live
    saved = live / f"{node}.json"
    return saved if saved.exists() else live / node
