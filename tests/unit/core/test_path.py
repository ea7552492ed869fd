"""Field paths read back as what was written, whatever keys a document holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.field_path import Element, FieldPath, ListItemPathElement, SetMemberPathElement, parse_path, render_path

_SCALARS = st.one_of(st.text(max_size=8), st.integers(-5, 99999), st.booleans(), st.none())
_FIELDS = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,6}", fullmatch=True)
_ITEMS = st.dictionaries(_FIELDS, _SCALARS, min_size=1, max_size=3).map(
    lambda keys: ListItemPathElement(tuple(sorted(keys.items())))
)
_ELEMENTS: st.SearchStrategy[Element] = st.one_of(
    st.text(min_size=1, max_size=10), st.integers(0, 50), _ITEMS, _SCALARS.map(SetMemberPathElement)
)


@given(st.lists(_ELEMENTS, max_size=6).map(tuple))
def test_a_path_reads_back(path: FieldPath) -> None:
    assert parse_path(render_path(path)) == path


ODD = ("¹", "٣", "0", "00", "1e3", "a]b", 'a"b', "a=b", "", "x\ny", "abc\n", "0\n", "true", "name=api")


@pytest.mark.parametrize("key", ODD)
def test_a_key_that_looks_like_something_else(key: str) -> None:
    for element in (key, SetMemberPathElement(key), ListItemPathElement((("name", key),))):
        assert parse_path(render_path(("spec", element))) == ("spec", element)


def test_the_form_of_the_manual() -> None:
    path: FieldPath = ("spec", "containers", ListItemPathElement((("name", "api"),)), "args", 0)
    assert render_path(path) == "spec.containers[name=api].args[0]"
    assert render_path(("metadata", "annotations", "x/y")) == "metadata.annotations[x/y]"
    assert render_path(("data", "sync.sh")) == "data[sync.sh]"
