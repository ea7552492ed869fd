"""The provider of HttpProbe. It has no effect: it waits until the answer is as expected, and counts its tries."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field

from planner import duration
from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError
from planner.plan import Change, VerifiedBy
from planner.ports import (
    AbsentObject,
    NeverDeletes,
    Observation,
    PresentObject,
    Preview,
    PreviewEffect,
    Readiness,
    ReadResult,
    Written,
)
from planner.resource import Resource
from planner.values import JsonObject, Vault, document_digest, encode_special_leaves
from providers.probes.expected_response import (
    ExpectedResponse,
    ProbeResponse,
    has_unknown_outputs,
    parse_expected_response,
    unmet_probe_expectations,
)
from providers.probes.send_probe import Ask, create_canned_answers_prober, create_network_prober
from providers.provider_tools import ProviderTools

_AT_ONCE = 8


def create_probe_provider(tools: ProviderTools) -> HttpProbeProvider:
    """The provider of HttpProbe for one command. Raises PermanentError when the canned answers of the sandbox cannot be
    read."""
    if tools.sandbox is not None:
        return HttpProbeProvider(create_canned_answers_prober(tools.sandbox / "probes.yaml"))
    return HttpProbeProvider(create_network_prober())


@dataclass(slots=True)
class _Tries:
    """What one probe has done in this run."""

    since: float
    count: int = 0


@dataclass(slots=True)
class HttpProbeProvider(NeverDeletes):
    """Probes URLs, and compares the responses with what is expected (planner.ports.Provider). `ask` sends one
    request."""

    ask: Ask
    _tries: dict[Address, _Tries] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider. Asks only those with `readAtPlan`, all at once; present is what held, with what it answered."""
        asked = [resource for resource in wanted if resource.manifest["spec"].get("readAtPlan")]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            found = dict(zip((one.address for one in asked), pool.map(self._observe, asked), strict=True))
        return ReadResult({one.address: found.get(one.address, AbsentObject(one.address)) for one in wanted})

    def _observe(self, resource: Resource) -> Observation:
        spec = resource.manifest["spec"]
        expected = parse_expected_response(spec)
        if has_unknown_outputs(expected):
            return AbsentObject(resource.address)
        wrong, outputs = self._look(spec, expected)
        value = {"holds": not wrong, "evidence": wrong}
        return PresentObject(resource.address, "", document_digest(value), value, outputs=outputs)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. A probe runs after a change of something that it needs; one that was asked and did not hold
        runs in any case."""
        return {resource.address: _preview(seen) for resource, seen in items}

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Nothing is sent: the asking is the waiting."""
        with self._lock:
            self._tries[change.address] = _Tries(time.monotonic())
        return Written(uid="")

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See Provider. One request per probe and call."""
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return dict(zip((one.address for one in changes), pool.map(self._judge, changes), strict=True))

    def _judge(self, change: Change) -> Readiness:
        spec = (change.desired or {})["spec"]
        with self._lock:
            tries = self._tries.setdefault(change.address, _Tries(time.monotonic()))
            tries.count += 1
        try:
            wrong, outputs = self._look(spec, parse_expected_response(spec), strict=True)
        except PermanentError as error:
            return _over(spec, error.described(), {})
        if not wrong:
            return Readiness(done=True, ok=True, outputs=outputs)
        late = time.monotonic() - tries.since >= duration.parse_duration(str(spec.get("within", "1m")))
        if late or tries.count >= int(spec.get("attempts", 5)):
            return _over(spec, f"{wrong} (asked {tries.count} times)", outputs)
        return Readiness(done=False, ok=False, message=wrong)

    def _look(self, spec: JsonObject, expected: ExpectedResponse, *, strict: bool = False) -> tuple[str, JsonObject]:
        """What is wrong ("" if nothing) and the outputs. With `strict` an address that is never asked raises."""
        began = time.monotonic()
        try:
            seen = self.ask(str(spec["url"]))
        except ProviderError as error:
            if strict and isinstance(error, PermanentError):
                raise
            return error.described(), {}
        return unmet_probe_expectations(expected, seen), _outputs(seen, time.monotonic() - began)


def _preview(seen: Observation) -> Preview:
    if isinstance(seen, PresentObject) and seen.value is not None:
        if seen.value["holds"]:
            return Preview(PreviewEffect.RUN, verified=VerifiedBy.SERVER, on_change=(), outputs=seen.outputs)
        return Preview(PreviewEffect.RUN, evidence=seen.value["evidence"], outputs=encode_special_leaves(seen.outputs))
    return Preview(PreviewEffect.RUN, on_change=())


def _over(spec: JsonObject, message: str, outputs: JsonObject) -> Readiness:
    """The end of a probe that does not hold. Evidence never fails a run: only a gate decides."""
    return Readiness(done=True, ok=spec.get("role") != "gate", message=message, outputs=outputs)


def _outputs(seen: ProbeResponse, seconds: float) -> JsonObject:
    body = "sha256:" + hashlib.sha256(seen.body).hexdigest()
    return {"status": seen.status, "latencyMs": round(seconds * 1000), "body": body}
