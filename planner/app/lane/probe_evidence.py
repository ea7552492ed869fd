"""Asks the probes of a lane once: is the answer as expected, and which build does it say that it comes from."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from planner import field_path
from planner.app.lane.lane_parts import LaneParts, fill_git_head_outputs
from planner.dataclass import dataclass
from planner.errors import ProviderError
from planner.rollout import lane_evidence as names
from planner.rollout.lane_evidence import EvidenceReading
from planner.values import Json, JsonObject, document_digest
from providers.json_answer import parse_json_answer
from providers.probes.expected_response import ProbeResponse, parse_expected_response, unmet_probe_expectations
from providers.probes.send_probe import Ask, create_canned_answers_prober, create_network_prober
from providers.web.json_body import find_json_value_at_path

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class ProbeEvidenceReader:
    """Asks the probes of a lane through `ask`."""

    subjects: LaneParts
    ask: Ask
    now: Callable[[], str]

    def answers(self, commit: str) -> dict[str, EvidenceReading]:
        """One answer of each probe."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda probe: self._answer(fill_git_head_outputs(probe[1], commit)), self.subjects.probes)
            return {names.PROBE + name: one for (name, _), one in zip(self.subjects.probes, found, strict=True)}

    def _answer(self, spec: JsonObject) -> EvidenceReading:
        url, at = str(spec["url"]), self.now()
        value: JsonObject = {"url": url, "role": spec.get("role"), "status": None, "wrong": "", "provenance": {}}
        try:
            seen = self.ask(url)
        except ProviderError as error:  # no answer is an answer: a site that is down is no lane that cannot be read
            value["wrong"] = error.described()
            return EvidenceReading(value, url, at, document_digest(value))
        expected = parse_expected_response({**spec, "provenance": {}})
        value |= {"status": seen.status, "wrong": unmet_probe_expectations(expected, seen)}
        value["provenance"] = {one: _at(seen, one) for one in spec.get("provenance") or {}}
        return EvidenceReading(value, url, at, document_digest(value))


def open_probe_reader(subjects: LaneParts, sandbox: Path | None, now: Callable[[], str]) -> ProbeEvidenceReader:
    """The reader of a command: over the network, or from the canned answers of a sandbox."""
    return ProbeEvidenceReader(
        subjects, create_canned_answers_prober(sandbox / "probes.yaml") if sandbox else create_network_prober(), now
    )


def _at(seen: ProbeResponse, where: str) -> Json:
    try:
        found = find_json_value_at_path(parse_json_answer(seen.body), field_path.parse_path(where))
    except (ValueError, RecursionError):
        return None
    return found[0] if found and isinstance(found[0], str | int | float | bool) else None
