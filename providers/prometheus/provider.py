"""The provider of PrometheusQuery. It has no effect: it asks when planning, and waits until a result is as expected."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field

from planner import duration
from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError, TemporaryError
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
    UnreadableObject,
    Written,
)
from planner.resource import Resource
from planner.values import JsonObject, Vault, document_digest
from providers.prometheus.query_result import QueryRefused, query_outputs, unmet_query_expectation
from providers.prometheus.send_query import Ask, create_canned_answers_querier, create_network_querier
from providers.provider_tools import ProviderTools

_AT_ONCE = 8


def create_prometheus_provider(tools: ProviderTools) -> PrometheusProvider:
    """The provider of PrometheusQuery for one command. Raises PermanentError when the canned answers of the sandbox
    cannot be read."""
    if tools.sandbox is not None:
        return PrometheusProvider(create_canned_answers_querier(tools.sandbox / "probes.yaml"))
    return PrometheusProvider(create_network_querier())


@dataclass(slots=True)
class PrometheusProvider(NeverDeletes):
    """Queries Prometheus, and compares the results with what is expected (planner.ports.Provider). `ask` sends one
    query to a server."""

    ask: Ask
    _since: dict[Address, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider. One query each, several at once. A PresentObject is what was asked; where nobody answered it
        does not hold either, but what may not be asked, or is not trusted, is an UnreadableObject."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="prometheus") as pool:
            return ReadResult(dict(zip((one.address for one in wanted), pool.map(self._observe, wanted), strict=True)))

    def _observe(self, resource: Resource) -> Observation:
        spec = resource.manifest["spec"]
        if not spec.get("server"):
            return AbsentObject(resource.address)
        value: JsonObject = {"holds": False, "evidence": "", "blocked": "", "remedy": ""}
        outputs: JsonObject = {}
        try:
            value["evidence"], outputs = self._look(spec)
            value["holds"] = not value["evidence"]
        except TemporaryError as error:
            value["evidence"] = error.described()
        except QueryRefused as error:
            value |= {"blocked": error.described(), "remedy": error.remedy}
        except PermanentError as error:
            return UnreadableObject(resource.address, error.described())
        # Values move all the time: the token says whether it holds, so that the same decision is the same plan.
        return PresentObject(resource.address, "", document_digest({"holds": value["holds"]}), value, outputs=outputs)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. Nothing to do where it holds; else it is asked again, in any case."""
        return {resource.address: _preview(seen) for resource, seen in items if not isinstance(seen, UnreadableObject)}

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Nothing is sent: the asking is the waiting."""
        with self._lock:
            self._since[change.address] = time.monotonic()
        return Written(uid="")

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See Provider. One query each and call."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="prometheus") as pool:
            return dict(zip((one.address for one in changes), pool.map(self._judge, changes), strict=True))

    def _judge(self, change: Change) -> Readiness:
        spec = (change.desired or {})["spec"]
        with self._lock:
            since = self._since.setdefault(change.address, time.monotonic())
        try:
            wrong, outputs = self._look(spec)
        except TemporaryError as error:
            wrong, outputs = error.described(), {}
        except PermanentError as error:
            return Readiness(done=True, ok=False, message=error.described())
        if not wrong:
            return Readiness(done=True, ok=True, outputs=outputs)
        late = time.monotonic() - since >= duration.parse_duration(str(spec.get("within", "1m")))
        return Readiness(done=late, ok=False, message=wrong)

    def _look(self, spec: JsonObject) -> tuple[str, JsonObject]:
        """What is wrong ("" if nothing), and the outputs."""
        if not spec.get("server"):
            raise PermanentError(_NO_SERVER, remedy=_NAME_IT)
        result = self.ask(str(spec["server"]), str(spec["promql"]))
        return unmet_query_expectation(spec["expect"], result), query_outputs(spec["expect"], result)


_NO_SERVER = "no Prometheus is named"
_NAME_IT = "write its base URL as spec.server"


def _preview(seen: Observation) -> Preview:
    if not isinstance(seen, PresentObject) or seen.value is None:
        return Preview(PreviewEffect.RUN, blocked=_NO_SERVER, remedy=_NAME_IT)
    if seen.value["blocked"]:
        return Preview(PreviewEffect.RUN, blocked=seen.value["blocked"], remedy=seen.value["remedy"])
    if seen.value["holds"]:
        return Preview(PreviewEffect.NONE, verified=VerifiedBy.SERVER, outputs=seen.outputs)
    return Preview(PreviewEffect.RUN, evidence=seen.value["evidence"])
