"""The bounded loader: what comes out, where problems are, and that no bomb goes off."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from planner.errors import ConfigError
from planner.loading.yaml.load_documents import CONFIG, MANIFEST, YamlLimits, load_documents, parse_output_tag
from planner.values import OutputRef, OutputTemplate, parse_output_ref


def problems(data: bytes, limits: YamlLimits = CONFIG) -> list[tuple[int, int, str]]:
    with pytest.raises(ConfigError) as caught:
        load_documents(data, "f.yaml", limits)
    return [(p.source.line, p.source.column, p.message) for p in caught.value.problems]


def test_documents_keep_their_lines() -> None:
    found = load_documents(b"# a comment\na: 1\n---\n---\n\n# another\nb: [x, {c: d}]\n", "f.yaml", CONFIG)
    assert [(document.value, document.line) for document in found] == [
        ({"a": 1}, 2),
        (None, 3),
        ({"b": ["x", {"c": "d"}]}, 7),
    ]


def test_tags_are_values() -> None:
    (document,) = load_documents(
        b'a: !ref GitHead/source#short\nb: !sub "x-${GitHead/source#short}-$${HOME}"\n', "f", CONFIG
    )
    ref = parse_output_ref("GitHead/source#short")
    assert document.value == {"a": ref, "b": OutputTemplate(("x-", ref, "-${HOME}"))}
    assert document.tagged


@pytest.mark.parametrize("text", ["plain", "", "${", "$${a}", "${A/b#c}${A/b#d}"])
def test_sub_without_a_reference_is_text(text: str) -> None:
    sub = parse_output_tag("!sub", text)
    assert isinstance(sub, OutputTemplate)
    assert all(isinstance(part, str | OutputRef) for part in sub.parts)


def test_every_problem_of_a_file_is_found() -> None:
    assert [line for line, _, _ in problems(b"a: on\nb: 1\nb: 2\nc: !x y\n2: &a x\nd: 014\n")] == [1, 3, 4, 5, 6]


def test_a_forged_special_leaf_is_refused() -> None:
    assert problems(b'a: {$hwplan: {sealed: "file:x#y", fingerprint: ""}}\n') == [
        (1, 5, "the key $hwplan is hwplan's own")
    ]


@pytest.mark.cpu(20)
@pytest.mark.parametrize(
    "data",
    [b"[" * 100_000, b"{a: " * 50_000, b"- " * 100_000, b"? " * 50_000, b"[[" + b"[" * 300_000 + b"]]"],
    ids=["flow", "maps", "items", "keys", "unclosed"],
)  # fmt: skip
def test_depth_bombs_stop_early(data: bytes) -> None:
    assert problems(data, CONFIG)
    assert problems(data, MANIFEST)


@pytest.mark.cpu(20)
def test_alias_bombs_stop_early() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (problem,) = problems("\n".join(lines).encode(), MANIFEST)
    assert "aliases repeat more than" in problem[2]


def test_small_aliases_are_copies_in_manifests() -> None:
    (document,) = load_documents(b"a: &x {b: [1]}\nc: *x\n", "f", MANIFEST)
    document.value["a"]["b"].append(2)
    assert document.value["c"] == {"b": [1]}


def test_an_anchor_does_not_reach_the_next_document() -> None:
    assert problems(b"a: &x 1\n---\nb: *x\n", MANIFEST)


def test_too_many_documents_and_values() -> None:
    assert problems(b"---\na: 1\n" * 101)[0][2] == "more than 100 documents"
    assert problems(b"a: [" + b"[x],\n" * 150_000 + b"]\n")[0][2] == "more than 200000 values"
    assert problems(b"x" * ((1 << 20) + 1))[0][2] == "larger than 1 MiB"


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20),
)
_KEYS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
_TREES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=20
)


@settings(max_examples=150, deadline=None)
@given(_TREES)
def test_json_is_read_as_json(tree: Any) -> None:
    import json

    (document,) = load_documents(json.dumps({"root": tree}, ensure_ascii=False).encode(), "f", CONFIG)
    assert document.value == {"root": tree}


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abc: -[]{}#&*!|>'\"\n\t012?,%@`~", max_size=60))
def test_any_text_ends_in_values_or_problems(text: str) -> None:
    """And where there are values, the library's own safe loader reads the same."""
    try:
        found = [document.value for document in load_documents(text.encode(), "f", CONFIG)]
    except ConfigError as error:
        assert all(problem.source.line >= 1 for problem in error.problems)
        return
    try:
        reference = list(YAML(typ="safe", pure=True).load_all(text))
    except YAMLError:
        return  # the pure parser is stricter about tabs
    assert [_as_text_keys(value) for value in reference] == found


def _as_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _as_text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text_keys(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
