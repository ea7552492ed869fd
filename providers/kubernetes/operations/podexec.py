"""The provider of PodExec: a command in a container of a workload, that succeeds once for each value of a key.

What was done is on record in the cluster itself, so that it is known after the loss of any state and to every operator.
The version token is that record: see once.py for its form and exec_effect.py for the order of writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from planner.address import Address
from planner.errors import PermanentError, ProviderError
from planner.plan import Change, FieldChange, FieldOp, Verified
from planner.ports import (
    Absent,
    Effect,
    Observation,
    Present,
    Preview,
    Readiness,
    ReadResult,
    Unreadable,
    Written,
)
from planner.resource import Resource
from planner.snapshot import KindPlace
from planner.values import JsonObject, Vault
from providers.kubernetes.cluster import Cluster
from providers.kubernetes.operations import once
from providers.kubernetes.operations.commands import Wanted, parse_wanted
from providers.kubernetes.operations.exec_effect import Desk, Fate, make, unsettled
from providers.kubernetes.operations.exec_places import Canned, Places, Pods, canned_ends
from providers.kubernetes.operations.once import Key, Mark
from providers.kubernetes.parallel import Parallel
from providers.registry import Tools

_AT_ONCE = 8


def create(tools: Tools) -> PodExecProvider:
    """The provider of one command. Raises PermanentError when the canned answers of the sandbox cannot be read."""
    if tools.sandbox is not None:
        return PodExecProvider(tools.api, Canned(tools.api, canned_ends(tools.sandbox / "probes.yaml")))
    return PodExecProvider(tools.api, Pods(tools.api))


@dataclass(slots=True)
class PodExecProvider:
    """See planner.ports.Provider. `places` is where commands run."""

    cluster: Cluster
    places: Places
    sleep: Callable[[float], None] = time.sleep
    _memory: dict[Key, tuple[Mark, Fate]] = field(default_factory=dict)
    _marks: dict[Address, Mark] = field(default_factory=dict)

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindPlace]) -> ReadResult:
        """See Provider. One GET each, several at once: the name of a mark follows from what is asked for. The target
        is not looked at: it may become what it should be in the same plan."""
        seen = Parallel(_AT_ONCE).map(self._observe, wanted)
        return ReadResult({one.address: one for one in seen})

    def _observe(self, resource: Resource) -> Observation:
        address = resource.address
        try:
            key = parse_wanted(resource.manifest).key
            mark = once.read(self.cluster, key) if key else None
        except ProviderError as error:
            return Unreadable(address, f"{error.message} ({error.where})" if error.where else error.message)
        if mark is None:
            return Absent(address)
        self._marks[address] = mark
        outputs = {} if mark.exit_code is None else {"exitCode": mark.exit_code}
        return Present(address, uid="", content=mark.content, outputs=outputs)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. Nothing to do where it succeeded for this value; blocked where it may have run."""
        return {resource.address: self._preview(resource, seen) for resource, seen in items}

    def _preview(self, resource: Resource, seen: Observation) -> Preview:
        wanted = parse_wanted(resource.manifest)
        mark = self._marks.get(resource.address) if isinstance(seen, Present) else None
        if mark is not None and mark.is_done:
            return Preview(Effect.NONE, verified=Verified.SERVER, warnings=_other_command(wanted, mark))
        run = Preview(Effect.RUN, _fields(resource.manifest, mark), expects=once.DONE, outputs={"exitCode": 0})
        if mark is None or wanted.key is None:
            return run
        if mark.is_open and not wanted.idempotent:
            evidence, remedy = unsettled(wanted.key, mark)
            return replace(run, blocked="the command may have run for this value", evidence=evidence, remedy=remedy)
        ended = "its end is not on record" if mark.is_open else f"it ended with exit code {mark.exit_code}"
        return replace(run, warnings=(f"run {mark.attempt} for this value began {mark.begun}: {ended}",))

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Returns when the command has ended."""
        assert change.desired is not None
        wanted = parse_wanted(change.desired)
        if wanted.key is None:
            raise PermanentError("the value that it runs once for is not known", where=str(change.address))
        return make(Desk(self.cluster, self.places, self._memory, self.sleep), change, wanted, wanted.key, vault)

    def delete(self, change: Change) -> Written:
        """Always raises PermanentError: what a command did cannot be taken back."""
        raise PermanentError("what a command did cannot be deleted", where=str(change.address))

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See Provider. A command that was applied has ended."""
        return {change.address: Readiness(done=True, ok=True) for change in changes}


def _fields(document: JsonObject, mark: Mark | None) -> tuple[FieldChange, ...]:
    """What is run, where and for which value; and how it went before."""
    spec = document["spec"]
    fields = [FieldChange((name,), FieldOp.ADD, after=spec[name]) for name in _SHOWN]
    if mark is not None and mark.exit_code is not None:
        fields.append(FieldChange(("exitCode",), FieldOp.CHANGE, mark.exit_code, 0))
    return tuple(fields)


_SHOWN = ("target", "container", "command", "oncePer")


def _other_command(wanted: Wanted, mark: Mark) -> tuple[str, ...]:
    if mark.command == once.command_text(wanted.command):
        return ()
    return (f"it succeeded for this value with another command ({mark.begun}): change oncePer to run this one",)
