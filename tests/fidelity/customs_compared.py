"""Random objects of a CRD, given to the server's dry run and to ours: both refuse, or both accept with one result."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from planner.errors import PermanentError
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.validate_object import object_validation_errors, unevaluated_cel_rules
from tests.fidelity.custom_values import changed, drawn
from tests.fidelity.server import APPLY, Server

_NOW = "2024-01-01T00:00:00Z"


class Case(NamedTuple):
    """One object, what the server said ("" : accepted), what we say, and rules that we left to the server."""

    document: dict[str, Any]
    server: str
    ours: tuple[str, ...]
    left: int

    @property
    def agrees(self) -> bool:
        """A rule that was left open may be what the server refuses."""
        return bool(self.server) == bool(self.ours) or bool(self.server and self.left)

    def __str__(self) -> str:
        return f"{json.dumps(self.document)}\n  server: {self.server or 'accepted'}\n  ours: {self.ours or 'accepted'}"


def cases(
    server: Server, types: MergeTypeTable, crd: dict[str, Any], count: int, *, few: bool = False
) -> Iterator[Case]:
    """`count` objects of each served version. With `few` only a few fields of `spec` each, so that most are valid."""
    spec = crd["spec"]
    for version in spec["versions"]:
        if not version.get("served"):
            continue
        for number in range(count):
            dice = random.Random(f"{crd['metadata']['name']}-{version['name']}-{number}")
            yield _case(server, types, spec, version, dice, few)


def _case(
    server: Server, types: MergeTypeTable, spec: Any, version: dict[str, Any], dice: random.Random, few: bool
) -> Case:
    body = drawn(version["schema"]["openAPIV3Schema"], dice)
    body = {key: value for key, value in body.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    if few:
        body = {"spec": {key: value for key, value in body.get("spec", {}).items() if dice.random() < 0.06}}
    if dice.random() < 0.6:
        body = changed(body, dice)
    api_version, namespaced = f"{spec['group']}/{version['name']}", spec["scope"] == "Namespaced"
    metadata = {"name": "x", **({"namespace": "default"} if namespaced else {})}
    document = {**body, "apiVersion": api_version, "kind": spec["names"]["kind"], "metadata": metadata}
    path = f"/apis/{api_version}/{'namespaces/default/' * namespaced}{spec['names']['plural']}/x"
    answer = server.request("PATCH", f"{path}?fieldManager=f&dryRun=All&fieldValidation=Strict", document, APPLY)
    return Case(document, "" if answer.ok else str(answer.body.get("message")), *_ours(document, types))


def _ours(document: dict[str, Any], types: MergeTypeTable) -> tuple[tuple[str, ...], int]:
    try:
        merged = merge.merge_server_side_apply(None, document, manager="f", types=types, now=_NOW).object
    except PermanentError as error:
        return (error.message,), 0
    found = tuple(
        message for _, message in (*object_validation_errors(document, types), *object_validation_errors(merged, types))
    )
    return found, 0 if found else len(unevaluated_cel_rules(merged, types))
