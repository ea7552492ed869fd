"""Scalar events become values and keys: strictly in our own configuration, else as the API's readers read them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from planner.loading.yaml import api_scalars
from planner.loading.yaml.api_scalars import MERGE_TAG, STANDARD, UnreadableScalar, resolve_api_scalar
from planner.loading.yaml.document_limits import INVISIBLE
from planner.loading.yaml.output_tags import parse_output_tag
from planner.loading.yaml.unambiguous_scalars import AmbiguousScalar, Plain, resolve_unambiguous_scalar
from planner.loading.yaml.yaml_problems import YamlProblems
from planner.values import MARK, Json, JsonValue, OutputRef, OutputTemplate

MERGE: Final = "<<"
_STR_TAG: Final = STANDARD + "str"
_OUR_TAGS: Final = ("!ref", "!sub")
_ONLY_OURS: Final = "only !ref and !sub are tags here"


class ScalarReader:
    """The scalars of one text. `plain` and `keys` hold what was seen before and is certain; `tagged` says whether a
    `!ref` or a `!sub` was seen."""

    def __init__(self, notes: YamlProblems, *, api: bool) -> None:
        self._notes, self._api = notes, api
        self.plain: dict[str, Plain] = {}
        self.keys: dict[str, str] = {}  # one copy of each: a CustomResourceDefinition has few keys many times
        self.tagged = False

    def resolve(self, event: Any) -> Plain:
        """The value of an unquoted scalar that was not seen before."""
        text: str = event.value
        if text == MERGE and not self._api:
            remedy = "write the fields out, or use the overlays of the configuration"
            self._notes.problem(event, "a merge key", remedy)
            return text
        if event.tag is not None and self._api:
            return text  # the tag `!`: it is text
        value: Plain = text
        try:
            value = resolve_api_scalar(text) if self._api else text
            strict = resolve_unambiguous_scalar(text)
        except AmbiguousScalar as why:
            self._notes.doubt(event, f"this unquoted value is {why}", "put it in quotes, or write what is meant")
            return value
        except UnreadableScalar as why:
            self._notes.problem(event, f"this unquoted value is {why}", "put it in quotes")
            return text
        self.plain[text] = value = value if self._api else strict
        return value

    def resolve_tagged(self, event: Any, value: JsonValue) -> Json:
        """The value of a scalar with a tag. `value` is that without it."""
        tag = str(event.tag)
        if tag in _OUR_TAGS:
            try:
                value = parse_output_tag(tag, event.value)
                self.tagged = True
            except ValueError:
                self._notes.problem(event, f"not a {tag}: expected Kind/name#output", "the output stands after #")
            return value
        if not self.is_standard(tag):
            if tag != _STR_TAG:
                self._notes.problem(event, "an unknown tag", _ONLY_OURS)
            return value
        if tag not in ("!", _STR_TAG):
            self._notes.doubt(event, "an unknown tag", _ONLY_OURS)
        try:
            return api_scalars.resolve_tagged_scalar(tag, event.value)
        except UnreadableScalar as why:
            self._notes.problem(event, str(why), "correct the value, or take the tag away")
            return value

    def is_standard(self, tag: str) -> bool:
        """Whether a tag is one of YAML itself, which the API's readers know. Others may be a misspelt !ref."""
        return self._api and (tag == "!" or tag.startswith(STANDARD))

    def is_merge(self, event: Any) -> bool:
        """Whether a key is the merge key."""
        return self._api and _text(event) == MERGE and (event.implicit[0] or event.tag == MERGE_TAG)

    def key(self, event: Any, value: JsonValue) -> str:
        """The name of the field that a key stands for, whose value is `value`."""
        if isinstance(value, OutputRef | OutputTemplate | dict | list) or not (self._api or _is_strict_key(value)):
            self._notes.problem(event, "a key that is not text", "put it in quotes")
            return "?"
        key = self._spelt(event, value) if self._api else str(value)
        if key == MARK:
            self._notes.problem(event, f"the key {MARK} is hwplan's own", "use another name")
        elif INVISIBLE.search(key):
            self._notes.problem(event, "an invisible character in a key", "type the key anew")
        elif key == _text(event) != MERGE:
            self.keys[key] = key
        return key

    def _spelt(self, event: Any, value: Any) -> str:
        """The key in the API's reading: a number as Go spells it."""
        spell: Callable[[Any], str] = api_scalars.key_text
        if (text := _text(event)) is not None and event.tag is not None and event.tag != "!":
            spell, value = partial(api_scalars.key_of_tagged_scalar, event.tag), text
        elif text is not None and event.implicit[0] and event.tag is None:
            spell, value = api_scalars.key_of_plain_scalar, text
        try:
            return spell(value)
        except UnreadableScalar as why:
            self._notes.problem(event, str(why), "put it in quotes")
            return "?"


def _is_strict_key(value: JsonValue) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _text(event: Any) -> str | None:
    """The text of a scalar event, None for an alias."""
    return getattr(event, "value", None)
