"""The forms for machines and comments: what an alert is made of, and that no outside text is obeyed."""

from __future__ import annotations

import re

import pytest

from planner.address import Address
from planner.drift import DriftState, ObjectDrift
from planner.plan import FieldChange, FieldOp
from planner.render.drift_json import drift_json
from planner.render.drift_markdown import render_drift_markdown
from planner.render.drift_prometheus import MOST_OBJECTS, render_drift_prometheus
from planner.render.drift_text import render_drift_text
from planner.render.plan_markdown import LIMIT
from planner.source_line_ref import SourceRef
from tests.unit.drift.reports import ACCEPTED, AT, EVERY, REPLICAS, report, row
from tests.unit.render.sample_plans import HOSTILE

_WHERE = 'set="shop",node="D601",lane="v03",scope="",cluster="3f0c51ab-1"'
_LABEL = r"[a-z]+=\"(?:[^\"\\\n]|\\[\\\"n])*\""
_LINE = re.compile(rf"# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{{{_LABEL}(?:,{_LABEL})*\}} \d+")


def test_the_metrics() -> None:
    page = render_drift_prometheus(report(*EVERY, expired=(ACCEPTED,), at=AT))
    lines = page.splitlines()
    assert all(_LINE.fullmatch(line) for line in lines) and page.endswith("\n")
    for state in ("in_sync", "pending", "drifted", "both", "acknowledged", "incomplete"):
        assert f'hwplan_drift_objects{{{_WHERE},state="{state}"}} 1' in lines
    assert f'hwplan_drift_fields{{{_WHERE},declared="true"}} 2' in lines
    assert f'hwplan_drift_fields{{{_WHERE},declared="false"}} 1' in lines
    assert f"hwplan_drift_exit_code{{{_WHERE}}} 1" in lines
    assert f"hwplan_drift_acknowledgements_expired{{{_WHERE}}} 1" in lines
    assert f"hwplan_drift_last_run_timestamp_seconds{{{_WHERE}}} 1795317100" in lines
    assert "last_success" not in page, "an incomplete report is no success"
    listed = [line for line in lines if line.startswith("hwplan_drift_object{")]
    assert len(listed) == 5 and 'state="incomplete"' in listed[0]
    assert listed[1].endswith('object="Deployment.apps/shop/api",state="drifted",managers="metallb,night-shift"} 1')
    assert "hwplan_drift_last_success_timestamp_seconds" in render_drift_prometheus(report(*EVERY[:5], at=AT))


def test_a_name_is_declared_once_and_its_samples_stand_together() -> None:
    seen: list[str] = []
    for line in render_drift_prometheus(report(*EVERY, at=AT)).splitlines():
        name = line.split()[2] if line.startswith("#") else line.partition("{")[0]
        if line.startswith("# HELP"):
            assert name not in seen
            seen.append(name)
        assert name == seen[-1]


def test_objects_are_listed_up_to_a_limit_and_the_rest_is_counted() -> None:
    rows = [row(f"ConfigMap/shop/c{n}", DriftState.PENDING) for n in range(MOST_OBJECTS + 7)]
    page = render_drift_prometheus(report(*rows, row("ConfigMap/shop/z", DriftState.DRIFTED, "", REPLICAS)))
    listed = [line for line in page.splitlines() if line.startswith("hwplan_drift_object{")]
    assert len(listed) == MOST_OBJECTS and 'object="ConfigMap/shop/z"' in listed[0], "the worst first"
    assert f"hwplan_drift_objects_unlisted{{{_WHERE}}} 8" in page


@pytest.mark.parametrize("text", [*HOSTILE, 'a"} 1\nhwplan_drift_exit_code 0', "back\\slash", "\x00\x1b[2J"])
def test_hostile_text_stays_text(text: str) -> None:
    change = FieldChange(("spec", text), FieldOp.CHANGE, text, [text], False, text, text)
    rows = [
        ObjectDrift(Address("", text, "", text, text), state, text, SourceRef(text), (change,), (change,))
        for state in DriftState
    ]
    found = report(*rows, warnings=(text,), expired=(ACCEPTED,), at=AT)
    page = render_drift_prometheus(found)
    assert all(_LINE.fullmatch(line) for line in page.splitlines())
    comment = render_drift_markdown(found)
    assert all(char.isprintable() or char == "\n" for char in comment)
    outside = re.sub(r"(`{3,})diff\n.*?\n\1\n|`[^`\n]*`|<code>[^<]*</code>", "", comment, flags=re.DOTALL)
    assert not re.search(r"@\w|https?:|!\[|<(?!/?(details|summary|b)[ >])|::", outside), outside


def test_the_comment_tells_the_worst_first() -> None:
    page = render_drift_markdown(report(*EVERY, expired=(ACCEPTED,)), command="hwplan apply --confirm")
    order = [
        "could not be determined",
        "<b>drifted</b>",
        "the configuration is newer",
        "not applied yet",
        "accepted</b>",
    ]
    places = [page.index(text) for text in order]
    assert places == sorted(places)
    assert "**Incomplete**" in page and "expired on 2026-12-31" in page
    assert "**2 of 6 objects drifted, 1 pending, 1 accepted, 1 unreadable**" in page
    assert "spec.replicas 2 -> 7  night-shift, 2026-11-22T03:11:40Z (accepted until 2026-12-31: a trial)" in page


def test_a_comment_fits_and_names_its_cuts() -> None:
    rows = [row(f"ConfigMap/shop/c{n:05d}", DriftState.DRIFTED, "", REPLICAS) for n in range(3000)]
    page = render_drift_markdown(report(*rows, *EVERY))
    assert len(page.encode()) <= LIMIT
    assert re.search(r"\*\*Cut\*\*: \d+ more do not fit", page) and "**Cut here**" in page


def test_acknowledgements_on_the_page_and_in_the_document() -> None:
    found = report(*EVERY[:1], EVERY[4], expired=(ACCEPTED,))
    page = render_drift_text(found, width=200, colour=False, command="")
    assert page.splitlines()[1].startswith("  accepted Service/shop/web  spec.replicas 2 -> 7")
    document = drift_json(found)
    assert document["exitCode"] == 0 and document["complete"] and document["summary"]["acknowledged"] == 1
    (one,) = document["objects"][1]["acknowledged"]
    assert (one["path"], one["after"], one["acknowledgement"]["reason"]) == ("spec.replicas", 7, "a trial")
    assert document["objects"][1]["fields"] == [] and document["objects"][1]["node"] == "D601"
    assert document["expired"][0]["acknowledgement"]["expires"] == "2026-12-31"
