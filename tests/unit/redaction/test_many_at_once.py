"""Texts are looked at together: with the answer that looking at each gives, in few scans for all that is read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.address import Address
from planner.ports import PresentObject, Preview, ReadResult
from planner.redaction.clean_values import OWN, _cleaned, _texts, clean_texts_in_value, is_value_clean
from planner.redaction.redactor import _BETWEEN, MASK, REDACTOR, Redactor
from planner.redaction.window_index import (
    WINDOW,
    WindowIndex,
    four_character_groups_of_text,
    may_contain_secret_fragment,
)
from providers.redacting_provider import RedactingProvider
from tests.canaries.canary import canary, encodings
from tests.unit.redaction.test_redaction import knowing
from tests.unit.redaction.test_returned_values import filled

FEW = st.text("abcd", max_size=60)
VALUE = canary("together")
FORMS = [form for name, form in encodings(VALUE.encode()).items() if name not in ("reversed", "bytes", "utf-16")]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.text("abcd", min_size=WINDOW, max_size=WINDOW), max_size=8), FEW)
def test_a_window_is_found_wherever_it_begins(windows: list[str], text: str) -> None:
    index: WindowIndex[int] = WindowIndex()
    for window in windows:
        index.add(window, 1)
    assert index.starts(text) == [at for at in range(len(text)) if text[at : at + WINDOW] in set(windows)]


@given(st.text("abcd", min_size=1, max_size=40), st.data())
def test_a_part_of_a_text_may_stand_in_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    assert may_contain_secret_fragment(
        four_character_groups_of_text(text), text[start : data.draw(st.integers(start + 1, len(text)))]
    )
    assert not may_contain_secret_fragment(four_character_groups_of_text(text), "efghijkl")


@given(st.lists(FEW, max_size=6), st.lists(FEW, min_size=1, max_size=3))
def test_together_they_stay_only_where_each_stays(texts: list[str], secrets: list[str]) -> None:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret.encode())
    if redactor.leaves(texts):
        assert [redactor.clean(text) for text in texts] == texts
    if redactor.leaves_foreign(texts):
        assert [redactor.clean_foreign(text) for text in texts] == texts


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_seen_among_many_texts(form: str) -> None:
    redactor = knowing(VALUE)
    others = [f"text number {n} of those that are looked at together" for n in range(3_000)]
    assert redactor.leaves(others) and redactor.leaves_foreign(others)
    for at in (0, 1_500, 3_000):
        texts = [*others[:at], f"x {form} y", *others[at:]]
        assert not redactor.leaves(texts) and not redactor.leaves_foreign(texts)


def test_what_stands_between_texts_joins_nothing() -> None:
    """A secret in two halves is none, and what parts texts is not left out where parts of secrets are looked for."""
    redactor = knowing(VALUE)
    half = len(VALUE) // 2
    assert len(VALUE[:half].translate({})) >= WINDOW and len(_BETWEEN) == 1
    assert knowing("left1-and-right2").leaves_foreign(["before left1-and", "-right2 after"])
    assert redactor.clean(f"{VALUE[:half]}{_BETWEEN}{VALUE[half:]}") != MASK


@given(JSON, st.booleans())
def test_the_quick_look_sees_what_cleaning_changes(value: Any, planted: bool) -> None:
    REDACTOR.learn(VALUE.encode())
    whole = {"a": value, "b": (value, [{f"x {VALUE}": 1}] if planted else [])}
    walked: Any = _cleaned(whole, OWN.clean)
    assert clean_texts_in_value(whole) == walked and is_value_clean(whole) == (walked is whole) == (not planted)


@pytest.mark.parametrize("kind", [PresentObject, Preview, ReadResult])
def test_the_quick_look_reaches_every_text_that_is_cleaned(kind: type) -> None:
    seen: set[str] = set()

    def note(text: str) -> str:
        seen.add(text)
        return text

    value = filled(kind)
    _cleaned(value, note)
    assert seen and _texts(value) == seen


class _Many:
    """A provider of a thousand objects that are as declared."""

    def read(self, *_: Any) -> ReadResult:
        found = [Address("", "ConfigMap", "", "ns", f"object-{n}") for n in range(1_000)]
        return ReadResult(
            {one: PresentObject(one, uid=f"uid-of-{one.name}", content="sha256:" + "0" * 64) for one in found}
        )


def test_a_thousand_objects_are_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One scan for each 64 KiB of words, whatever the number of objects: reading costs less than a secret each."""
    REDACTOR.learn(VALUE.encode())
    scanned: list[int] = []
    starts = WindowIndex.starts

    def counted(self: WindowIndex[Any], text: str) -> list[int]:
        scanned.append(len(text))
        return starts(self, text)

    monkeypatch.setattr(WindowIndex, "starts", counted)
    provider: Any = RedactingProvider(_Many())  # type: ignore[arg-type]
    seen = provider.read((), (), ())
    assert len(seen.observations) == 1_000
    assert 0 < len(scanned) <= 4, scanned  # forms, and parts of forms


def test_what_was_left_is_looked_at_again_when_another_secret_is_learned() -> None:
    redactor = Redactor()
    redactor.learn(b"Zk3vQ9xT7bW2pL5s")
    texts = ["nothing in this one", "password hJ8mN4rY6cD1fG0w"]
    assert redactor.leaves_foreign(texts) and redactor.leaves_foreign(texts) and redactor.leaves(texts)
    redactor.learn(b"hJ8mN4rY6cD1fG0w")
    assert not redactor.leaves_foreign(texts) and not redactor.leaves(texts)
    assert redactor.leaves_foreign(texts[:1])
    redactor.publish(["hJ8mN4rY6cD1fG0w"])
    assert redactor.leaves_foreign(texts), "a name that is shown in any case"


def test_what_was_left_is_not_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = Redactor()
    redactor.learn(canary("first").encode())
    redactor.prepare()
    looked: list[str] = []
    starts = WindowIndex.starts

    def count(index: WindowIndex[Any], text: str) -> list[int]:
        looked.append(text.replace(" ", ""))
        return starts(index, text)

    monkeypatch.setattr(WindowIndex, "starts", count)
    assert redactor.leaves_foreign(["the first text", "the second text"])
    looked.clear()
    assert redactor.leaves_foreign(["the second text", "the third text"]) and redactor.leaves(["the first text"])
    assert set(looked) == {"thethirdtext"}
