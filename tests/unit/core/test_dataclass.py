"""Frozen classes with slots do what those of the standard library do, and share their methods."""

from __future__ import annotations

import builtins
import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import field
from functools import partial
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


FORMS = [
    {"frozen": frozen, "order": order, "eq": eq}
    for frozen in (True, False)
    for order, eq in ((False, True), (True, True), (False, False))
]
ASKED: dict[str, Callable[[Any, dict[str, Any], dict[str, Any]], Any]] = {
    "equal": lambda made, one, other: made(**one) == made(**other),
    "below": lambda made, one, other: made(**one) < made(**other),
    "at most": lambda made, one, other: made(**one) <= made(**one),
    "above": lambda made, one, other: made(**one) > made(**other),
    "at least": lambda made, one, other: made(**one) >= made(**other),
    "below another": lambda made, one, other: made(**one) < 1,
    "shown": lambda made, one, other: repr(made(**one)),
    "hashed": lambda made, one, other: (
        [None, object.__hash__].index(made.__hash__)
        if made.__hash__ in (None, object.__hash__)
        else hash(made(**one)) == hash(made(**one))
    ),
    "set": lambda made, one, other: setattr(made(**one), "name", "b"),
    "deleted": lambda made, one, other: delattr(made(**one), "name"),
    "after": lambda made, one, other: made(**one).parts[-1],
    "values": lambda made, one, other: dataclasses.astuple(copy.deepcopy(made(**one))),
    "parameters": lambda made, one, other: repr(made.__dataclass_params__),
    "unknown": lambda made, one, other: made(**one, more=1),
    "missing": lambda made, one, other: made(),
}


def _form(decorated: Callable[..., Any], how: dict[str, bool]) -> Any:
    class Form:
        name: str
        size: int = 3
        parts: list[int] = field(default_factory=list)
        hidden: str = field(default="h", repr=False)
        aside: str = field(default="a", compare=False)

        def __post_init__(self) -> None:
            self.parts.append(7)

    return decorated(slots=True, **how)(Form)


def _answer(asked: Callable[[], Any]) -> Any:
    try:
        return asked()
    except (TypeError, AttributeError, ValueError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("how", FORMS, ids=str)
@given(one=ARGUMENTS, other=ARGUMENTS)
def test_every_form_answers_as_the_standard_one(
    how: dict[str, bool], one: dict[str, Any], other: dict[str, Any]
) -> None:
    ours, theirs = _form(dataclass, how), _form(dataclasses.dataclass, how)
    for name, asked in ASKED.items():
        answers = [_answer(partial(asked, made, copy.deepcopy(one), copy.deepcopy(other))) for made in (ours, theirs)]
        assert answers[0] == answers[1], name


@pytest.mark.parametrize(
    "body",
    [
        {"__annotations__": {"a": "int", "b": "int"}, "a": 1},
        {"__annotations__": {"a": "list[int]"}, "a": []},
        {"__annotations__": {"a": "ClassVar[int]", "b": "int"}, "a": 1},
        {"__annotations__": {"a": "InitVar[int]"}, "__post_init__": lambda self, a: None},
        {"__annotations__": {"a": "int"}, "__slots__": ("a",)},
        {"__annotations__": {"a": "int"}, "__setattr__": lambda self, name, value: None},
        {"__annotations__": {"a": "int"}, "a": field(init=False, default=1)},
        {"__annotations__": {"a": "int"}, "a": field(kw_only=True)},
        {"__annotations__": {}, "a": field()},
        {"__annotations__": {"self": "int"}},
    ],
    ids=lambda body: f"{[*body['__annotations__'].items(), *body][:3]}",
)
def test_what_is_wrong_or_rare_is_left_to_the_standard_library(body: dict[str, Any]) -> None:
    def made(decorated: Callable[..., Any]) -> Any:
        return _answer(lambda: dataclasses.fields(decorated(frozen=True, slots=True)(type("Rare", (), dict(body)))))

    ours, theirs = made(dataclass), made(dataclasses.dataclass)
    assert repr(ours) == repr(theirs)


def test_few_methods_are_compiled_for_many_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven for each of 150 classes were a sixth of the time of a plan with nothing to do."""
    compiled: list[str] = []
    run = builtins.exec

    def count(text: str, *scopes: Any) -> None:
        compiled.append(text)
        run(text, *scopes)

    module._template.cache_clear()
    monkeypatch.setattr(builtins, "exec", count)
    for _ in range(3):
        assert _body(dataclass)("a").size == 3
    (method,) = compiled
    assert method.startswith("def __init__(self, _0, _1, _2, _3, _4):")


def test_threads_may_ask_for_the_fields_of_a_class_at_the_same_time() -> None:
    """A plan ended with a RuntimeError when two did, for the second one no class held what it had begun to ask."""
    made = _body(dataclass)
    began = [vars(made)[name] for name in ("__dataclass_fields__", "__dataclass_params__")]
    first = [later.__get__(None, made) for later in began]
    second = [later.__get__(None, made) for later in began]
    assert repr(second) == repr(first)
    assert [one.name for one in dataclasses.fields(made)] == [*first[0]]
