"""The type table: built-in kinds, custom kinds, unknown kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.field_path import FieldPath, ListItemPathElement, SetMemberPathElement
from providers.kubernetes.ssa import merge_types
from providers.kubernetes.ssa.merge_types import MergeTypeTable, list_keys
from tests.fidelity.crds import CRDS, GROUP

TABLE = MergeTypeTable.builtin().with_crds(CRDS)
CONTAINERS = ("spec", "template", "spec", "containers")


@pytest.mark.parametrize(
    ("path", "keyed"),
    [
        (CONTAINERS, ("name",)),
        ((*CONTAINERS, 0, "ports"), ("containerPort", "protocol")),
        ((*CONTAINERS, ListItemPathElement((("name", "c"),)), "env"), ("name",)),
        ((*CONTAINERS, 0, "args"), "atomic"),
        (("metadata", "finalizers"), "set"),
        (("metadata", "finalizers", SetMemberPathElement("x")), None),
        (("spec", "replicas"), None),
        (("spec", "nothing", "here"), None),
    ],
)
def test_lists_of_a_deployment(path: FieldPath, keyed: Any) -> None:
    assert list_keys(TABLE, "apps/v1", "Deployment")(path) == keyed


def test_lists_below_an_atomic_one_are_atomic() -> None:
    assert list_keys(TABLE, "apps/v1", "StatefulSet")(
        ("spec", "volumeClaimTemplates", 0, "metadata", "finalizers")
    ) == ("atomic")


@pytest.mark.parametrize(
    ("path", "keyed"),
    [
        (("spec", "letters"), "set"),
        (("spec", "parts"), ("name",)),
        (("spec", "ports"), ("port", "protocol")),
        (("spec", "steps"), "atomic"),
        (("spec", "free", "anything"), "atomic"),
    ],
)
def test_lists_of_a_custom_kind(path: FieldPath, keyed: Any) -> None:
    assert list_keys(TABLE, f"{GROUP}/v1", "Widget")(path) == keyed


def test_unknown_kinds_get_a_deduced_type() -> None:
    kind = TABLE.type_of("nobody.example/v1", "Thing")
    spec = kind.child("spec")
    assert spec is not None
    assert spec.is_map
    assert not spec.atomic
    assert spec.list_kind == "atomic"
    metadata = kind.child("metadata")
    assert metadata is not None
    assert metadata.child("finalizers") is not None
    assert not TABLE.knows("nobody.example/v1", "Thing")


def test_status_is_a_subresource_where_the_kind_says_so() -> None:
    assert TABLE.has_status("apps/v1", "Deployment")
    assert TABLE.has_status(f"{GROUP}/v1", "Widget")
    assert not TABLE.has_status(f"{GROUP}/v1", "Delivery")
    assert not TABLE.has_status("v1", "ConfigMap")


def test_recursive_types_are_decoded_as_they_are_reached() -> None:
    node = TABLE.type_of("apiextensions.k8s.io/v1", "CustomResourceDefinition").child("spec")
    for step in ("versions", "[]", "schema", "openAPIV3Schema", "properties", "a", "properties", "b"):
        assert node is not None
        node = node.items() if step == "[]" else node.child(step)
    assert node is not None
    assert "properties" in node.names


def test_every_reference_of_the_shipped_table_resolves() -> None:
    raw = json.loads((Path(merge_types.__file__).with_name("builtin.json")).read_text())

    def references(value: Any) -> Any:
        if isinstance(value, dict):
            for item in value.values():
                yield from references(item)
        elif isinstance(value, list):
            for item in value:
                yield from references(item)
        elif isinstance(value, str) and value.startswith("#"):
            yield value[1:]

    assert set(references(raw["types"])) <= raw["types"].keys()
    assert set(raw["kinds"].values()) <= raw["types"].keys()
    for key in raw["kinds"]:
        api_version, _, kind = key.rpartition("/")
        assert TABLE.type_of(api_version, kind).child("metadata") is not None


def test_custom_tables_leave_the_first_one_alone() -> None:
    assert not MergeTypeTable.builtin().knows(f"{GROUP}/v1", "Widget")
    assert MergeTypeTable.builtin() is MergeTypeTable.builtin()
