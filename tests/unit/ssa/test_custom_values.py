"""Values of custom kinds: patterns, formats, junctors, nulls, rules, and what is let pass because it stood there."""

from __future__ import annotations

import time
import warnings
from typing import Any

import pytest

from planner.values import JsonObject
from providers.kubernetes.ssa.cel_rules import cel_property_name
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.re2_pattern_matching import matches_re2
from providers.kubernetes.ssa.validate_object import object_validation_errors, unevaluated_cel_rules
from tests.fidelity.wide_crd import GROUP, wide_crd

TYPES = MergeTypeTable.builtin().with_crds([wide_crd()])


def wide(**spec: Any) -> JsonObject:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Wide", "metadata": {"name": "x"}, "spec": spec}


def table(schema: JsonObject) -> MergeTypeTable:
    crd = wide_crd()
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {"type": "object", "properties": {"spec": schema}}
    return MergeTypeTable.builtin().with_crds([crd])


@pytest.mark.parametrize(
    "broken",
    [
        {"type": ["string"]}, {"type": "object", "properties": ["a"]}, {"type": "object", "properties": {"a": 5}},
        {"type": "array", "items": [1]}, {"type": "object", "required": "a"}, {"enum": 5}, {"minLength": "1"},
        {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": 5}, {"anyOf": {"a": 1}},
        {"x-kubernetes-validations": [None, {"rule": 5}]}, {"pattern": 7}, {"format": {}}, {"allOf": [5]}, 5, None,
    ],
)  # fmt: skip
def test_a_malformed_keyword_of_a_schema_says_nothing(broken: Any) -> None:
    types = table({"type": "object", "properties": {"a": broken, "b": {"type": "string"}}})
    assert ("spec", "b") in [path for path, _ in object_validation_errors(wide(a="x", b=5), types)]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^[[:alpha:]]+$", "abc", True),
        ("^[[:alpha:]]+$", "ab1", False),
        (r"^\pL+$", "äß", True),
        (r"^a$", "a\n", False),  # in Python `$` also matches before a final line break
        (r"\d", "\u0663", False),  # and `\d` digits of every script
        ("b", "abc", True),
        ("(?P<x>a", "anything", True),  # no pattern at all: the server refuses its CRD
        ("^.$", "\ud800", True),  # half a surrogate pair is one character
    ],
)
def test_patterns_are_re2(pattern: str, text: str, found: bool) -> None:
    assert matches_re2(pattern, text) is found


@pytest.mark.parametrize("pattern", ["^([a-z0-9]+-?)*[a-z0-9]$", "^(a+)+$", "^(a|aa)+$", "(.*)*x$"])
def test_no_pattern_takes_long(pattern: str) -> None:
    began = time.process_time()
    assert not matches_re2(pattern, "a" * 60 + " ")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"posix": "a1_"}, {"posix": "1a"}),
        ({"format-hostname": "a.example"}, {"format-hostname": "10.0.0.1"}),
        ({"format-date-time": "2024-01-02T03:04:05Z"}, {"format-date-time": "2024-01-02"}),
        ({"format-unheard-of": "x"}, {"format-ipv4": "x"}),
        ({"short": 2147483647}, {"short": 2147483648}),
        ({"nullable": "a"}, {"nullable": "c"}),
        ({"null-default": None}, {"bounded": None}),
        ({"any": {"b": 3}}, {"any": {"b": 2}}),
        ({"one": {"a": 1}}, {"one": {"a": 1, "b": 1}}),
        ({"all": "xa"}, {"all": "abc"}),
        ({"numbers": "1Gi"}, {"numbers": "1Gx"}),
        ({"numbers": 1}, {"numbers": 1.5}),
        ({"enumerated": 1}, {"enumerated": True}),
        ({"size": "abc"}, {"size": "bcde"}),
        ({"unique": ["a", "b"]}, {"unique": ["a", "a"]}),
        ({"first": ["a"]}, {"first": []}),  # an index that is not there: the rule does not hold
        ({"strings": "ab"}, {"strings": "aB"}),
        ({"day": "2024-01-02"}, {"day": "2026-01-02"}),
        ({"either": "x"}, {"either": 0}),
        ({"dictionary": {"a": 1}}, {"dictionary": {"a": 0}}),
        ({"object": {"namespace": "b", "a-b": 1}}, {"object": {"a-b": 0}}),
        ({"object": {}}, {"object": {"mode": "two"}}),
        ({"items": [{"name": "a"}]}, {"items": [{"name": "a", "kind": "A"}]}),
    ],
)
def test_values_and_rules(good: JsonObject, bad: JsonObject) -> None:
    assert object_validation_errors(wide(**good), TYPES) == ()
    assert object_validation_errors(wide(**bad), TYPES)
    assert not unevaluated_cel_rules(wide(**good), TYPES)


def test_what_stood_there_before_is_let_pass() -> None:
    """Ratcheting: the schema may have become stricter since."""
    live = wide(posix="1a", items=[{"name": "a", "kind": "A"}], size="bcde")
    assert len(object_validation_errors(live, TYPES)) == 1  # rules are not judged before the values are right
    assert (
        object_validation_errors(
            wide(posix="1a", items=[{"name": "a", "kind": "A"}], size="bcde", few=["x"]), TYPES, live=live
        )
        == ()
    )
    assert object_validation_errors(wide(posix="2a"), TYPES, live=live)
    assert object_validation_errors(wide(posix="1a", size="cdefg"), TYPES, live=live)


def test_rules_about_the_old_value_need_one() -> None:
    types = table({"type": "object", "properties": {"n": {"type": "integer"}},
                   "x-kubernetes-validations": [{"rule": "self.n >= oldSelf.n", "message": "it grows"}]})  # fmt: skip
    assert object_validation_errors(wide(n=1), types) == ()
    assert object_validation_errors(wide(n=3), types, live=wide(n=2)) == ()
    assert [message for _, message in object_validation_errors(wide(n=1), types, live=wide(n=2))] == ["it grows"]


@pytest.mark.parametrize("rule", ["isURL(self.a)", "self.?a.hasValue()", "quantity(self.a).isInteger()", "no cel ("])
def test_what_cannot_be_evaluated_is_left_open(rule: str) -> None:
    text = {"type": "string"}
    types = table({"type": "object", "properties": {"a": text}, "x-kubernetes-validations": [{"rule": rule}]})
    assert object_validation_errors(wide(a="x"), types) == ()
    assert [path for path, _ in unevaluated_cel_rules(wide(a="x"), types)] == [("spec",)]


@pytest.mark.parametrize(("replicas", "words"), [(0, ""), (-1, "non-negative"), (2**31 - 1, ""), (2**31, "less than")])
def test_a_kind_that_can_be_scaled_has_a_number_of_replicas(replicas: int, words: str) -> None:
    crd = wide_crd()
    spec = {"type": "object", "properties": {"replicas": {"type": "integer"}}}
    version = crd["spec"]["versions"][0]
    version["schema"]["openAPIV3Schema"] = {"type": "object", "properties": {"spec": spec}}
    version["subresources"] = {"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.n"}}
    found = object_validation_errors(wide(replicas=replicas), MergeTypeTable.builtin().with_crds([crd]))
    assert [(path, words in text) for path, text in found] == ([(("spec", "replicas"), True)] if words else [])


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("self.all(x, !has(x.name) || self.exists_one(y, has(y.name) && x.name == y.name))", True),
        ("self.all(x, !has(x.name) || self.filter(y, has(y.name) && x.name == y.name).size() == 1)", True),
        ("self.all(x, has(x.name) ? self.map(y, has(y.name) && y.name == x.name)[0] : true)", True),
        ("self.exists_one(y, y.name == 'a')", False),
    ],
)
def test_an_error_in_a_macro_is_absorbed_by_the_side_that_decides(rule: str, holds: bool) -> None:
    item = {"type": "object", "properties": {"name": {"type": "string"}, "other": {"type": "string"}}}
    types = table({"type": "object", "properties": {"list": {
        "type": "array", "items": item, "x-kubernetes-validations": [{"rule": rule}]}}})  # fmt: skip
    found = object_validation_errors(wide(list=[{"name": "a"}, {"other": "b"}]), types)
    assert bool(found) is not holds
    assert not unevaluated_cel_rules(wide(list=[{"name": "a"}, {"other": "b"}]), types)


def test_names_are_escaped_as_kubernetes_does() -> None:
    assert [cel_property_name(name) for name in ("namespace", "a-b", "a.b", "a__b", "x/y", "plain")] == [
        "__namespace__", "a__dash__b", "a__dot__b", "a__underscores__b", "x__slash__y", "plain",
    ]  # fmt: skip


def test_no_warnings_of_python() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        object_validation_errors(wide(posix="a[", matching="[[:alnum:]]", size="aaa"), TYPES)


@pytest.mark.cpu(10)
@pytest.mark.parametrize("operator", ["||", "&&"])
def test_a_long_chain_of_errors_takes_no_room(operator: str) -> None:
    rule = f" {operator} ".join(["missing.size > 1"] * 60)
    spec = {"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-validations": [{"rule": rule}]}
    assert object_validation_errors(wide(a="x"), table(spec)) == ()
    assert unevaluated_cel_rules(wide(a="x"), table(spec)) != ()
