"""Objects of built-in kinds that the testbed's pinned Go modules carry (fixtures, addons and examples of Kubernetes),
each with one field changed at random: the dry runs of a server and of a sandbox."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from tests.fidelity.builtins_compared import Case, compared, without_nulls
from tests.fidelity.server import Server
from tests.testbed import binaries

_FOLDERS = (
    ("k8s.io/kubernetes", ("cluster/addons", "hack/testdata", "test/e2e/testing-manifests", "test/fixtures")),
    ("k8s.io/kubectl", ("testdata",)),
)
_GROUPS = ("admissionregistration", "apiextensions", "resource", "certificates", "flowcontrol")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXTS = ("", "x" * 64, "x" * 300, "UPPER", "a_b", "a b", "-a", "a.b", "1", "0", "-1", "true", "/a", "a/b", "../x", "*",
          "100%", "1.5", "10Mi", "1m", "é", "a\nb", "TCP", "None", "127.0.0.1", "::1", "300.1.1.1", "$(X)",
          "10.0.0.0/8", "2024-01-01T00:00:00Z", "kubernetes.io/x", "a=b")  # fmt: skip
_NUMBERS = (0, 1, -1, 5, 65535, 65536, 10**6, 3.5, 2**31, 2**32 + 1, 2**63)


class Published(NamedTuple):
    """By API version and kind: the plural, and the objects."""

    plurals: Mapping[tuple[str, str], str]
    objects: Mapping[tuple[str, str], list[dict[str, Any]]]


def published_cases(server: Server, sandbox: SnapshotCluster, count: int, seed: int) -> Iterator[Case]:
    """`count` mutations, drawn evenly over the kinds."""
    plurals, found = published_objects(server, sandbox)
    dice, kinds = random.Random(seed), sorted(found)
    for _ in range(count):
        key = dice.choice(kinds)
        info = sandbox.kind(*key)
        assert info is not None
        document = with_one_field_changed(placed_in_default(dice.choice(found[key]), namespaced=info.namespaced), dice)
        yield compared(server, sandbox, info, plurals[key], without_nulls(document))


def published_objects(server: Server, sandbox: SnapshotCluster) -> Published:
    """All of them whose kind both know, but for the kinds that change what a server takes."""
    plurals = _plurals(server)
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for document in _documents():
        key = (str(document.get("apiVersion")), str(document.get("kind")))
        if key in plurals and key[0].partition(".")[0] not in _GROUPS and sandbox.kind(*key) is not None:
            found.setdefault(key, []).append(document)
    return Published(plurals, found)


def _plurals(server: Server) -> dict[tuple[str, str], str]:
    groups = server.request("GET", "/apis").body["groups"]
    paths = ["/api/v1", *(f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"])]
    lists = (server.request("GET", path).body for path in paths)
    return {
        (one["groupVersion"], kind["kind"]): kind["name"]
        for one in lists
        for kind in one["resources"]
        if "/" not in kind["name"]
    }


def _documents() -> Iterator[dict[str, Any]]:
    for module, folders in _FOLDERS:
        for folder in folders:
            for path in sorted((binaries.module_folder(binaries.KUBERNETES, module) / folder).rglob("*.yaml")):
                try:
                    documents = list(yaml.load_all(path.read_text(), _LOADER))
                except yaml.YAMLError:
                    continue
                for one in documents:
                    if isinstance(one, dict) and isinstance(one.get("metadata"), dict) and one["metadata"].get("name"):
                        yield json.loads(json.dumps(one, default=str))


def placed_in_default(document: dict[str, Any], *, namespaced: bool) -> dict[str, Any]:
    """The object by the name `x` in the namespace `default`, without its status."""
    metadata = {key: document["metadata"][key] for key in ("labels", "annotations") if document["metadata"].get(key)}
    place = {"namespace": "default"} if namespaced else {}
    return {**document, "metadata": {**metadata, "name": "x", **place}, "status": None}


def with_one_field_changed(document: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """One field left out, doubled or given another value; the deeper ones more often."""
    changed = copy.deepcopy(document)
    paths = [path for path in _paths(changed) if path[0] not in ("apiVersion", "kind", "status") and _is_free(path)]
    if not paths:
        return changed
    *above, last = max(dice.sample(paths, min(2, len(paths))), key=len)
    parent: Any = changed
    for step in above:
        parent = parent[step]
    value, chance = parent[last], dice.random()
    if chance < 0.2:
        parent.pop(last)
    elif chance < 0.35 and isinstance(parent, list):
        parent.append(copy.deepcopy(value))
    elif isinstance(value, bool):
        parent[last] = not value
    elif isinstance(value, str):
        parent[last] = dice.choice(_TEXTS)
    elif isinstance(value, (int, float)):
        parent[last] = dice.choice(_NUMBERS)
    else:
        parent[last] = type(value)()
    return changed


def _is_free(path: tuple[str | int, ...]) -> bool:
    return path[:1] != ("metadata",) or path[1:2] in (("labels",), ("annotations",))


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from _paths(item, (*path, key))
