"""What a plan page says of the change behind it: which one, on which base, when. No part of a plan.

Two plans of the same configuration and cluster have the same bytes and the same id, whoever asked when; so time and
names of branches come in beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import TypeAlias

from planner.address import Address
from planner.dataclass import dataclass
from planner.field_path import FieldPath
from planner.plan import Plan
from planner.render.sentences_with_outside_names import OutsideText, Part, Words, words_safe_to_show
from planner.source_line_ref import SourceRef

_SHORT = 12  # digits of a commit
CommandOf: TypeAlias = Callable[[str, Address], str]  # the command of a verb, for the same selection and one object


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """One answer to a reviewer: a title of ours, and its words. `folded` ones are read by who looks for them."""

    title: str
    words: Words
    folded: bool = False


@dataclass(frozen=True, slots=True)
class DeclaringLine:
    """The line that declares a field which a plan changes: of the key that feeds it, `key` is its path then, else of
    the template, which is `template` in either case. `written` is the commit that changed the line last, with day and
    author."""

    address: Address
    path: FieldPath
    source: SourceRef
    written: str
    template: SourceRef = SourceRef("")
    key: str = ""

    def words(self) -> str:
        """`config/a.yaml:12 (services.api.env.X), by templates/b.yaml.j2:3`."""
        if not self.key:
            return str(self.source)
        return f"{self.source} ({self.key}), by {self.template}"


def _bare_command(verb: str, address: Address) -> str:
    return f"hwplan {verb} {address.local}"


@dataclass(frozen=True, slots=True)
class GitChangeUnderReview:
    """The change in git that a plan was made of, as its reviewer is told. Everything may be unknown, and is empty
    then.

    `name` is how people call it, `title` and `author` are those of a pull request, `head` and `base` are commits,
    `base_name` is the branch that it goes to, `planned_at` a time in UTC. `dirty` says that the head has changes
    that are not committed, `missing` is how many commits of the base it does not have. `base_plan` is the plan of
    the base, made of the same cluster; `written` says in which commit each file of the configuration was last
    changed, `lines` which line declares a changed field; `command_of` gives commands to paste.

    `guards` are the words of the guards that an apply of the plan will be refused by: they depend on the memory of
    this machine, so they are no part of the plan.

    `identifier` is what is approved; empty where that is the plan's own id, and nobody has made it yet. For a pull
    request it is another one, `way` are the stages from its merge to the gate, `approval` is what is said of that,
    and `headline` its effect in a sentence.
    """

    planned_at: str = ""
    name: str = ""
    title: str = ""
    author: str = ""
    head: str = ""
    base: str = ""
    base_name: str = ""
    dirty: bool = False
    missing: int = 0
    base_plan: Plan | None = None
    written: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[DeclaringLine, ...] = ()
    command_of: CommandOf = _bare_command
    way: tuple[ReviewFact, ...] = ()
    identifier: str = ""
    approval: Words = ()
    guards: tuple[str, ...] = ()
    headline: Words = ()

    def words(self) -> Words:
        """The first line; empty where nothing is known."""
        return words_safe_to_show(
            part for at, phrase in enumerate(self._phrases()) for part in (", " * bool(at), *phrase)
        )

    def _phrases(self) -> Iterator[tuple[Part, ...]]:
        if self.name:
            yield (OutsideText(self.name), *((" ", OutsideText(self.title)) if self.title else ()))
        if self.author:
            yield "by ", OutsideText(self.author)
        if self.head:
            yield "commit ", OutsideText(self.head[:_SHORT]), " with changes that are not committed" * self.dirty
        if self.base:
            lacks = f" ({self.missing} commits of it are not in the head, which takes back what they change)"
            yield "base ", OutsideText(f"{self.base_name} {self.base[:_SHORT]}".strip()), lacks if self.missing else ""
        if self.planned_at:
            yield "planned at ", OutsideText(f"{self.planned_at[:16]}Z")


NO_CHANGE_UNDER_REVIEW = GitChangeUnderReview()
