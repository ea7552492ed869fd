"""One case while it runs: what was drawn, what is live, what happened so far, and what did not agree."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from providers.kubernetes.ssa.merge_types import MergeTypeTable
from tests.fidelity.kinds import CLUSTER_SCOPED, NAMESPACED, definition
from tests.fidelity.pods import metadata
from tests.fidelity.server import Server

Doc = dict[str, Any]
US = "hwplan"


@dataclass(slots=True)
class Verdict:
    """What a case showed: counts of outcomes, and what did not agree."""

    counts: Counter[str] = field(default_factory=Counter)
    mismatches: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Case:
    """The state while one case runs."""

    seed: int
    rng: Random
    types: MergeTypeTable
    server: Server
    kind: str
    api_version: str
    url: str
    name: str
    namespace: str
    verdict: Verdict
    live: Doc | None = None
    applied: dict[str, Doc] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)

    def fresh(self) -> Doc:
        """A new random object of the kind."""
        if self.kind == "CustomResourceDefinition":
            return self.named({**definition(self.rng, self.name), "metadata": metadata(self.rng)})
        maker = {**NAMESPACED, **CLUSTER_SCOPED}[self.kind][2]
        return self.named({**maker(self.rng), "metadata": metadata(self.rng)})

    def named(self, document: Doc) -> Doc:
        """With apiVersion, kind and names."""
        meta = {**document.get("metadata", {}), "name": self.name}
        if self.namespace:
            meta["namespace"] = self.namespace
        return {"apiVersion": self.api_version, "kind": self.kind, **document, "metadata": meta}

    def wrong(self, what: str) -> None:
        story = "\n    ".join(self.story)
        self.verdict.mismatches.append(f"case {self.seed} ({self.kind}): {what}\n    {story}")


def short(document: Doc) -> str:
    return json.dumps(document, sort_keys=True)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def apply_url(case: Case, manager: str, force: bool, dry: bool = False) -> str:
    options = f"fieldManager={manager}&fieldValidation=Strict" + ("&force=true" if force else "")
    return f"{case.url}/{case.name}?{options}" + ("&dryRun=All" if dry else "")
