"""The plan as a document: what is written is read back, one changed byte is noticed, the keys are those of spec 05."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.address import Address
from planner.errors import ForeignPlan
from planner.field_path import ListItemPathElement, SetMemberPathElement
from planner.plan import (
    Action,
    BlockedResource,
    Change,
    ClusterIdentity,
    DriftedField,
    FieldChange,
    FieldOp,
    Plan,
    Precondition,
    Selection,
    VerifiedBy,
)
from planner.plan_bytes import dump_plan, dump_shown_plan, encode_compact_plan, load_plan
from planner.plan_document import plan_document
from planner.plan_id import plan_id
from planner.source_line_ref import SourceRef
from planner.values import (
    Json,
    OutputTemplate,
    SealedSecret,
    canonical_bytes,
    document_digest,
    encode_special_leaves,
    parse_output_ref,
)
from tests.unit.render.sample_plans import HOSTILE, SAMPLES, hostile, mixed

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,5}", fullmatch=True)
SCALARS = st.one_of(WORDS, st.integers(-9, 99), st.booleans(), st.none(), st.sampled_from([0.5, 1.0]))
LEAVES = st.one_of(
    SCALARS,
    st.builds(SealedSecret, WORDS, WORDS),
    st.just(parse_output_ref("GitHead/source#commit")),
    st.just(OutputTemplate(("a-", parse_output_ref("GitHead/source#short")))),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=5,
)
ITEMS = st.lists(st.tuples(NAMES.filter(str.isalnum), SCALARS), min_size=1, max_size=2, unique_by=lambda pair: pair[0])
ELEMENTS = st.one_of(
    WORDS,
    st.integers(0, 12),
    st.builds(SetMemberPathElement, SCALARS),
    ITEMS.map(lambda pairs: ListItemPathElement(tuple(sorted(pairs, key=repr)))),
)
PATHS = st.lists(ELEMENTS, max_size=4).map(tuple)
SOURCES = st.builds(SourceRef, WORDS, st.integers(0, 99), st.integers(0, 9))


@st.composite
def fields(draw: st.DrawFn) -> FieldChange:
    op = draw(st.sampled_from(FieldOp))
    before = None if op is FieldOp.ADD else draw(VALUES)
    after = None if op is FieldOp.REMOVE else draw(VALUES)
    manager = draw(WORDS)
    return FieldChange(draw(PATHS), op, before, after, draw(st.booleans()), manager, draw(WORDS) if manager else "")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    lanes = draw(st.sampled_from([("v03",), ("v02", "v03")]))
    places = [f"D601/{lane}" for lane in lanes]
    addresses = draw(
        st.lists(
            st.builds(
                Address, st.sampled_from(places), st.just("ConfigMap"), st.sampled_from(["", "a.b"]), NAMES, NAMES
            ),
            max_size=4,
            unique=True,
        )
    )
    changes = [
        Change(
            address=address,
            action=draw(st.sampled_from(Action)),
            api_version=draw(WORDS),
            scope=draw(WORDS),
            reason=draw(WORDS),
            precondition=Precondition(draw(st.booleans()), draw(WORDS), draw(WORDS)),
            source=draw(SOURCES),
            desired=draw(st.one_of(st.none(), st.dictionaries(WORDS, VALUES, max_size=2))),
            fields=tuple(draw(st.lists(fields(), max_size=2))),
            needs=tuple(addresses[:at]),
            verified=draw(st.sampled_from(VerifiedBy)),
            expects=draw(WORDS),
            forced=tuple(draw(st.lists(PATHS, max_size=1))),
            migrate=draw(st.booleans()),
            wait=draw(WORDS),
            wait_seconds=draw(st.sampled_from([None, 1.5, 90.0])),
        )
        for at, address in enumerate(addresses)
    ]
    blocked = (
        draw(
            st.lists(st.builds(BlockedResource, st.sampled_from(addresses), st.sampled_from(Action), WORDS), max_size=1)
        )
        if addresses
        else []
    )
    drift = (
        draw(st.lists(st.builds(DriftedField, st.sampled_from(addresses), fields(), st.booleans()), max_size=1))
        if addresses
        else []
    )
    return Plan(
        selection=Selection(draw(WORDS), draw(WORDS), ("D601",), lanes, (draw(WORDS),)),
        cluster=ClusterIdentity(draw(WORDS), draw(WORDS), draw(st.booleans())),
        inputs_config=draw(WORDS),
        inputs_live=draw(WORDS),
        changes=tuple(changes),
        blocked=tuple(blocked),
        drift=tuple(drift),
        warnings=tuple(draw(st.lists(WORDS, max_size=2))),
        unchanged=draw(st.integers(0, 9)),
        destroy=draw(st.booleans()),
    )


@given(plans())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_back(plan: Plan) -> None:
    data = dump_plan(plan)
    again = load_plan(data)
    assert again == plan
    assert dump_plan(again) == data
    assert plan_document(again)["id"] == plan_id(plan)


@given(plans())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_state_keeps_are_the_canonical_bytes(plan: Plan) -> None:
    data = encode_compact_plan(plan, plan_id(plan))
    assert data == canonical_bytes(plan_document(plan)) and load_plan(data) == plan


@pytest.mark.parametrize("text", [text for text in HOSTILE if not set(text) & {"\ud800", "#", "/"}])
def test_hostile_text_is_read_back(text: str) -> None:
    assert load_plan(dump_plan(hostile(text))) == hostile(text)


def test_the_keys_are_those_of_the_contract() -> None:
    found = plan_document(mixed())
    assert set(found) >= {
        *("schemaVersion", "tool", "id", "selection", "cluster", "inputs", "summary"),
        *("changes", "blocked", "drift", "warnings"),
    }
    assert found["schemaVersion"] == 1
    assert set(found["selection"]) >= {"product", "nodes", "lanes", "scopes", "targets", "exclude"}
    assert set(found["cluster"]) == {"uid", "server", "simulated"}
    assert set(found["inputs"]) == {"config", "live"}
    assert set(found["changes"][0]) >= {
        *("order", "address", "action", "apiVersion", "kind", "namespace", "name", "node", "lane", "scope", "reason"),
        *("needs", "verified", "precondition", "source", "fields"),
        *("desired", "expects", "forced", "migrate", "wait"),
    }
    assert [change["order"] for change in found["changes"]] == list(range(1, 11))
    assert found["changes"][0]["address"] == "Namespace/hwlab-v03"
    assert (found["changes"][0]["node"], found["changes"][0]["lane"]) == ("D601", "v03")
    counts = {"create": 2, "update": 3, "replace": 1, "delete": 1, "adopt": 1, "run": 1, "noop": 112, "blocked": 1}
    assert found["summary"] == {**counts, "drifted": found["summary"]["drifted"]}


def test_the_checksum_is_the_digest_of_the_document_without_it() -> None:
    found = plan_document(mixed())
    assert found["checksum"] == document_digest({key: value for key, value in found.items() if key != "checksum"})


def test_what_guards_say_is_shown_beside_the_plan_and_not_read() -> None:
    plan = load_plan(DATA)
    said = [{"name": "empty-config", "message": "nothing is declared", "remedy": "look"}]
    shown = dump_shown_plan(plan, guards=said)
    document = json.loads(shown)
    assert document.pop("guards") == said and document == json.loads(DATA)
    assert load_plan(shown) == plan


def test_who_was_asked_is_no_part_of_the_id() -> None:
    """A snapshot of a cluster and the cluster, by whatever name, give the same plan the same id."""
    plan = mixed()
    asked = tuple(replace(change, verified=VerifiedBy.SCHEMA) for change in plan.changes)
    elsewhere = replace(plan, changes=asked, cluster=replace(plan.cluster, server="x", simulated=False), warnings=())
    assert plan_id(elsewhere) == plan_id(plan) and dump_plan(elsewhere) != dump_plan(plan)
    assert plan_id(replace(plan, cluster=replace(plan.cluster, uid="another"))) != plan_id(plan)


def _fewer(plan: Plan, change: Any) -> Plan:
    return replace(plan, changes=(change(plan.changes[3]), *plan.changes[:3], *plan.changes[4:]))


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, desired={"kind": "Other"}),
        lambda one: replace(one, precondition=Precondition(uid="u-2")),
        lambda one: replace(one, fields=one.fields[1:]),
        lambda one: replace(one, expects="sha256:0"),
        lambda one: replace(one, forced=(("data",),)),
        lambda one: replace(one, wait="none"),
    ],
)
def test_what_is_done_and_what_was_seen_is_part_of_the_id(change: Any) -> None:
    plan = mixed()
    assert plan_id(_fewer(plan, change)) != plan_id(_fewer(plan, lambda one: one))


def test_addresses_have_their_place_where_a_plan_spans_several() -> None:
    assert plan_document(SAMPLES["several-places"])["changes"][0]["address"] == "D601/v02:Namespace/n"


DATA = dump_plan(mixed())


@given(st.integers(0, len(DATA) - 1), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_one_changed_byte_is_refused(at: int, byte: int) -> None:
    if DATA[at] == byte:
        return
    with pytest.raises(ForeignPlan):
        load_plan(DATA[:at] + bytes([byte]) + DATA[at + 1 :])


@given(st.integers(0, len(DATA)), st.sampled_from([b" ", b"\n", b"\xef\xbb\xbf", b"0"]))
@settings(max_examples=100, deadline=None)
def test_one_added_or_cut_byte_is_refused(at: int, more: bytes) -> None:
    with pytest.raises(ForeignPlan):
        load_plan(DATA[:at] + more + DATA[at:])
    if at < len(DATA):
        with pytest.raises(ForeignPlan):
            load_plan(DATA[:at])


@given(
    st.one_of(
        st.binary(max_size=40), st.sampled_from([b"[" * 100_000, b"null", b"[]", b'{"schemaVersion": 1}', b"1e999"])
    )
)
@settings(deadline=None)
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(ForeignPlan):
        load_plan(data)


def _forged(change: Any) -> bytes:
    """A plan that somebody edited, with a checksum that fits."""
    found = json.loads(DATA)
    change(found)
    found["checksum"] = document_digest({key: value for key, value in found.items() if key != "checksum"})
    return json.dumps(found, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(schemaVersion=2),
        lambda found: found.update(changes=1),
        lambda found: found["changes"][0].pop("action"),
        lambda found: found["changes"][0].update(action="explode"),
        lambda found: found["changes"][0]["fields"].append(None),
        lambda found: found["changes"][0].update(desired={"$hwplan": {"unknown": 1}}),
        lambda found: found["changes"][0].update(precondition={"extra": 1}),
        lambda found: found.update(selection=[]),
        lambda found: found.update(cluster=None),
        lambda found: found.update(id="sha256:" + "0" * 64),
        lambda found: found["changes"][3].update(expects="sha256:0"),
        lambda found: found["changes"][0]["source"].update(file=5),
        lambda found: found["changes"][0].update(reason={}),
        lambda found: found["cluster"].update(simulated=[False]),
        lambda found: found["changes"].append(found["changes"][0]),
        lambda found: found["warnings"].append(None),
        lambda found: found.update(schemaVersion=True),
    ],
)
def test_a_forged_plan_that_does_not_fit_is_refused_without_a_traceback(change: Any) -> None:
    with pytest.raises(ForeignPlan):
        load_plan(_forged(change))


@given(plans())
def test_a_plan_file_is_indented_json(plan: Plan) -> None:
    written = json.dumps(plan_document(plan), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    assert dump_plan(plan) == written.encode() + b"\n"


@pytest.mark.parametrize("value", [{}, [], {"a": []}, {"a": {}}, [[1, "ä\u2028\n"], {"b": [None, True, 1.5]}, ""]])
def test_what_holds_no_special_leaf_is_not_copied(value: Json) -> None:
    assert encode_special_leaves(value) is value
    assert encode_special_leaves({"x": value, "s": SealedSecret("r", "f")})["x"] is value
