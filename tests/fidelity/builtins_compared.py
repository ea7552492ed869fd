"""Random objects of the built-in kinds, some with one thing wrong: the dry runs of a server and of a sandbox."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from planner.errors import ProviderError
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from tests.fidelity.compare import differences
from tests.fidelity.custom_values import changed
from tests.fidelity.kinds import CLUSTER_SCOPED, NAMESPACED
from tests.fidelity.pods import metadata
from tests.fidelity.server import APPLY, Server

KINDS = {**NAMESPACED, **CLUSTER_SCOPED}
CUSTOM = ("Widget", "Flow", "Delivery", "CustomResourceDefinition")  # customs_compared.py draws more of these


class Case(NamedTuple):
    """One object and the two answers: the object as stored, or the words of a refusal."""

    document: dict[str, Any]
    server: dict[str, Any] | str
    sandbox: dict[str, Any] | str

    def __str__(self) -> str:
        server, ours = (words if isinstance(words, str) else "accepted" for words in self[1:])
        return f"{json.dumps(self.document)}\n  server: {server}\n  sandbox: {ours}"

    @property
    def agrees(self) -> bool:
        """Whether both take it, or neither."""
        return isinstance(self.server, str) is isinstance(self.sandbox, str)

    def different(self) -> list[str]:
        """Where the two stored objects differ."""
        if isinstance(self.server, str) or isinstance(self.sandbox, str):
            return []
        return list(differences(self.sandbox, self.server))


def cases(server: Server, sandbox: SnapshotCluster, count: int, seed: int) -> Iterator[Case]:
    """`count` objects of every built-in kind that the fidelity suite draws."""
    for kind, (api_version, plural, make, _) in KINDS.items():
        info = sandbox.kind(api_version, kind)
        if kind in CUSTOM or info is None:
            continue
        for number in range(count):
            dice = random.Random(f"{seed}-{kind}-{number}")
            yield compared(server, sandbox, info, plural, drawn_document(info, make(dice), dice))


def drawn_document(info: ServedKubernetesKind, body: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """Without nulls, which are never sent: hwplan takes them out of a manifest."""
    if dice.random() < 0.2:
        body = {**body, "metadata": metadata(dice)}
    if dice.random() < 0.7:
        body = changed(body, dice)
    extra = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
    names = {"name": "x", **({"namespace": "default"} if info.namespaced else {})}
    whole: dict[str, Any] = {
        **body,
        "apiVersion": info.api_version,
        "kind": info.kind,
        "metadata": {**(extra or {}), **names},
    }
    return dict(without_nulls(whole))


def without_nulls(value: Any) -> Any:
    """A copy without nulls, as hwplan sends a document of a built-in kind."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value if item is not None] if isinstance(value, list) else value


def object_path(info: ServedKubernetesKind, plural: str, document: dict[str, Any]) -> str:
    """The path of an object of the namespace `default` on the server."""
    root = "/apis/" if "/" in info.api_version else "/api/"
    place = "/namespaces/default" * info.namespaced
    return f"{root}{info.api_version}{place}/{plural}/{document['metadata']['name']}"


def compared(
    server: Server, sandbox: SnapshotCluster, info: ServedKubernetesKind, plural: str, document: dict[str, Any]
) -> Case:
    """A document and the answers of both to it."""
    path = object_path(info, plural, document)
    query = "?fieldManager=hwplan&force=true&dryRun=All&fieldValidation=Strict"
    answer = server.request("PATCH", path + query, document, APPLY)
    theirs = answer.body if answer.ok else str(answer.body.get("message"))
    try:
        return Case(document, theirs, sandbox.apply(info, document, force=True, dry_run=True))
    except ProviderError as error:
        return Case(document, theirs, f"{error}")
