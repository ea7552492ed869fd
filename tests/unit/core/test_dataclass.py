"""Frozen classes with slots do what those of the standard library do, and compile no method but `__init__`."""

from __future__ import annotations

import builtins
import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner import dataclass as module
from planner.dataclass import dataclass

T = TypeVar("T")


def _body(decorated: Callable[..., Any]) -> type:
    @decorated(frozen=True, slots=True)
    class Sample(Generic[T]):
        """A sample."""

        name: str
        size: int = 3
        parts: list[int] = field(default_factory=list)
        hidden: str = field(default="h", repr=False)
        aside: str = field(default="a", compare=False)

        @property
        def twice(self) -> int:
            """A property."""
            return self.size * 2

    return Sample


OURS, THEIRS = _body(dataclass), _body(dataclasses.dataclass)


@dataclass(frozen=True, slots=True)
class Kept:
    """One that a pickle finds by its name."""

    name: str
    size: int = 3


@dataclass(frozen=True, slots=True)
class Told:
    """One with words of its own."""

    name: str

    def __repr__(self) -> str:
        return "Told(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Told)


@dataclass(frozen=True, slots=True)
class Below(Kept):
    """One with a base."""

    more: int = 1


ARGUMENTS = st.fixed_dictionaries(
    {"name": st.text(max_size=2)},
    optional={
        "size": st.integers(0, 1),
        "parts": st.lists(st.integers(0, 1), max_size=1),
        "hidden": st.sampled_from("hx"),
        "aside": st.sampled_from("ax"),
    },
)


@given(ARGUMENTS, ARGUMENTS)
def test_it_behaves_as_the_standard_one(one: dict[str, Any], other: dict[str, Any]) -> None:
    ours, theirs = OURS(**one), THEIRS(**one)
    assert repr(ours) == repr(theirs) and dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert (ours == OURS(**other)) == (theirs == THEIRS(**other)) and ours != theirs and ours != "x"
    assert copy.copy(ours) == ours and copy.deepcopy(ours) == ours and dataclasses.replace(ours, size=9).size == 9
    assert ours.twice == theirs.twice and ours.parts == theirs.parts


def test_its_class_looks_like_the_standard_one() -> None:
    assert OURS.__slots__ == THEIRS.__slots__ and OURS.__match_args__ == THEIRS.__match_args__  # type: ignore[attr-defined]
    assert [str(one) for one in inspect.signature(OURS).parameters] == list(inspect.signature(THEIRS).parameters)
    for ours, theirs in zip(dataclasses.fields(OURS), dataclasses.fields(THEIRS), strict=True):
        assert (ours.name, ours.type, ours.repr, ours.compare) == (
            theirs.name,
            theirs.type,
            theirs.repr,
            theirs.compare,
        )
    assert OURS("a").parts is not OURS("a").parts, "a default that is made is made each time"
    with pytest.raises(TypeError, match="name"):
        OURS()
    with pytest.raises(TypeError, match="other"):
        OURS("a", other=1)


def test_nothing_of_it_can_be_set() -> None:
    ours = Kept("a")
    for name in ("name", "other"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(ours, name, "b")
    with pytest.raises(dataclasses.FrozenInstanceError):
        del ours.name
    assert not hasattr(ours, "__dict__")


def test_equal_ones_have_one_hash_and_survive_a_pickle() -> None:
    assert {Kept("a"), Kept("a", 3), Kept("b")} == {Kept("a"), Kept("b")}
    assert pickle.loads(pickle.dumps(Kept("a", 4))) == Kept("a", 4)
    with pytest.raises(TypeError, match="unhashable"):
        hash(OURS("a"))  # one of its fields is a list


def test_what_a_class_says_itself_stays() -> None:
    assert repr(Told("a")) == "Told(…)" and Told("a") == Told("b")
    assert isinstance(hash(Told("a")), int)


def test_a_dataclass_as_base_is_left_to_the_standard_library() -> None:
    assert Below("a", more=2) == Below("a", 3, 2) and repr(Below("a")).endswith("Below(name='a', size=3, more=1)")
    with pytest.raises(dataclasses.FrozenInstanceError):
        Below("a").more = 3  # type: ignore[misc]


@pytest.mark.parametrize("how", [{"order": True}, {"slots": False}, {"eq": False}])
def test_other_forms_are_those_of_the_standard_library(how: dict[str, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_frozen", lambda _: pytest.fail("made by us"))
    made: Any = dataclass(**({"frozen": True, "slots": True} | how))

    class Other:
        """Another form."""

        name: str = "a"

    assert dataclasses.is_dataclass(made(Other))


def test_only_one_method_of_a_class_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven for each of 150 classes were a sixth of the time of a plan with nothing to do."""
    compiled: list[str] = []
    run = builtins.exec

    def count(text: str, *scopes: Any) -> None:
        compiled.append(text)
        run(text, *scopes)

    monkeypatch.setattr(builtins, "exec", count)
    assert repr(_body(dataclass)("a")).endswith("Sample(name='a', size=3, parts=[], aside='a')")
    (methods,) = [text for text in compiled if "self" in text]
    assert "def __init__" in methods
