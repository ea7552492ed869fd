"""Manifests as the Kubernetes API's readers read them. The oracle is in tests/integration/test_manifest_reader.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from planner.errors import ConfigError
from planner.loading.yaml.api_scalars import UnreadableScalar, resolve_api_scalar
from planner.loading.yaml.load_documents import CONFIG, MANIFEST, TEMPLATE, YamlLimits, load_documents
from planner.loading.yaml.unambiguous_scalars import AmbiguousScalar, resolve_unambiguous_scalar
from tests.unit.loading.fakes import manifests


def read(text: str | bytes, limits: YamlLimits = MANIFEST) -> list[Any]:
    data = text.encode() if isinstance(text, str) else text
    return [document.value for document in load_documents(data, "f.yaml", limits)]


def problems(text: str, limits: YamlLimits = MANIFEST) -> list[tuple[int, int, str]]:
    with pytest.raises(ConfigError) as caught:
        load_documents(text.encode(), "f.yaml", limits)
    return [(p.source.line, p.source.column, p.message) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0400", 256), ("0755", 493), ("08", 8), ("0o17", 15), ("0b1010000", 80), ("1_000", 1000), ("-0b11", -3),
        ("yes", True), ("off", False), ("y", True), ("02:00:00", "02:00:00"), ("16:9", "16:9"), ("22:00", "22:00"),
        ("2024-01-31", "2024-01-31"), ("2019-10-15T14:48:58Z", "2019-10-15T14:48:58Z"),
        ("9223372036854775807", 2**63 - 1), ("1234567890123456789", 1234567890123456789), ("1e3", 1000),
        ("1e400", "1e400"), ("18446744073709551616", 2.0**64), ("!!binary aGVsbG8=", "hello"), ("! 12", "12"),
        ("!!str 12", "12"), ("!!int '12'", 12), ("1.10", 1.1),
    ],
)  # fmt: skip
def test_scalars(text: str, value: Any) -> None:
    assert read(f"a: {text}\n") == [{"a": value}]
    assert type(read(f"a: {text}\n")[0]["a"]) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "!!int x", "!!binary '?'", "!!bool 3"])
def test_what_json_cannot_hold_is_refused(text: str) -> None:
    assert problems(f"a: {text}\n")


@example("0E_0")
@given(st.text(alphabet="0123456789abcdefxoXBO_:.+-eETZyn", max_size=30))
def test_what_is_not_ambiguous_has_one_value(text: str) -> None:
    try:
        strict = resolve_unambiguous_scalar(text)
    except AmbiguousScalar:
        return
    try:
        assert (resolve_api_scalar(text), type(resolve_api_scalar(text))) == (strict, type(strict))
    except UnreadableScalar:
        pytest.fail("one reader takes what the other refuses")


def test_flow_collections_with_colons() -> None:
    text = "{image: nginx:1.25, args: [--listen=:8080, --all=:, http://a:1], dns: [2001:db8::1], x: {k: z:}}"
    expected = {"image": "nginx:1.25", "args": ["--listen=:8080", "--all=:", "http://a:1"], "dns": ["2001:db8::1"]}
    assert read(f"a: {text}\n") == [{"a": {**expected, "x": {"k": "z:"}}}]


def test_merge_keys() -> None:
    base = "base: &b {app: shop, tier: web}\nother: &o {tier: x, z: 1}\n"
    for key in ("<<", "!!merge <<", "? <<\n  "):
        assert read(f"{base}a:\n  {key}: *b\n  tier: back\n")[0]["a"] == {"app": "shop", "tier": "back"}
    assert read(f"{base}a:\n  <<: [*o, *b]\n")[0]["a"] == {"app": "shop", "tier": "x", "z": 1}
    assert read(f"{base}a:\n  tier: back\n  <<: *b\n")[0]["a"] == {"app": "shop", "tier": "web"}  # as kubectl reads it
    assert read(f'{base}a: {{"<<": *b}}\n')[0]["a"] == {"<<": {"app": "shop", "tier": "web"}}
    assert problems("a: {<<: x}\n") == [(1, 9, "a merge key without a mapping")]


@pytest.mark.parametrize("text", ["b: {<<: *p, 1.0: z}\n", "b: {1.0: z, <<: *p}\n", 'b: {<<: *p, "1": z}\n'])
def test_two_keys_that_json_makes_one(text: str) -> None:
    """kubectl takes the one value or the other, from call to call: Go's maps have no order."""
    assert [message for _, _, message in problems("a: &p {1: x}\n" + text)] == ["the same key twice in one mapping"]
    assert read("a: &p {1: z}\n" + text) == [{"a": {"1": "z"}, "b": {"1": "z"}}]
    assert problems("a: {<<: *b}\n", CONFIG)


def test_keys() -> None:
    assert read("on: 1\n1: 2\n1.5: 3\n0x1F: 4\n22:00: 5\n") == [{"true": 1, "1": 2, "1.5": 3, "31": 4, "22:00": 5}]
    assert problems("~: 1\n") == [(1, 1, "a key that is not text")]


def test_a_key_twice() -> None:
    """kubectl takes the last value in silence; here they have to be equal."""
    assert read("a: {b: 1, c: x}\na: {c: x, b: 1}\n") != []
    assert problems("a: 1\nb: 2\na: 3\n") == [(3, 1, "the same key twice in one mapping")]
    assert problems("a: 1\na: 1\n", CONFIG) == [(2, 1, "the same key twice in one mapping")]
    assert problems("a: 1\na: true\n")


def test_json_streams() -> None:
    text = '{"a": "\\ud83d\\ude80", "b": "\\ud83d"}{"a": 1.0}\n\n{"c": 12345678901234567890}\n---\n{"d": null}\n'
    documents = load_documents(text.encode(), "f", MANIFEST)
    assert [document.value for document in documents] == [
        {"a": "🚀", "b": "\ufffd"}, {"a": 1}, {"c": 12345678901234567890.0}, {"d": None},
    ]  # fmt: skip
    assert [document.line for document in documents] == [1, 1, 3, 5]
    assert [document.nulls for document in documents] == [False, False, False, True]


def test_json_in_disorder_has_a_position() -> None:
    assert problems('{"a": "\\ud83d\\ude80", "b": 1,\n "b": 2}\n') == [(2, 2, "the same key twice in one mapping")]
    assert problems('{"a": 1}\n{"b": [\n')[0][0] == 3
    assert problems('{"$hwplan": {}}{}\n') == [(1, 2, "the key $hwplan is hwplan's own")]
    assert problems('{"a": ' + "[" * 300 + "]" * 300 + "}\n")[0][2] == "nested deeper than 200"
    assert problems('{"a": ' + "[" * 9999 + "]" * 9999 + "}\n")[0][2] == "nested deeper than 200"
    assert problems('{"a": 1e400}\n') == [(1, 0, "a number that is too large")]


def test_byte_order_marks() -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert read("a: é\n---\nb: 1\n".encode(encoding)) == [{"a": "é"}, {"b": 1}]
    assert read("a: 1\n---\n\ufeffb: 1\n") == [{"a": 1}, {"b": 1}]


def test_the_last_line_ends() -> None:
    assert read("a: |\n  x") == [{"a": "x\n"}]


def test_our_own_kinds_are_read_strictly(tmp_path: Path) -> None:
    own = "apiVersion: hwplan.dev/v1\nkind: HttpProbe\nmetadata: {name: a}\nspec: {attempts: 010}\n"
    plain = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {attempts: 010}\n"
    listed = json.dumps({"kind": "List", "items": [{"apiVersion": "hwplan.dev/v1"}]})
    for limits in (MANIFEST, TEMPLATE):
        assert problems(f"{plain}---\n{own}", limits) == [
            (9, 18, "this unquoted value is a leading zero: 8 times smaller or not, depending on the reader")
        ]
        assert read(plain, limits)[0]["data"] == {"attempts": 8}
    assert read(listed)
    with pytest.raises(ConfigError):
        manifests(own, tmp_path)


@pytest.mark.cpu(20)
def test_aliases_do_not_nest_deeper() -> None:
    deep = "[" * 150 + "x" + "]" * 150
    assert problems(f"a: &a {deep}\nb: &b [[{'[' * 60}*a{']' * 60}]]\n")[0][2] == "nested deeper than 200"


def test_an_anchor_may_be_given_twice() -> None:
    assert read("a: &x {b: &x 1}\nc: *x\n")[0]["c"] == 1
    assert problems("a: &x 1\nb: &x [*x]\n")[0][2].startswith("an alias to nothing")


def test_a_local_tag_may_be_a_misspelt_one() -> None:
    assert problems("a: !Ref x\n") == [(1, 4, "an unknown tag")]
    assert problems("a: !x {b: 1}\n") == [(1, 4, "a tag on a mapping or a list")]
    assert read("a: !!map {b: !!set x}\n") == [{"a": {"b": "x"}}]


def test_problems_after_reading_have_positions_too(tmp_path: Path) -> None:
    """Where the text is JSON, a stream of it, or has a scalar that was mended."""
    good = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "\\ud83d\\ude80"}}'
    bad = '{"apiVersion": "v1",\n "kind": 3, "metadata": {"name": "a"}}'
    for text, place in ((f"{good}\n{bad}\n", (3, 2)), ("apiVersion: v1\nkind: 3\nargs: [--a=:]\n", (2, 1))):
        with pytest.raises(ConfigError) as caught:
            manifests(text, tmp_path)
        assert place in [(p.source.line, p.source.column) for p in caught.value.problems]
