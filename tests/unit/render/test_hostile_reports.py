"""Five hundred hostile strings in every part of a drift report and of a status, through every form of them."""

from __future__ import annotations

import json
import re

import pytest
from markdown_it import MarkdownIt

from planner.address import Address
from planner.drift import AcknowledgedDriftField, DriftAcknowledgement, DriftReport, DriftState, ObjectDrift
from planner.plan import ClusterIdentity, FieldChange, FieldOp, Selection
from planner.render.drift_json import drift_json, render_drift_json
from planner.render.drift_markdown import render_drift_markdown
from planner.render.drift_prometheus import render_drift_prometheus
from planner.render.drift_text import render_drift_text
from planner.render.git_mirror_status import git_mirror_status_json, render_git_mirror_status
from planner.render.image_status import image_status_json, render_image_status
from planner.render.plan_markdown import LIMIT
from planner.render.secret_status import render_secret_status, secret_status_json
from planner.resource_status import ResourceStatusRow, ResourceStatusTable, SecretKeyStatus, SecretStatusTable
from planner.source_line_ref import SourceRef
from tests.unit.render.hostile_strings import STRINGS

BATCHES = [STRINGS[at : at + 25] for at in range(0, len(STRINGS), 25)]
OBEYED = re.compile(r"^\s*::|##\[|##vso\[|section_(start|end):", re.MULTILINE)
SAMPLE = re.compile(r'# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{([a-z]+="([^"\\\n]|\\[\\"n])*",?)+\} \d+')


def report(text: str) -> DriftReport:
    """`text` wherever a string of outside origin can stand, in every state."""
    fields = (
        FieldChange((text, "a"), FieldOp.CHANGE, text, f"{text}\n{text}", manager=text, time=text),
        FieldChange((text,), FieldOp.CHANGE, text, text, sensitive=True, manager=text),
        FieldChange(("b", text), FieldOp.ADD, None, {text: [text]}, manager=text),
        FieldChange(("c", text), FieldOp.REMOVE, text * 40, None, manager=text),
    )
    accepted = DriftAcknowledgement(text, text, text, ((text,),), SourceRef(text, 1))
    known = (AcknowledgedDriftField((text, "a"), accepted),)
    rows = [
        ObjectDrift(
            Address("", "ConfigMap", text, text, f"{state}{text}"), state, text, SourceRef(text), fields, fields, known
        )
        for state in DriftState
    ]
    chosen = Selection(text, "", (text,), (text,), (text,), (text,), (text,))
    return DriftReport(chosen, ClusterIdentity(text, text), tuple(rows), (text,), (accepted,), "2026-11-22T03:11:40Z")


def is_inert(page: str) -> bool:
    return all(char == "\n" or char.isprintable() for char in page) and not OBEYED.search(page)


@pytest.mark.parametrize("texts", BATCHES)
def test_a_drift_report_on_a_terminal(texts: tuple[str, ...]) -> None:
    for at, text in enumerate(texts):
        found = report(text)
        assert is_inert(render_drift_text(found, width=(80, 200)[at % 2], colour=False, command=text)), text
        shown = render_drift_json(found)
        assert is_inert(shown), text
        assert json.loads(shown) == drift_json(found)


@pytest.mark.parametrize("texts", BATCHES)
def test_a_drift_report_as_metrics(texts: tuple[str, ...]) -> None:
    for text in texts:
        page = render_drift_prometheus(report(text))
        assert all(SAMPLE.fullmatch(line) for line in page.splitlines()), text


@pytest.mark.parametrize("texts", BATCHES)
def test_a_drift_report_as_a_comment(texts: tuple[str, ...]) -> None:
    """The page is parsed: outside text stands in code and nowhere else."""
    parser = MarkdownIt("commonmark").enable("table")
    for text in texts:
        page = render_drift_markdown(report(text), command=text)
        assert len(page.encode()) <= LIMIT and is_inert(page), text
        tokens = parser.parse(page)
        inline = [child for token in tokens for child in token.children or ()]
        assert {child.type for child in inline} <= {
            *("text", "code_inline", "html_inline", "strong_open", "strong_close", "softbreak"),
        }, text
        raw = "".join(token.content for token in tokens if token.type == "html_block")
        raw += "".join(child.content for child in inline if child.type == "html_inline")
        assert "<" not in re.sub(r"</?(details|summary|b|code)>|<details open>", "", raw), text
        assert not re.search(r"@\w|https?:|www\.", _outside(page)), text


def _outside(page: str) -> str:
    """The page without what stands in fences and in spans of code."""
    return re.sub(r"(`{3,})(diff|sh)\n.*?\n\1(\n|$)|`[^`\n]*`|<code>.*?</code>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("texts", BATCHES)
def test_the_pages_of_a_status(texts: tuple[str, ...]) -> None:
    for text in texts:
        address, cluster = Address("", "GitRef", "", text, text), ClusterIdentity(text, text)
        side = {"remote": text, "ref": text}
        spec = {"name": text, "mode": text, "from": side, "to": side, "source": {"image": text}, "target": text}
        row = ResourceStatusRow(address, spec, text, text, False, text, {"commit": text, "ahead": text, "behind": text})
        key = SecretKeyStatus(address, text, text, text, text, text)
        status, secret = ResourceStatusTable(cluster, (row,)), SecretStatusTable(cluster, (key,), (address,))
        pages = [
            render_git_mirror_status(status, sync="hwplan", flush="hwplan", colour=False),
            render_image_status(status, commands={"source": "hwplan"}, colour=False),
            render_secret_status(secret, command="hwplan", delete="hwplan", colour=False),
        ]
        assert all(map(is_inert, pages)), text
        images = image_status_json(status, commands={})
        for document in (git_mirror_status_json(status), images, secret_status_json(secret)):
            assert json.dumps(document).isprintable()
