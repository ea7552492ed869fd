"""Objects to live through an apply: published ones and drawn ones, some fields changed, some maps and lists emptied.

Only what the server takes by itself (dry run) is among them. Kinds that would change what it takes of the others
(webhooks, definitions, limits) are left out.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from tests.fidelity.builtins_compared import CUSTOM, KINDS, drawn_document, object_path, without_nulls
from tests.fidelity.published_objects import Published, placed_in_default, published_objects, with_one_field_changed
from tests.fidelity.server import APPLY, Server

_LEFT_OUT = frozenset(
    ("Namespace", "APIService", "PersistentVolume", "Node", "CSIDriver", "PriorityClass", "Event", "Lease",
     "LimitRange", "ResourceQuota")
)  # fmt: skip
_EMPTIED = 0.04  # of all maps and lists
_TRIES = 8


class Drawn(NamedTuple):
    """An object that the server takes."""

    info: ServedKubernetesKind
    plural: str
    document: dict[str, Any]


def drawn_manifests(server: Server, sandbox: SnapshotCluster, count: int, seed: int) -> Iterator[Drawn]:
    """Those of `count` objects that the server takes, under the names `x0`, `x1`, ..."""
    published = published_objects(server, sandbox)
    for number in range(count):
        dice = random.Random(f"{seed}-{number}")
        one = _named(_draw(published, sandbox, dice), f"x{number}")
        if _is_taken(server, one):
            yield one


def changed_manifest(server: Server, one: Drawn, seed: int) -> Drawn:
    """The same object with another field changed; as it is where nothing that was tried is taken."""
    dice = random.Random(f"{seed}-{one.document['metadata']['name']}")
    for _ in range(_TRIES):
        after = one._replace(document=without_nulls(with_one_field_changed(one.document, dice)))
        if after.document != one.document and _is_taken(server, after):
            return after
    return one


def _draw(published: Published, sandbox: SnapshotCluster, dice: random.Random) -> Drawn:
    while True:
        if dice.random() < 0.5:
            key = dice.choice(sorted(published.objects))
            info, plural = sandbox.kind(*key), published.plurals[key]
            document = dice.choice(published.objects[key])
        else:
            kind = dice.choice(sorted(KINDS.keys() - set(CUSTOM)))
            api_version, plural, make, _ = KINDS[kind]
            info, document = sandbox.kind(api_version, kind), {}
        if info is None or info.kind in _LEFT_OUT:
            continue
        if document:
            document = with_one_field_changed(placed_in_default(document, namespaced=info.namespaced), dice)
        else:
            document = drawn_document(info, make(dice), dice)
        return Drawn(info, plural, _emptied(without_nulls(document), dice))


def _named(one: Drawn, name: str) -> Drawn:
    document = {key: value for key, value in one.document.items() if key != "status"}
    return one._replace(document={**document, "metadata": {**document["metadata"], "name": name}})


def _emptied(value: Any, dice: random.Random, depth: int = 0) -> Any:
    """A copy in which some maps and lists lost their content."""
    if isinstance(value, Mapping):
        return {
            key: type(item)()
            if depth and isinstance(item, (dict, list)) and dice.random() < _EMPTIED
            else _emptied(item, dice, depth + (key != "metadata"))
            for key, item in value.items()
        }
    return [_emptied(item, dice, depth) for item in value] if isinstance(value, list) else copy.deepcopy(value)


def _is_taken(server: Server, one: Drawn) -> bool:
    query = "?fieldManager=kubectl&force=true&dryRun=All&fieldValidation=Strict"
    return server.request("PATCH", object_path(one.info, one.plural, one.document) + query, one.document, APPLY).ok
