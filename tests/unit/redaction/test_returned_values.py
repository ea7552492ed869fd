"""No text field of anything that a provider returns or raises is left out: not a nested one, not one that is new."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from planner import drift, plan, ports
from planner.address import Address
from planner.errors import PermanentError, ProviderError
from planner.plan import Change, Plan
from planner.ports import AbsentObject, PresentObject, Preview, Readiness, ReadResult, UnreadableObject, Written
from planner.redaction.clean_values import clean_texts_in_value
from planner.redaction.redactor import MASK, REDACTOR
from providers.kubernetes import errors as kubernetes_errors
from providers.redacting_provider import RedactingProvider
from tests.canaries.canary import canary, leaks

SECRET = canary("returned")
ADDRESS = Address("", "ConfigMap", "", "ns", "name")
# What is not cleaned, and why. A new entry needs a reason as good as these.
DOCUMENTS = {
    ("PresentObject", "value"): "the live document, sealed: compared with what is declared, and stored nowhere",
    ("Preview", "desired"): "what will be written, as declared",
    ("Change", "desired"): "what will be written, as declared",
    ("Plan", "selection"): "words that the user gave",
    ("DriftReport", "selection"): "words that the user gave",
    ("Sealed", "ref"): "names where the value is read",
    ("Sealed", "fingerprint"): "keyed, never a value",
}
RETURNED = (
    ReadResult,
    PresentObject,
    AbsentObject,
    UnreadableObject,
    Preview,
    Written,
    Readiness,
    Change,
    Plan,
    drift.DriftReport,
)


def _hints(of: Any) -> dict[str, Any]:
    """The types of the fields. A document has a recursive type; here it may be anything."""
    return get_type_hints(of, localns={"JsonValue": Any, "JsonMap": dict[str, Any]})


def example(hint: Any) -> Any:
    """A value of a type, with the secret in every text."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return example(next(one for one in inner if one is not type(None)))
    if hint is Address:
        return ADDRESS
    if inspect.isclass(hint) and dataclasses.is_dataclass(hint):
        return filled(hint)
    if hasattr(hint, "_fields"):
        return hint(*map(example, _hints(hint).values()))
    if inspect.isclass(hint) and issubclass(hint, Enum):
        return next(iter(hint))
    if origin in (tuple, list, Sequence):
        return (example(inner[0]),)
    if origin in (dict, Mapping) or hint is dict:
        return {example(inner[0]): example(inner[1])} if inner else {SECRET: SECRET}
    plain = {str: f"x {SECRET}", int: 1, float: 1.0, bool: True, Any: {"a": [SECRET]}}
    return plain[hint]


def filled(kind: type, *, apart: frozenset[str] = frozenset()) -> Any:
    hints = _hints(kind)
    given = {one.name: example(hints[one.name]) for one in dataclasses.fields(kind) if one.name not in apart}
    return kind(**given)


def texts(value: Any, path: str = "") -> list[str]:
    """Where the secret stands in a value, documents left out."""
    if isinstance(value, Mapping):
        return [at for key, item in value.items() for at in (*texts(key, f"{path} key"), *texts(item, f"{path}.{key}"))]
    if isinstance(value, tuple | list | set | frozenset):
        return [at for item in value for at in texts(item, f"{path}[]")]
    if dataclasses.is_dataclass(value):
        kind = type(value).__name__
        names = [one.name for one in dataclasses.fields(value) if (kind, one.name) not in DOCUMENTS]
        return [at for name in names for at in texts(getattr(value, name), f"{path}.{name}")]
    return [path] if isinstance(value, str) and leaks(value.encode()) else []


@pytest.fixture(autouse=True)
def known() -> None:
    REDACTOR.learn(SECRET.encode())


@pytest.mark.parametrize("kind", RETURNED, ids=lambda kind: kind.__name__)
def test_every_text_field_is_cleaned(kind: type) -> None:
    value = filled(kind)
    assert kind in (AbsentObject,) or texts(value), "the example holds the secret"
    assert texts(clean_texts_in_value(value)) == []


def test_every_class_that_a_provider_returns_is_looked_at() -> None:
    classes = {
        one
        for module in (ports, plan)
        for _, one in inspect.getmembers(module, dataclasses.is_dataclass)
        if one.__module__ == module.__name__
    }
    reached: set[type] = set()

    def reach(hint: Any) -> None:
        for inner in get_args(hint):
            reach(inner)
        if inspect.isclass(hint) and dataclasses.is_dataclass(hint) and hint not in reached:
            reached.add(hint)
            for found in _hints(hint).values():
                reach(found)

    for kind in RETURNED:
        reach(kind)
    assert classes <= reached, f"not tested: {classes - reached}"


def test_what_is_not_cleaned_is_written_down() -> None:
    marked = {
        (kind.__name__, one.name)
        for kind in (*RETURNED, *(one for _, one in inspect.getmembers(plan, inspect.isclass)))
        if dataclasses.is_dataclass(kind)
        for one in dataclasses.fields(kind)
        if "hwplan.as-it-is" in one.metadata
    }
    assert marked <= set(DOCUMENTS)


class _Telling:
    """A provider that says the secret wherever it can."""

    def __init__(self, outputs: dict[str, str] | None = None) -> None:
        self.outputs = outputs or {}

    def read(self, *_: Any) -> Any:
        present = dataclasses.replace(filled(PresentObject), outputs=self.outputs)
        return dataclasses.replace(filled(ReadResult), observations={ADDRESS: present}, strays=(present,))

    def preview(self, _: Any) -> Mapping[Address, Preview]:
        return {ADDRESS: dataclasses.replace(filled(Preview), outputs=self.outputs, blocked="")}

    def apply(self, *_: Any) -> Any:
        return dataclasses.replace(filled(Written), outputs=self.outputs)

    def delete(self, _: Any) -> Any:
        return self.apply()

    def readiness(self, _: Any) -> Mapping[Address, Readiness]:
        return {ADDRESS: dataclasses.replace(filled(Readiness), outputs=self.outputs)}


def test_every_method_of_a_provider_is_cleaned() -> None:
    provider: Any = RedactingProvider(_Telling())
    change = filled(Change)
    reported = [provider.read((), (), ()), provider.preview(()), provider.apply(change, {}), provider.delete(change)]
    assert texts([*reported, provider.readiness((change,))]) == []
    assert MASK in reported[2].said and MASK in provider.readiness(())[ADDRESS].warnings[0]


def test_an_output_with_a_secret_is_refused_and_not_masked() -> None:
    provider: Any = RedactingProvider(_Telling({"token": f"Bearer {SECRET}"}))
    seen = provider.read((), (), ())
    assert (
        isinstance(seen.observations[ADDRESS], UnreadableObject) and "output token" in seen.observations[ADDRESS].reason
    )
    assert not seen.strays and provider.preview(())[ADDRESS].blocked
    assert provider.readiness(())[ADDRESS].ok is False
    with pytest.raises(PermanentError, match="output token holds the value of a secret"):
        provider.apply(filled(Change), {})
    assert texts([seen, provider.preview(()), provider.readiness(())]) == []


@pytest.mark.parametrize(
    "name", [name for name in kubernetes_errors.__all__ if name not in ("InvalidField", "FieldConflict")]
)
def test_every_text_of_an_error_is_cleaned(name: str) -> None:
    kind = getattr(kubernetes_errors, name)
    hints = {key: hint for key, hint in _hints(kind.__init__).items() if key not in ("return", "output")}
    given = inspect.signature(kind.__init__).parameters
    words = {key: example(hints[key]) for key in given if key in hints}
    if "args" in given:
        words = {}
    try:
        error = kind(**words) if words else kind(SECRET)
    except TypeError:
        error = kind(SECRET, **{key: value for key, value in words.items() if key != "message"})

    class Failing(_Telling):
        def delete(self, _: Any) -> Any:
            raise error

    provider: Any = RedactingProvider(Failing())
    with pytest.raises(ProviderError) as raised:
        provider.delete(filled(Change))
    retained = {key: value for key, value in vars(raised.value).items() if not isinstance(value, bytes)}
    assert texts([retained, raised.value.args, str(raised.value)]) == [] and raised.value.__cause__ is None
