"""Rules of a CustomResourceDefinition that a server refuses are refused by a sandbox, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.errors import ProviderError
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.fidelity.server import APPLY, Server
from tests.testbed.cluster import TestCluster

TEXT = {"type": "string"}
GOOD: list[tuple[str, dict[str, Any]]] = [
    ("spec", {"rule": "self.a == self.b"}),
    ("spec", {"rule": "!has(self.a) ||\n self.a.size() > 1", "message": "two lines"}),
    ("spec", {"rule": "self.__namespace__ == self.a__dash__b"}),
    ("spec", {"rule": "self.inner.c == 'x' && self.open.anything == 'x'"}),
    ("spec", {"rule": "self.list.all(x, x.c != '') && self.list[0].c == 'x'"}),
    ("spec", {"rule": "self.map.all(k, self.map[k] == 'x')", "reason": "FieldValueForbidden"}),
    ("spec", {"rule": "self.keyed.exists(x, x.name == 'x')", "messageExpression": "'a' + self.a"}),
    ("spec", {"rule": "self.a == oldSelf.a", "optionalOldSelf": False}),
    ("spec", {"rule": "self.?a.hasValue() || self.a == 'x'"}),
    ("root", {"rule": "self.metadata.name == self.spec.a && self.kind == 'X'"}),
    ("keyed", {"rule": "self.name == oldSelf.name"}),
    ("item", {"rule": "self.c == 'x'"}),
]
BAD: list[tuple[str, dict[str, Any]]] = [
    ("spec", {"rule": " "}),
    ("spec", {"rule": "self.a == "}),
    ("spec", {"rule": "(self.a == 'x'"}),
    ("spec", {"rule": "self.missing == 'x'"}),
    ("spec", {"rule": "has(self.inner.missing)"}),
    ("spec", {"rule": "self.a-b == 'x'"}),
    ("spec", {"rule": "self.a == 'x' ||\n self.b == 'x'"}),
    ("spec", {"rule": "self.a == 'x'", "message": " "}),
    ("spec", {"rule": "self.a == 'x'", "message": "a\nb"}),
    ("spec", {"rule": "self.a == 'x'", "reason": "Other"}),
    ("spec", {"rule": "self.a == 'x'", "messageExpression": "  "}),
    ("spec", {"rule": "self.a == 'x'", "optionalOldSelf": True}),
    ("item", {"rule": "self.c == oldSelf.c"}),
    ("root", {"rule": "self.other == 'x'"}),
]


def _definition(where: str, rule: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "object", "properties": {"c": TEXT}}
    keyed: dict[str, Any] = {"type": "object", "required": ["name"], "properties": {"name": TEXT}}
    lists = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "maxItems": 5}
    spec: dict[str, Any] = {"type": "object", "properties": {
        "a": TEXT, "b": TEXT, "namespace": TEXT, "a-b": TEXT, "inner": {"type": "object", "properties": {"c": TEXT}},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"anything": TEXT}},
        "list": {"type": "array", "maxItems": 5, "items": item},
        "keyed": {"type": "array", "items": keyed, **lists},
        "map": {"type": "object", "maxProperties": 5, "additionalProperties": TEXT}}}  # fmt: skip
    root: dict[str, Any] = {"type": "object", "properties": {"spec": spec}}
    {"root": root, "spec": spec, "item": item, "keyed": keyed}[where]["x-kubernetes-validations"] = [rule]
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": root}}
    names = {"plural": "xs", "singular": "x", "kind": "X", "listKind": "XList"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "xs.ruled.hwplan.dev"}, "spec": {
                "group": "ruled.hwplan.dev", "scope": "Namespaced", "names": names, "versions": [version]}}  # fmt: skip


@pytest.fixture
def server(api_server: TestCluster) -> Iterator[Server]:
    with Server(api_server.server, api_server.token, api_server.ca) as client:
        yield client


def test_rules_are_judged_as_the_server_does(server: Server, tmp_path: Path) -> None:
    create_empty_snapshot(tmp_path, name="sandbox")
    sandbox = open_snapshot(tmp_path)
    kind = sandbox.kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert kind is not None
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/xs.ruled.hwplan.dev?fieldManager=f&dryRun=All"
    wrong = []
    for where, rule, good in [*((*one, True) for one in GOOD), *((*one, False) for one in BAD)]:
        document = _definition(where, rule)
        answer = server.request("PATCH", path, document, APPLY)
        try:
            sandbox.apply(kind, document, dry_run=True)
            ours = ""
        except ProviderError as error:
            ours = str(error)
        if answer.ok is not good or bool(ours) is good:
            wrong.append(f"{where} {rule}\n  server:  {answer.body.get('message')}\n  sandbox: {ours}")
    assert not wrong, "\n".join(wrong)
