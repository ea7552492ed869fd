"""Drift for people and programs: what we declared -> what lives, who did it, and no secret, whatever happened."""

from __future__ import annotations

import json

import pytest

from planner.address import Address
from planner.drift import DriftReport, DriftState, ObjectDrift
from planner.field_path import FieldPath, ListItemPathElement
from planner.plan import ClusterIdentity, FieldChange, FieldOp, Selection
from planner.render.drift_text import drift_json, render_drift_text
from planner.source_line_ref import SourceRef
from planner.values import Json, SealedSecret
from tests.unit.render_graph.samples import HOSTILE

_NIGHT = ("night-shift", "2026-11-22T03:11Z")
_WHO = {"manager": _NIGHT[0], "time": _NIGHT[1]}
_REPLICAS = FieldChange(("spec", "replicas"), FieldOp.CHANGE, 7, 2, False, *_NIGHT)  # as planned: from 7 back to 2
_ANNOTATION = FieldChange(("metadata", "annotations", "x/y"), FieldOp.ADD, None, "1", False, "metallb", "2026-11-22")
_NEWER = FieldChange(("data", "a"), FieldOp.CHANGE, "old", "new")
_HEX = "7a1c02aabbccddee"


def _row(
    text: str, state: DriftState, reason: str = "", *fields: FieldChange, undeclared: tuple[FieldChange, ...] = ()
) -> ObjectDrift:
    return ObjectDrift(Address.parse(f"D601/v03:{text}"), state, reason, SourceRef("app.yaml", 3), fields, undeclared)


def _report(*rows: ObjectDrift, simulated: bool = False, warnings: tuple[str, ...] = ()) -> DriftReport:
    selection = Selection("hwlab", nodes=("D601",), lanes=("v03",))
    return DriftReport(selection, ClusterIdentity("3f0c51ab-1", "k3s-d601", simulated), rows, warnings)


def _page(*rows: ObjectDrift, width: int = 140, colour: bool = False) -> str:
    return render_drift_text(_report(*rows), width=width, colour=colour, command="hwplan apply --confirm")


def _drifted(change: FieldChange, width: int = 140) -> str:
    """What the page says of one changed field."""
    line = _page(_row("Secret/shop/db", DriftState.DRIFTED, "", change), width=width).splitlines()[1]
    return line.removeprefix("  drifted  Secret/shop/db  ")


_EXAMPLE = (
    _row("Namespace/hwlab-v03", DriftState.IN_SYNC),
    _row("ConfigMap/infra/mirror", DriftState.PENDING, "config is newer than what was applied", _NEWER),
    _row("Deployment.apps/shop/api-one", DriftState.DRIFTED, "", _REPLICAS, undeclared=(_ANNOTATION,)),
    _row("Secret/hwlab-v03/openfga", DriftState.INCOMPLETE, 'forbidden: get secrets (User "drift-cron")'),
    _row("Service/hwlab-v03/api", DriftState.BOTH, "config is newer than what was applied", _REPLICAS, _NEWER),
)


def test_the_page_in_columns() -> None:
    assert _page(*_EXAMPLE).splitlines() == [
        "2 of 5 objects drifted, 1 pending, 1 unreadable · D601/v03 on k3s-d601 (uid 3f0c51ab)",
        "  drifted  Deployment.apps/shop/api-one  spec.replicas 2 -> 7             night-shift, 2026-11-22T03:11Z",
        '                                         + metadata.annotations[x/y] "1"  metallb, 2026-11-22 (not declared)',
        "  both     Service/hwlab-v03/api         spec.replicas 2 -> 7             night-shift, 2026-11-22T03:11Z",
        "                                         config is newer than what was applied (1 field)",
        "  pending  ConfigMap/infra/mirror        config is newer than what was applied (1 field)",
        '  ????     Secret/hwlab-v03/openfga      forbidden: get secrets (User "drift-cron")',
        "to put it back:  hwplan apply --confirm",
    ]


def test_the_page_where_columns_do_not_fit() -> None:
    lines = _page(*_EXAMPLE, width=80).splitlines()
    assert lines[:7] == [
        "2 of 5 objects drifted, 1 pending, 1 unreadable",
        "D601/v03 on k3s-d601 (uid 3f0c51ab)",
        "  drifted  Deployment.apps/shop/api-one",
        "             spec.replicas 2 -> 7  night-shift, 2026-11-22T03:11Z",
        '             + metadata.annotations[x/y] "1"  metallb, 2026-11-22 (not declared)',
        "  both     Service/hwlab-v03/api",
        "             spec.replicas 2 -> 7  night-shift, 2026-11-22T03:11Z",
    ]
    assert max(map(len, lines)) <= 80


def test_a_clean_page_is_one_line_and_offers_nothing() -> None:
    page = _page(_row("Namespace/shop", DriftState.IN_SYNC))
    assert page == "none of 1 object drifted · D601/v03 on k3s-d601 (uid 3f0c51ab)"


def test_what_is_only_pending_is_applied_and_not_put_back() -> None:
    assert _page(_row("ConfigMap/shop/a", DriftState.PENDING, "declared, never applied")).splitlines()[1:] == [
        "  pending  ConfigMap/shop/a  declared, never applied",
        "to apply it:  hwplan apply --confirm",
    ]


def test_what_could_not_be_told_offers_nothing() -> None:
    page = _page(_row("Secret/shop/db", DriftState.INCOMPLETE, "forbidden", _REPLICAS))
    assert page.splitlines()[1:] == ["  ????     Secret/shop/db  forbidden"]


def test_a_deleted_object_has_its_reason() -> None:
    assert "drifted  Job.batch/shop/a  deleted since run 17" in _page(
        _row("Job.batch/shop/a", DriftState.DRIFTED, "deleted since run 17")
    )


def test_a_simulated_world_and_warnings_are_named() -> None:
    report = _report(*_EXAMPLE[:1], simulated=True, warnings=("cannot list\x1b[2J jobs",))
    first, warning = render_drift_text(report, width=100, colour=False, command="").splitlines()
    assert first.endswith("· simulated")
    assert warning == "warning: cannot list\\x1b[2J jobs"


def test_colour_adds_nothing_but_colour() -> None:
    import re

    coloured = _page(*_EXAMPLE, colour=True)
    assert "\x1b[33mdrifted\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == _page(*_EXAMPLE)


@pytest.mark.parametrize(
    ("op", "live", "declared", "reported"),
    [
        (FieldOp.CHANGE, "20m", "10m", 'spec.timeout "10m" -> "20m"'),
        (FieldOp.ADD, None, 3, "- spec.timeout 3 (gone)"),
        (FieldOp.REMOVE, {"a": 1}, None, '+ spec.timeout {"a": 1}'),
        (FieldOp.CHANGE, "a\nB\nc\n", "a\nb\nc\n", "spec.timeout (1 of 4 lines differ)"),
    ],
)
def test_a_field_goes_from_declared_to_live(op: FieldOp, live: Json, declared: Json, reported: str) -> None:
    assert _drifted(FieldChange(("spec", "timeout"), op, live, declared)) == reported


def test_a_field_that_we_give_up_is_not_drift() -> None:
    given_up = FieldChange(("data", "b"), FieldOp.DISOWN, "x", "x", False, *_NIGHT)
    page = _page(
        _row("ConfigMap/shop/a", DriftState.BOTH, "config is newer than what was applied", given_up, _REPLICAS)
    )
    assert "data.b" not in page and "applied (1 field)" in page


def test_a_long_value_is_cut_with_the_cut_named() -> None:
    reported = _drifted(FieldChange(("data", "a"), FieldOp.REMOVE, "x" * 5000), width=400)
    assert len(reported) < 120 and "characters" in reported
    both = _drifted(FieldChange(("data", "a"), FieldOp.CHANGE, "x" * 900 + "live", "x" * 900 + "ours"), width=400)
    assert "live" in both and "ours" in both and len(both) < 200


@pytest.mark.parametrize(
    "value", [SealedSecret("file:pg.env#PASSWORD", f"hmac-sha256:{_HEX}"), f"hmac-sha256:{_HEX}", "hunter2"]
)
@pytest.mark.parametrize("op", FieldOp)
def test_of_a_secret_only_six_digits_are_shown(value: Json, op: FieldOp) -> None:
    change = FieldChange(
        ("data", "PASSWORD"), op, value, SealedSecret("file:pg.env#PASSWORD", "hmac-sha256:00aa11bbcc22"), True
    )
    for row in (
        _row("Secret/shop/db", DriftState.DRIFTED, "", change),
        _row("Secret/shop/db", DriftState.DRIFTED, "", undeclared=(change,)),
    ):
        page = _page(row)
        assert "data" in page
        assert not any(found in page for found in (_HEX[:8], "00aa11bb", "hunter2", "pg.env"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_and_keeps_its_line(text: str) -> None:
    path: FieldPath = ("spec", text, ListItemPathElement((("name", text),)))
    change = FieldChange(path, FieldOp.CHANGE, text, [text], False, text, text)
    row = ObjectDrift(
        Address(text, text, text, text, text), DriftState.BOTH, text, SourceRef(text), (change, _NEWER), (change,)
    )
    report = DriftReport(Selection(name=text), ClusterIdentity(text, text), (row, row), (text,))
    for width in (40, 5000):
        page = render_drift_text(report, width=width, colour=False, command=text)
        assert all(char.isprintable() or char == "\n" for char in page)
        assert not any(line.startswith("::") for line in page.splitlines())
    assert len(page.splitlines()) == 1 + 2 * 3 + 2


def test_the_document_tells_drift_and_pending_apart() -> None:
    document = drift_json(_report(*_EXAMPLE))
    assert document["schemaVersion"] == 1 and document["exitCode"] == 1
    assert document["summary"] == {
        "objects": 5,
        "in sync": 1,
        "pending": 1,
        "drifted": 1,
        "both": 1,
        "acknowledged": 0,
        "ignored": 0,
        "ignoredFields": 0,
        "incomplete": 1,
    }
    both = document["objects"][4]
    assert both["address"] == "Service/hwlab-v03/api" and both["state"] == "both"
    assert both["fields"] == [
        {"path": "spec.replicas", "op": "change", "before": 2, "after": 7, "sensitive": False, **_WHO}
    ]
    assert both["pending"] == [{"path": "data.a", "op": "change", "before": "old", "after": "new", "sensitive": False}]
    assert document["objects"][2]["undeclared"][0]["after"] == "1"
    assert json.loads(json.dumps(document)) == document
