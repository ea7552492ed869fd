"""The provider of PodExec: a command in a container of a workload, that succeeds once for each value of a key.

What was done is on record in the cluster itself, so that it is known after the loss of any state and to every operator.
The version token is that record: see command_once_marks.py for its form and exec_once.py for the order of writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field, replace

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError, TemporaryError
from planner.plan import Change, FieldChange, FieldOp, VerifiedBy
from planner.ports import (
    AbsentObject,
    Fingerprinter,
    NeverDeletes,
    Observation,
    PresentObject,
    Preview,
    PreviewEffect,
    Readiness,
    ReadResult,
    UnreadableObject,
    Written,
)
from planner.resource import Resource
from planner.values import JsonObject, Vault
from providers.cluster_interface import Cluster
from providers.kubernetes.operations import command_once_marks
from providers.kubernetes.operations.command_once_marks import CommandOnceKey, CommandOnceMark
from providers.kubernetes.operations.command_runners import (
    CannedCommandRunner,
    ContainerCommandRunner,
    PodCommandRunner,
    read_canned_command_results,
)
from providers.kubernetes.operations.exec_once import ExecOnceContext, Fate, run_command_once, unsettled_command_message
from providers.kubernetes.operations.pod_exec_command import PodExecCommand, parse_pod_exec_command
from providers.kubernetes.parallel_map import ParallelMap
from providers.provider_tools import ProviderTools

_AT_ONCE = 8


def create_pod_exec_provider(tools: ProviderTools) -> PodExecProvider:
    """Creates the provider of PodExec for one run of a hwplan command. Raises PermanentError when the canned answers of
    the sandbox cannot be read."""
    if tools.sandbox is not None:
        canned = CannedCommandRunner(tools.api, read_canned_command_results(tools.sandbox / "probes.yaml"))
        return PodExecProvider(tools.api, canned, tools.fingerprinter)
    return PodExecProvider(tools.api, PodCommandRunner(tools.api), tools.fingerprinter)


@dataclass(slots=True)
class PodExecProvider(NeverDeletes):
    """Runs commands in containers, each once (planner.ports.Provider). `places` is where commands run."""

    cluster: Cluster
    places: ContainerCommandRunner
    fingerprinter: Fingerprinter
    sleep: Callable[[float], None] = time.sleep
    _memory: dict[CommandOnceKey, tuple[CommandOnceMark, Fate]] = field(default_factory=dict)
    _marks: dict[Address, CommandOnceMark] = field(default_factory=dict)
    _keys: dict[Address, CommandOnceKey] = field(default_factory=dict)

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider. One GET each, several at once: the name of a mark follows from what is asked for. The target
        is not looked at: it may become what it should be in the same plan."""
        seen = ParallelMap(_AT_ONCE).map(self._observe, wanted)
        return ReadResult({one.address: one for one in seen})

    def _observe(self, resource: Resource) -> Observation:
        address = resource.address
        try:
            key = self._known(parse_pod_exec_command(resource.manifest)).key
            mark = command_once_marks.read_command_once_mark(self.cluster, key) if key else None
        except ProviderError as error:
            return UnreadableObject(address, error.described())
        if mark is None:
            return AbsentObject(address)
        assert key is not None
        self._marks[address], self._keys[address] = mark, key
        outputs = {} if mark.exit_code is None else {"exitCode": mark.exit_code}
        return PresentObject(address, uid="", content=mark.content, outputs=outputs)

    def _known(self, wanted: PodExecCommand) -> PodExecCommand:
        """The command with its value, where that is known: the image of a pod is, while one is ready."""
        if not wanted.per_image:
            return wanted
        try:
            image = self.places.find(wanted).image
        except (TemporaryError, PermanentError):
            return wanted  # the target may become what it should be in the same plan
        return wanted.for_value(image) if image else wanted

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. Nothing to do where it succeeded for this value; blocked where it may have run."""
        return {resource.address: self._preview(resource, seen) for resource, seen in items}

    def _preview(self, resource: Resource, seen: Observation) -> Preview:
        wanted = parse_pod_exec_command(resource.manifest)
        mark = self._marks.get(resource.address) if isinstance(seen, PresentObject) else None
        if mark is not None and mark.is_done and wanted.per_image:
            fields = _fields(resource.manifest, None)
            return Preview(
                PreviewEffect.RUN, fields, on_change=(), expects=command_once_marks.DONE, outputs={"exitCode": 0}
            )
        if mark is not None and mark.is_done:
            return Preview(PreviewEffect.NONE, verified=VerifiedBy.SERVER, warnings=_other_command(wanted, mark))
        run = Preview(
            PreviewEffect.RUN,
            _fields(resource.manifest, mark),
            expects=command_once_marks.DONE,
            outputs={"exitCode": 0},
        )
        key = self._keys.get(resource.address)
        if mark is None or key is None:
            return run
        if mark.is_open and not wanted.idempotent:
            evidence, remedy = unsettled_command_message(key, mark)
            return replace(run, blocked="the command may have run for this value", evidence=evidence, remedy=remedy)
        ended = "its end is not on record" if mark.is_open else f"it ended with exit code {mark.exit_code}"
        return replace(run, warnings=(f"run {mark.attempt} for this value began {mark.begun}: {ended}",))

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Returns when the command has ended."""
        assert change.desired is not None
        wanted = parse_pod_exec_command(change.desired)
        if wanted.per_image:
            image = self.places.find(wanted).image
            if not image:
                raise TemporaryError("its ready pod does not say which image it runs", where=wanted.target.local)
            wanted = wanted.for_value(image)
        if wanted.key is None:
            raise PermanentError("the value that it runs once for is not known", where=str(change.address))
        context = ExecOnceContext(self.cluster, self.places, self.fingerprinter, self._memory, self.sleep)
        return run_command_once(context, change, wanted, wanted.key, vault)

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See Provider. A command that was applied has ended."""
        return {change.address: Readiness(done=True, ok=True) for change in changes}


def _fields(document: JsonObject, mark: CommandOnceMark | None) -> tuple[FieldChange, ...]:
    """What is run, where and for which value; and how it went before."""
    spec = document["spec"]
    fields = [FieldChange((name,), FieldOp.ADD, after=spec[name]) for name in _SHOWN if name in spec]
    if mark is not None and mark.exit_code is not None:
        fields.append(FieldChange(("exitCode",), FieldOp.CHANGE, mark.exit_code, 0))
    return tuple(fields)


_SHOWN = ("target", "container", "command", "oncePer", "oncePerImage")


def _other_command(wanted: PodExecCommand, mark: CommandOnceMark) -> tuple[str, ...]:
    if mark.command == command_once_marks.command_text_for_once_mark(wanted.command):
        return ()
    return (f"it succeeded for this value with another command ({mark.begun}): change oncePer to run this one",)
