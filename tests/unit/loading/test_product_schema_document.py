"""A product brings its own schema: what its words come to, that no Python knows a product, and a product of random
names."""

from __future__ import annotations

import ast
import json
import random
import re
import string
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from planner.app.product_defined_fields import product_field_models_of_config
from planner.errors import ConfigError
from planner.loading.config import load_config
from planner.loading.json_schema import json_schemas
from planner.loading.kind_documentation import explain_kind
from planner.loading.problems import Problems
from planner.loading.product_schema.read_schema import ProductModels, read_product_models
from planner.loading.product_stack import load_product_stack
from planner.plan import Selection
from tests.unit.loading.fakes import ROOT, KeyedFingerprinter

ENGINE = ("planner", "providers", "state")
_COMMON = {"none", "external", "egress"}  # values of products that are words of Kubernetes and of hwplan as well


def _models(lane: dict[str, Any], folder: Path, **other: Any) -> ProductModels:
    document = {"apiVersion": "hwplan.dev/v1", "kind": "ProductSchema", "lane": lane, **other}
    (folder / "schema.yaml").write_text(json.dumps(document))
    problems = Problems()
    found = read_product_models(folder, "t", problems)
    problems.raise_any()
    assert found is not None
    return found


NODES: dict[str, Any] = {
    "a text": {"type": "string", "minLength": 2, "maxLength": 3},
    "a pattern": {"type": "string", "pattern": "^a+$"},
    "a whole number": {"type": "integer", "minimum": 2, "maximum": 4},
    "a number": {"type": "number", "minimum": 0.5},
    "a flag": {"type": "boolean"},
    "one of several": {"enum": ["a", "b", 3]},
    "one value": {"const": "a"},
    "a list": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
    "anything": {},
    "a mapping": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"],
                  "additionalProperties": False},
    "free keys": {"type": "object", "propertyNames": {"type": "string", "pattern": "^k"},
                  "additionalProperties": {"type": "integer"}, "minProperties": 1},
}  # fmt: skip
VALUES: list[Any] = [
    "", "a", "aa", "aaa", "aaaa", "b", "1", 0, 1, 2, 3, 4, 5, 0.25, 2.5, True, False, [], [1], [1, 2], [1, 2, 3],
    ["a"], {}, {"a": 1}, {"a": "1"}, {"a": 1, "b": 2}, {"k": 1}, {"k": "x"}, {"x": 1}, {"k": 1, "x": 1},
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(NODES))
def test_its_words_mean_what_they_mean_in_json_schema(name: str, tmp_path: Path) -> None:
    lane = {"type": "object", "properties": {"it": NODES[name]}, "required": ["it"]}
    model = _models(lane, tmp_path).lane
    oracle = jsonschema.Draft202012Validator(NODES[name])
    seen = set()
    for value in VALUES:
        try:
            model.model_validate({"it": value})
            ours = True
        except ValidationError:
            ours = False
        assert ours == oracle.is_valid(value), value
        seen.add(ours)
    assert seen == ({True} if name == "anything" else {True, False})


def test_a_field_that_is_left_out_has_its_default_or_null(tmp_path: Path) -> None:
    lane = {
        "type": "object",
        "properties": {
            "bounds": {"$ref": "hwplan:ResourceBounds", "default": {}},
            "many": {"type": "array", "items": {"type": "string"}, "default": ["x"]},
            "none": {"type": "string"},
        },
    }
    facts = _models(lane, tmp_path).lane.model_validate({}).model_dump(mode="json", by_alias=True)
    assert (facts["bounds"]["cpu"], facts["many"], facts["none"]) == ("100m", ["x"], None)


def test_a_mapping_that_holds_itself_is_refused(tmp_path: Path) -> None:
    tree = {"type": "object", "properties": {"child": {"$ref": "#/$defs/Tree"}}}
    with pytest.raises(ConfigError, match="holds itself"):
        _models(
            {"type": "object", "properties": {"it": {"$ref": "#/$defs/Tree"}}}, tmp_path, **{"$defs": {"Tree": tree}}
        )


def test_a_pattern_that_is_none_is_a_problem_of_the_schema(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^no schema can be made of it"):
        _models({"type": "object", "properties": {"it": {"type": "string", "pattern": "("}}}, tmp_path)


def test_no_python_knows_a_product() -> None:
    """Neither its name, nor a service of it, nor a value of one of its enumerations."""
    config = load_config(ROOT / "config")
    names = {*config.products, "openfga", "unidesk"}
    names |= {name for lane in config.lanes for name in lane.spec.model_dump(by_alias=True).get("services") or {}}
    modes = {word for file in ROOT.glob("templates/*/schema.yaml") for word in _modes(yaml.safe_load(file.read_text()))}
    assert "hwlab" in names and "hwlab-cloud-api" in names and "local-k3s" in modes
    words = re.compile(rf"\b({'|'.join(sorted(map(re.escape, names)))})\b")
    for room in ENGINE:
        for file in sorted((ROOT / room).rglob("*.py")):
            text = file.read_text()
            assert not words.search(text), f"{file.name} knows {words.search(text)}"
            assert not modes & _literals(text), f"{file.name} knows {modes & _literals(text)}"


def _modes(schema: Any) -> set[str]:
    """Values of enumerations that an engine would have to know in order to treat one of them apart."""
    if isinstance(schema, list):
        return {word for item in schema for word in _modes(item)}
    if not isinstance(schema, dict):
        return set()
    here = {word for word in schema.get("enum") or () if isinstance(word, str) and (len(word) > 3 or "-" in word)}
    return (here - _COMMON) | {word for item in schema.values() for word in _modes(item)}


def _literals(text: str) -> set[str]:
    constants = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return {one for one in constants if isinstance(one, str)}


def test_a_product_of_random_names_is_rendered(tmp_path: Path) -> None:
    chance = random.Random()  # a new one each time: nothing may depend on a name
    seen: set[str] = set()

    def word() -> str:
        while (made := "".join(chance.choices(string.ascii_lowercase, k=9))) in seen:
            pass
        seen.add(made)
        return made

    product, node, lane, scope, namespace, field, mode, mapping, key, port = (word() for _ in range(10))
    for folder in ("config", f"templates/{product}/{scope}"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "templates" / product / "schema.yaml").write_text(f"""
apiVersion: hwplan.dev/v1
kind: ProductSchema
lane:
  type: object
  required: [{mapping}]
  properties:
    {field}: {{enum: [{mode}, {word()}], default: {mode}}}
    {mapping}:
      type: object
      additionalProperties:
        type: object
        required: [{port}]
        properties: {{{port}: {{type: integer, format: port}}}}
""")
    (tmp_path / "templates" / product / scope / "10-it.yaml.j2").write_text(f"""
{{% for name, one in lane.{mapping}.items() %}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {{{{ name }}}}, namespace: {{{{ lane.namespaces.{namespace}.name }}}}}}
data: {{mode: {{{{ lane.{field} }}}}, port: "{{{{ one.{port} }}}}"}}
{{% endfor %}}
""")
    (tmp_path / "config" / "all.yaml").write_text(f"""
apiVersion: hwplan.dev/v1
kind: Product
spec: {{name: {product}, version: "1", templates: {product}, scopes: [{{name: {scope}, per: lane}}]}}
---
apiVersion: hwplan.dev/v1
kind: Nodes
nodes: {{{node}: {{kubeContext: {word()}}}}}
---
apiVersion: hwplan.dev/v1
kind: Lanes
product: {product}
lanes:
  {lane}:
    namespaces: {{{namespace}: {{name: {namespace}}}}}
    {mapping}: {{{key}: {{{port}: 8080}}}}
nodes: {{{node}: {{{lane}: }}}}
""")
    config = load_config(tmp_path / "config")
    loaded = load_product_stack(config, Selection(product, nodes=(node,), lanes=(lane,)), KeyedFingerprinter())
    (resource,) = loaded.resources
    assert resource.address.local == f"ConfigMap/{namespace}/{key}"
    assert resource.manifest["data"] == {"mode": mode, "port": "8080"}
    text = (tmp_path / "config" / "all.yaml").read_text()
    (tmp_path / "config" / "all.yaml").write_text(text.replace(f"{{{port}: 8080}}", f"{{{port[:-1]}: 8080}}"))
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "config")
    wrong = next(one for one in caught.value.problems if one.message.startswith("unknown field"))
    assert (wrong.source.line, wrong.suggestion) == (16, f'did you mean "{port}"?')


def test_what_a_product_adds_is_explained_and_completed() -> None:
    products = product_field_models_of_config(load_config(ROOT / "config"))
    assert "local-k3s | external" in explain_kind("hwlab.Lane.runtimeStore.postgres.mode", products)
    body = json_schemas(products)["hwlab.lanes.schema.json"]
    jsonschema.Draft202012Validator.check_schema(body)
    value = yaml.safe_load((ROOT / "config" / "hwlab-node-lanes.yaml").read_text())
    checked = jsonschema.Draft202012Validator(body)
    assert checked.is_valid(value)
    value["defaults"]["services"]["hwlab-notifier"]["deploy"]["prot"] = 1
    assert not checked.is_valid(value)


def test_the_schemas_beside_the_configuration_are_those_of_now() -> None:
    """`hwplan schema --out config/schema` writes them, and more."""
    made = json_schemas(product_field_models_of_config(load_config(ROOT / "config")))
    for file in (ROOT / "config" / "schema").iterdir():
        assert json.loads(file.read_text()) == made[file.name], f"{file.name} is old: hwplan schema --out config/schema"
