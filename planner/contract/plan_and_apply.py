"""The steps of a command as the suite takes them: a plan in one reading, its changes, a run that is asked to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, fields, is_dataclass

from planner.address import Address, is_hwplan_kind
from planner.contract.contract_case import SECRET, RunCase, StateCase
from planner.dataclass import dataclass
from planner.errors import HwplanError
from planner.events import Event
from planner.executor import ExecutionOptions, RunResult, execute_plan
from planner.plan import Action, Change, ClusterIdentity, Plan, Precondition, Selection
from planner.plugins import model_of_kind
from planner.ports import Observation, PresentObject, Preview, PreviewEffect, Provider, UnreadableObject
from planner.resource import Resource
from planner.values import Vault

_ACTIONS = {PreviewEffect.CREATE: Action.CREATE, PreviewEffect.REPLACE: Action.REPLACE, PreviewEffect.RUN: Action.RUN}


@dataclass(frozen=True, slots=True)
class ChangesFromOneReading:
    """What a plan of one reading is made of: the observations, the previews, and the changes that follow from them."""

    seen: Mapping[Address, Observation]
    previews: Mapping[Address, Preview]
    changes: tuple[Change, ...]


def plan_in_one_reading(case: StateCase | RunCase, *, following: bool = False) -> ChangesFromOneReading:
    """A plan of everything by a new command, in one reading. `following` takes in runs that only follow a change."""
    provider, wanted = case.provider(), case.wanted()
    seen = provider.read(wanted, (), ()).observations
    readable = [(one, seen[one.address]) for one in wanted if not isinstance(seen[one.address], UnreadableObject)]
    previews = provider.preview(readable)
    _check_output_names(wanted, seen, previews)
    due = [pair for pair in readable if following or previews[pair[0].address].on_change is None]
    made = [change_of_preview(one, there, previews[one.address]) for one, there in due]
    return ChangesFromOneReading(seen, previews, tuple(change for change in made if change is not None))


def _check_output_names(
    wanted: Sequence[Resource], seen: Mapping[Address, Observation], previews: Mapping[Address, Preview]
) -> None:
    """Every output is among those that the model of its kind declares, so that references can be checked at load."""
    for one in wanted:
        model = model_of_kind(one.address.kind) if is_hwplan_kind(one.api_version) else None
        names = model.output_names(one.manifest) if model is not None else None
        there, preview = seen[one.address], previews.get(one.address)
        given = {*(there.outputs if isinstance(there, PresentObject) else ()), *(preview.outputs if preview else ())}
        assert names is None or given <= set(names), f"{one.address.kind} has outputs beside {sorted(names)}: {given}"


def plan_and_apply_all(case: StateCase) -> tuple[Change, ...]:
    """Plan everything and make every change, each by a new command; gives the changes."""
    changes = plan_in_one_reading(case).changes
    for change in changes:
        case.provider().apply(change, case.vault)
    return changes


def change_of_preview(resource: Resource, seen: Observation, preview: Preview) -> Change | None:
    """The change that a plan makes of a preview; None when there is nothing to do or it is blocked."""
    if preview.effect is PreviewEffect.NONE or preview.blocked:
        return None
    ours = isinstance(seen, PresentObject) and seen.owned_by == resource.owned_by
    return Change(
        address=resource.address,
        action=_ACTIONS.get(preview.effect, Action.UPDATE if ours else Action.ADOPT),
        api_version=resource.api_version,
        scope=resource.scope,
        reason="",
        precondition=seen.precondition if isinstance(seen, PresentObject) else Precondition(absent=True),
        source=resource.source,
        desired=preview.desired if preview.desired is not None else resource.manifest,
        fields=preview.fields,
        verified=preview.verified,
        expects=preview.expects,
        forced=preview.forced,
        migrate=preview.migrate,
        take_over=preview.take_over,
        claims=preview.claims,
    )


def apply_changes_until_stopped(
    changes: Sequence[Change], provider: Provider, vault: Vault, until: Callable[[Event], bool] = lambda _event: False
) -> RunResult:
    """Carry out changes as `hwplan apply` does, one at a time, and say it to stop at the first event that `until` says
    yes to."""
    options = ExecutionOptions(parallelism=1, cancel=threading.Event())
    identity, nothing = ClusterIdentity("", ""), Selection()
    plan = Plan(nothing, identity, "", "", tuple(changes))
    observer = _Stopper(until, options.cancel)
    return execute_plan(plan, lambda _change: provider, vault, observer, _Clock(), options)


@dataclass(frozen=True, slots=True)
class _Stopper:
    """Says stop when it sees what it waits for."""

    until: Callable[[Event], bool]
    cancel: threading.Event = field(default_factory=threading.Event)

    def on(self, event: Event) -> None:
        """See planner.events.EventObserver."""
        if self.until(event):
            self.cancel.set()


class _Clock:
    """The clock of this machine."""

    def now(self) -> str:
        """See planner.ports.Clock."""
        return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())

    def monotonic(self) -> float:
        """See planner.ports.Clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See planner.ports.Clock."""
        time.sleep(seconds)


def shows_no_secret(*shown: object) -> bool:
    """Whether the secret of the contract is in none of these: in no text form, in no part of a value that is handed on,
    in nothing that an error says."""
    return not any(SECRET.decode() in text for one in shown for text in (repr(one), str(one), *_texts(one)))


def _texts(shown: object) -> Iterator[str]:
    """The text of every part, also of parts that a `repr` leaves out."""
    match shown:
        case str():
            yield shown
        case HwplanError():
            yield from (shown.message, shown.where, shown.remedy)
        case Mapping():
            for key, value in shown.items():
                yield from (*_texts(key), *_texts(value))
        case list() | tuple() | set() | frozenset():
            for item in shown:
                yield from _texts(item)
        case _ if is_dataclass(shown) and type(shown).__module__.startswith("planner."):
            for part in fields(shown):
                yield from _texts(getattr(shown, part.name))
        case _:
            yield str(shown)
