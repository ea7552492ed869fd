"""What undo makes of each version that a run left: what has to stand again, what goes, and what is stuck and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from planner.address import Address
from planner.app.undo_plan import _graph, _is_inside, _Reverse, _reverse, _same_as_made, _take_back
from planner.applied_state import AppliedRecord
from planner.plan import Action, Change, FieldChange, FieldOp
from planner.ports import AbsentObject, Observation, PresentObject, UnreadableObject
from planner.resource import SET_LABEL
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from state.applied_records import AppliedResourceVersion
from tests.unit.state.state_plans import change as change_in_state
from tests.unit.state.state_plans import opened, whole_run

SETTINGS = Address.parse("ConfigMap/demo/settings")
HEAD = Address.parse("GitHead/main")
CHANGED: JsonObject = {"path": "data.a", "op": "change", "before": "old"}
SECRET: JsonObject = {"path": "data.a", "op": "change", "before": "hmac-sha256:1", "sensitive": True}
SERVER: JsonObject = {"path": "metadata.generation", "op": "change", "before": 1}


def document(address: Address = SETTINGS, **metadata: object) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": address.kind,
        "metadata": {"name": address.name, "namespace": address.namespace, **metadata},
        "data": {"a": "new"},
    }


def version(
    action: Action, *before: JsonObject, address: Address = SETTINGS, kept: JsonObject | None = None, run: int = 2,
    api_version: str = "v1",
) -> AppliedResourceVersion:  # fmt: skip
    record = AppliedRecord(address, api_version, "demo", "runtime", "uid", "", run, "", SourceRef("a.yaml"))
    return AppliedResourceVersion(record, action, kept, before)


def taken_back(one: AppliedResourceVersion, *earlier: AppliedResourceVersion) -> _Reverse:
    reverse = _Reverse()
    _take_back(reverse, one, earlier)
    return reverse


@pytest.mark.parametrize(
    ("one", "earlier", "data", "stuck"),
    [
        (version(Action.UPDATE, CHANGED, kept=document()), (), {"a": "old"}, ""),
        (version(Action.UPDATE, CHANGED, SERVER, kept=document()), (), {"a": "old"}, ""),
        (version(Action.ADOPT, CHANGED, kept=document()), (), {"a": "old"}, ""),
        (version(Action.UPDATE, SECRET, kept=document()), (), {"a": "new"}, "a secret value before the run is not"),
        (version(Action.DELETE), (version(Action.CREATE, kept=document(), run=1),), {"a": "new"}, ""),
        (version(Action.FORGET), (version(Action.UPDATE, kept=document(), run=1),), {"a": "new"}, ""),
        (version(Action.DELETE), (version(Action.DELETE, run=1),), None, "the state keeps no document of it"),
        (version(Action.DELETE), (), None, "the state keeps no document of it"),
        (version(Action.RUN, kept=document()), (), {"a": "new"}, "an effect outside the cluster"),
    ],
)  # fmt: skip
def test_what_stands_again(
    one: AppliedResourceVersion, earlier: tuple[AppliedResourceVersion, ...], data: JsonObject | None, stuck: str
) -> None:
    reverse = taken_back(one, *earlier)
    assert not reverse.to_delete
    assert reverse.wanted[SETTINGS].manifest.get("data") == data
    assert reverse.stuck.get(SETTINGS, "").startswith(stuck) and bool(reverse.stuck) is bool(stuck)


def test_what_the_run_made_goes_with_the_uid_that_it_had() -> None:
    reverse = taken_back(version(Action.CREATE, kept=document()))
    resource, uid = reverse.to_delete[SETTINGS]
    assert (uid, resource.manifest, reverse.wanted, reverse.stuck) == ("uid", document(), {}, {})


def test_a_replace_may_be_replaced_back_and_an_update_may_not() -> None:
    for action, allowed in ((Action.REPLACE, True), (Action.UPDATE, False)):
        resource = taken_back(version(action, CHANGED, kept=document())).wanted[SETTINGS]
        assert resource.options.replace_allowed is allowed


def test_own_kinds_are_not_taken_back() -> None:
    one = version(Action.CREATE, address=HEAD, api_version="hwplan.dev/v1")
    reverse = taken_back(one)
    assert list(reverse.stuck) == list(reverse.wanted) == [HEAD]
    assert reverse.wanted[HEAD].manifest == {
        "apiVersion": "hwplan.dev/v1",
        "kind": "GitHead",
        "metadata": {"name": "main"},
    }


def test_a_resource_keeps_its_set_and_its_options() -> None:
    marked = document(labels={SET_LABEL: "another"}, annotations={"hwplan.dev/protect": "true"})
    resource = taken_back(version(Action.UPDATE, CHANGED, kept=marked)).wanted[SETTINGS]
    assert resource.owned_by == "another" and resource.options.protect and str(resource.source) == "run 2"
    assert taken_back(version(Action.UPDATE, kept=document())).wanted[SETTINGS].owned_by == "demo"


def test_what_a_later_run_changed_is_stuck_behind_it(tmp_path: Path) -> None:
    field = FieldChange(("data", "k"), FieldOp.CHANGE, "old", "v")
    again: Change = replace(change_in_state("a"), action=Action.UPDATE, fields=(field,))
    with opened(tmp_path) as store:
        whole_run(store, change_in_state("a"), change_in_state("b"))
        whole_run(store, again)
        first, second = _reverse(store, 1), _reverse(store, 2)
    assert list(first.stuck.values()) == ["changed again by run 2: undo that one first"]
    assert [one.name for one in first.to_delete] == ["b"]
    assert not second.stuck and [one.name for one in second.wanted] == ["a"]


def made(*addresses: Address) -> _Reverse:
    reverse = _Reverse()
    for address in addresses:
        _take_back(reverse, version(Action.CREATE, address=address, kept=document(address)), ())
    return reverse


@pytest.mark.parametrize(
    ("seen", "goes", "stuck"),
    [
        (PresentObject(SETTINGS, "uid", "c", {}), True, ""),
        (PresentObject(SETTINGS, "another", "c", {}), False, "was deleted and made again since that run"),
        (UnreadableObject(SETTINGS, "forbidden"), False, "unreadable: forbidden"),
        (AbsentObject(SETTINGS), False, ""),
    ],
)
def test_only_what_still_is_what_the_run_made_goes(seen: Observation, goes: bool, stuck: str) -> None:
    reverse = made(SETTINGS)
    found = _same_as_made(reverse, {SETTINGS: seen})
    assert [one.scope for one in found] == (["runtime"] if goes else [])
    assert reverse.stuck.get(SETTINGS, "") == stuck and (SETTINGS in reverse.wanted) is bool(stuck)


def test_a_namespace_stays_with_what_stays_in_it() -> None:
    namespace = Address.parse("Namespace/demo")
    reverse = made(namespace, SETTINGS)
    seen = {
        namespace: PresentObject(namespace, "uid", "c", {}, scope="infra"),
        SETTINGS: PresentObject(SETTINGS, "another", "c", {}),
    }
    assert _same_as_made(reverse, seen) == ()
    assert reverse.stuck[namespace] == "ConfigMap/demo/settings stays, and would go with it"
    assert _graph(reverse).order() == (SETTINGS, namespace) and _graph(reverse).edges == ()


CRD = Address.parse("CustomResourceDefinition.apiextensions.k8s.io/tasks.tekton.dev")
TASKS: JsonObject = {"spec": {"group": "tekton.dev", "names": {"kind": "Task"}}}


@pytest.mark.parametrize(
    ("container", "inside", "outside"),
    [
        (PresentObject(Address.parse("Namespace/demo"), "u", "c", {}), "ConfigMap/demo/a", "ConfigMap/other/a"),
        (PresentObject(CRD, "u", "c", TASKS), "Task.tekton.dev/n/t", "Pipeline.tekton.dev/n/t"),
        (PresentObject(CRD, "u", "c", TASKS), "Task.tekton.dev/n/t", "Task.example.org/n/t"),
    ],
)
def test_what_goes_with_a_container(container: PresentObject, inside: str, outside: str) -> None:
    assert _is_inside(Address.parse(inside), container)
    assert not _is_inside(Address.parse(outside), container)
    assert not _is_inside(Address.parse(inside), PresentObject(SETTINGS, "u", "c", {}))
    assert not _is_inside(Address.parse(inside), replace(container, address=CRD, value=None))
