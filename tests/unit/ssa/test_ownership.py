"""Ownership of live objects, and "nothing to do" without a request."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from planner.field_path import ListItemPathElement, SetMemberPathElement, render_path
from providers.kubernetes.ssa.merge import merge_plain_update, merge_server_side_apply
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.ownership import (
    apply_changes_nothing,
    declared_fields_taken_by_others,
    fields_applied_by,
    fields_owned_by_others,
    owners_of_field,
    project_fields,
)
from tests.fidelity.crds import CRDS, GROUP

Doc = dict[str, Any]
TYPES = MergeTypeTable.builtin().with_crds(CRDS)
NOW = "2026-01-01T00:00:00Z"


def service(**changes: Any) -> Doc:
    ports = [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    spec = {"selector": {"app": "x"}, "ports": ports, **changes}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "labels": {"a": "b"}}, "spec": spec}


def live_of(desired: Doc, manager: str = "us", live: Doc | None = None) -> Doc:
    return merge_server_side_apply(live, desired, manager=manager, types=TYPES, force=True, now=NOW).object


def edited(live: Doc, manager: str = "editor", **spec: Any) -> Doc:
    new = copy.deepcopy(live)
    new["spec"] |= spec
    return merge_plain_update(live, new, manager=manager, types=TYPES, now=NOW)


def same(live: Doc, desired: Doc) -> tuple[bool, bool]:
    found = [
        apply_changes_nothing(live, desired, manager="us", compare_leaves=flag, types=TYPES) for flag in (True, False)
    ]
    return found[0], found[1]


def test_what_was_just_applied_is_unchanged() -> None:
    assert same(live_of(service()), service()) == (True, True)


def test_defaults_and_other_managers_fields_do_not_matter() -> None:
    live = edited(live_of(service()), sessionAffinity="ClientIP")
    assert same(live, service()) == (True, True)


@pytest.mark.parametrize(
    "desired",
    [
        service(ports=[{"name": "http", "port": 80}]),
        service(ports=list(reversed(service()["spec"]["ports"]))),
        service(ports=[*service()["spec"]["ports"], {"name": "more", "port": 1}]),
        service(type="NodePort"),
        service() | {"spec": {"ports": service()["spec"]["ports"]}},
        {key: value for key, value in service().items() if key != "spec"},
        service() | {"metadata": {"name": "s"}},
        service() | {"metadata": {"name": "s", "labels": {"a": "b", "c": "d"}}},
    ],
)
def test_removals_reorderings_and_additions_are_seen_without_leaves(desired: Doc) -> None:
    assert same(live_of(service()), desired) == (False, False)


def test_changed_leaves_are_seen_with_leaves() -> None:
    live = live_of(service())
    assert not apply_changes_nothing(live, service(selector={"app": "y"}), manager="us", compare_leaves=True)
    assert not apply_changes_nothing(
        live, service() | {"metadata": {"name": "s", "labels": {"a": "z"}}}, manager="us", compare_leaves=True
    )


def test_a_value_taken_by_somebody_else_is_seen() -> None:
    assert same(edited(live_of(service()), selector={"app": "z"}), service()) == (False, False)


def test_true_is_not_one() -> None:
    desired = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "immutable": True}
    live = live_of(desired)
    live["immutable"] = 1
    assert not apply_changes_nothing(live, desired, manager="us", compare_leaves=True)


def test_an_empty_map_that_was_declared_is_no_atomic_one() -> None:
    empty = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "p"}, "spec": {}}
    selector = {"selector": {"matchLabels": {"a": "b"}}}
    live = live_of(empty, live=live_of({**empty, "spec": selector}, "other"))
    assert same(live, {**empty, "spec": selector}) == (False, False)
    unknown = {"apiVersion": "x.io/v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"a": {}}}
    assert not apply_changes_nothing(
        live_of(unknown), {**unknown, "spec": {"a": {"b": 1}}}, manager="us", compare_leaves=False
    )


def test_a_leaf_shared_with_somebody_must_be_spelled_the_same() -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q"},
        "spec": {"hard": {"requests.cpu": "1000m"}},
    }
    live = live_of(claim)
    assert same(live, claim) == (False, True)
    shared = live_of({**claim, "spec": {"hard": {"requests.cpu": "1"}}}, "other", live)
    assert same(shared, claim) == (False, False)


def test_terminating_objects_and_other_entries_are_not_unchanged() -> None:
    live = live_of(service())
    assert not apply_changes_nothing(live, service(), manager="else", compare_leaves=True)
    live["metadata"]["deletionTimestamp"] = NOW
    assert same(live, service()) == (False, False)


def test_a_bare_object_only_has_to_exist() -> None:
    bare = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    assert same(live_of(bare), bare) == (True, True)
    labelled = live_of({**bare, "metadata": {"name": "n", "labels": {"a": "b"}}})
    assert same(labelled, bare) == (False, False)


def test_owners_of_a_path() -> None:
    live = edited(live_of(service()), sessionAffinity="ClientIP")
    item = ListItemPathElement((("port", 80), ("protocol", "TCP")))
    assert [owner.manager for owner in owners_of_field(live, ("spec", "ports", item, "name"))] == ["us"]
    assert [owner.manager for owner in owners_of_field(live, ("spec", "selector", "app"))] == [
        "us"
    ]  # inside an atomic map
    assert [(o.manager, o.operation, o.time) for o in owners_of_field(live, ("spec", "sessionAffinity"))] == [
        ("editor", "Update", NOW)
    ]
    assert owners_of_field(live, ("spec", "type")) == ()
    assert owners_of_field(live, ("spec",)) == ()


def test_owned_by_is_our_apply_entry() -> None:
    live = live_of(service())
    assert ("spec", "selector") in fields_applied_by(live, "us")
    assert not fields_applied_by(live, "else")


def test_foreign_leaves_with_value_and_owner() -> None:
    live = edited(live_of(service()), sessionAffinity="ClientIP")
    found = [(render_path(path), value, owner.manager) for path, value, owner in fields_owned_by_others(live, "us")]
    assert ("spec.sessionAffinity", "ClientIP", "editor") in found
    assert not [row for row in found if row[0].startswith("spec.ports")]
    assert fields_owned_by_others(live_of(service()), "us") == ()


def test_foreign_leaves_out_subresources() -> None:
    made = live_of({"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"text": "x"}})
    live = merge_plain_update(
        made, {**made, "status": {"a": 1}}, manager="c", types=TYPES, now=NOW, subresource="status"
    )
    assert fields_owned_by_others(live, "us") == ()


def test_lost_leaves_and_who_took_them() -> None:
    ports = [{"name": "web", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    live = edited(live_of(service()), selector={"app": "z"}, ports=ports)
    found = {render_path(path): owner.manager for path, owner in declared_fields_taken_by_others(live, service(), "us")}
    assert found == {"spec.selector": "editor", "spec.ports[port=80,protocol=TCP].name": "editor"}
    assert declared_fields_taken_by_others(live_of(service()), service(), "us") == ()
    assert (
        declared_fields_taken_by_others(live_of(service()), service(type="NodePort"), "us") == ()
    )  # never applied, so not lost


def test_projection_keeps_what_is_declared() -> None:
    live = live_of(service())
    assert project_fields(live, service(), TYPES)["spec"] == service()["spec"] | {
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    }
    assert (
        project_fields(live, fields_applied_by(live, "us"), TYPES)["spec"]
        == project_fields(live, service(), TYPES)["spec"]
    )


def test_projection_of_sets_and_empty_maps() -> None:
    spec = {"letters": ["a"], "plain": {}}
    document = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}
    live = copy.deepcopy(document)
    live["spec"] = {"letters": ["b", "a"], "plain": {"x": "y"}, "text": "t"}
    assert project_fields(live, document, TYPES)["spec"] == {"letters": ["a"], "plain": {}}
    assert SetMemberPathElement("a").value == "a"
