"""The PipelineRun that a resource asks for, and whether a live run is that one. Pure.

A run is made once for its name. What it was made from is on record on it, as the digest of its spec: Tekton freezes
the spec, but its webhook adds to it, so that what is stored is not what was sent.
"""

from __future__ import annotations

from planner.dataclass import dataclass
from planner.duration import parse_duration
from planner.resource import ANNOTATION
from planner.values import Json, JsonObject, JsonValue, document_digest, outputs_in_document

SPEC_DIGEST = ANNOTATION + "spec-digest"
REPLACES = "replaces"  # in the document of a change: the run that is deleted first, by its uid


@dataclass(frozen=True, slots=True)
class WantedPipelineRun:
    """The PipelineRun that a resource asks for, read from its document."""

    manifest: JsonObject
    evidence: JsonObject
    budget: float | None
    rerun: bool
    replaces: str = ""  # uid of the run to be deleted

    @classmethod
    def of(cls, document: JsonObject) -> WantedPipelineRun | None:
        """Of a resource or a change; None while outputs of others are missing."""
        spec = document["spec"]
        if outputs_in_document(spec):
            return None
        budget = spec.get("budget")
        return cls(
            spec["manifest"],
            spec.get("evidence") or {},
            parse_duration(str(budget)) if budget else None,
            bool(spec.get("rerun", False)),
            str(document.get(REPLACES) or ""),
        )

    @property
    def namespace(self) -> str:
        """Namespace of the run."""
        return str(self.manifest["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.manifest["metadata"]["name"])

    @property
    def shown(self) -> str:
        """The run as an address."""
        return f"PipelineRun.tekton.dev/{self.namespace}/{self.name}"

    @property
    def pipeline(self) -> str:
        """Name of the Pipeline that must be there; empty where the run has none of this cluster."""
        ref = self.manifest["spec"].get("pipelineRef") or {}
        return "" if ref.get("resolver") else str(ref.get("name") or "")

    @property
    def body(self) -> JsonObject:
        """The document to create."""
        metadata = self.manifest["metadata"]
        annotations = {**(metadata.get("annotations") or {}), SPEC_DIGEST: document_digest(self.manifest["spec"])}
        return {**self.manifest, "metadata": {**metadata, "annotations": annotations}}

    def is_that(self, live: JsonObject) -> bool:
        """Whether a live run of this name was made from this spec (R2). One that is not ours has no digest: then all
        that is asked for has to stand in it."""
        recorded = (live["metadata"].get("annotations") or {}).get(SPEC_DIGEST)
        if recorded is not None:
            return bool(recorded == document_digest(self.manifest["spec"]))
        return _stands_in(self.manifest["spec"], live.get("spec") or {})


def _stands_in(wanted: Json, live: Json) -> bool:
    """Tekton decodes what it is sent and writes it out again: empty lists go, and durations get their long form."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(_field_stands_in(key, one, live) for key, one in wanted.items())
    if isinstance(wanted, (list, tuple)):
        same = isinstance(live, list) and len(live) == len(wanted)
        return same and all(_stands_in(one, other) for one, other in zip(wanted, live, strict=True))
    return bool(wanted == live)


def _field_stands_in(key: str, wanted: JsonValue, live: JsonObject) -> bool:
    if key not in live:
        return bool(wanted in ([], (), {}, None))
    if key == "timeouts" and isinstance(wanted, dict) and isinstance(live[key], dict):
        return all(_seconds(one) == _seconds(live[key].get(part)) for part, one in wanted.items())
    if key == "timeout":
        return bool(_seconds(wanted) == _seconds(live[key]))
    return _stands_in(wanted, live[key])


def _seconds(duration: JsonValue) -> Json:
    """Of a text that is a duration; anything else as it is."""
    try:
        return parse_duration(duration) if isinstance(duration, str) else duration
    except ValueError:
        return duration
