"""Overlays, problems as text, `explain` and the schemas."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from planner.app.product_defined_fields import product_field_models_of_config
from planner.errors import Problem, SelectionError
from planner.loading.config import load_config
from planner.loading.config_layers import ConfigLayer, merge_layers
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.json_schema import json_schemas
from planner.loading.kind_documentation import explain_kind
from planner.loading.problems import Problems, render_problems, source_line_unless_secret
from planner.loading.yaml.load_documents import CONFIG, load_documents
from planner.source_line_ref import SourceRef
from planner.spec.kinds import TABLE
from tests.unit.loading.fakes import CANARY, ROOT


def test_overlays_merge_and_remember() -> None:
    text = "base: {a: {v: 1, w: 2}, l: [1, 2], gone: 1}\ntop: {a: {w: 3}, l: [4], gone: null}\n"
    origin = DocumentOrigin(DocumentText("f.yaml", text), 0, 1)
    value = load_documents(text.encode(), "f.yaml", CONFIG)[0].value
    merged = merge_layers([ConfigLayer(value["base"], origin, ("base",)), ConfigLayer(value["top"], origin, ("top",))])
    assert merged.value == {"a": {"v": 1, "w": 3}, "l": [4]}
    problems = Problems()
    for path in (("a", "v"), ("a", "w"), ("a", "z"), ("l", 0)):
        merged.problem(problems, path, str(path))
    assert [problem.source.line for problem in problems.found] == [1, 2, 2, 2]


@pytest.mark.parametrize(
    "text",
    [
        f"a: 1\nkind: Secret\nx: {CANARY}\n",
        f'{{"kind": "Secret",\n\n"x": "{CANARY}"}}',
        f"a: 1\n---\na: 1\nx: {CANARY}\nkind:   'SecretList'\n",
        f"a: 1\n\npassword: {CANARY}\n",
        f"a: 1\n\n  githubToken: {CANARY}\n",
        f"a: 1\n\nurl: https://{CANARY}@host/x\n",
        f"a: 1\n\nurl: ssh://user:{CANARY}@host/x\n",
    ],
)
def test_lines_with_secrets_are_not_shown(text: str) -> None:
    for line in range(1, text.count("\n") + 2):
        assert CANARY not in source_line_unless_secret(text, line)


def test_a_report_is_safe_for_a_terminal() -> None:
    problem = Problem(SourceRef("a\x1b[31m.yaml", 1, 2), "bad\r\n::error::", "\u202ehint", "\x1b]0;x\x07" + "y" * 500)
    report = render_problems([problem])
    assert not any(char in report for char in "\x1b\r\x07\u202e")
    assert max(map(len, report.split("\n"))) < 180


def test_every_kind_and_field_is_documented() -> None:
    for kind in TABLE:
        page = explain_kind(kind)
        assert "fields:" in page
    assert "fast-forward" in explain_kind("GitRef.spec.mode")
    assert "required" in explain_kind("Lanes.product")


@pytest.mark.parametrize(
    ("what", "remedy"),
    [
        ("GitReff", 'did you mean "GitRef"?'),
        ("GitRef.spec.mod", 'did you mean "mode"?'),
        ("Deployment", "kubectl explain"),
    ],
)
def test_explain_says_where_to_look(what: str, remedy: str) -> None:
    with pytest.raises(SelectionError) as caught:
        explain_kind(what)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("products", "product"),
        ("hwlab-node-control-plane", "nodes"),
        ("hwlab-node-lanes", "hwlab.lanes"),
        ("web-probe-sentinel", "web-probe-sentinel.lanes"),
        *(
            (f"platform-infra/{service}", "platform-infra.lanes")
            for service in ("observability", "sub2api", "wechat-archive")
        ),
    ],
)
def test_the_shipped_configuration_fits_its_schema(file: str, schema: str) -> None:
    body = json_schemas(product_field_models_of_config(load_config(ROOT / "config")))[f"{schema}.schema.json"]
    jsonschema.Draft202012Validator.check_schema(body)
    value = load_documents((ROOT / "config" / f"{file}.yaml").read_bytes(), file, CONFIG)[0].value
    jsonschema.validate(value, body, cls=jsonschema.Draft202012Validator)
    assert f"schema/{schema}.schema.json" in (ROOT / "config" / f"{file}.yaml").read_text().split("\n")[0]


def test_schemas_are_json(tmp_path: Path) -> None:
    found = json_schemas()
    assert len(found) == len(TABLE) + 4
    assert json.loads(json.dumps(found)) == found
