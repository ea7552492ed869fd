"""One hard refresh of an Argo CD Application: its manifests are made anew and compared; no workload is patched (A3).

Asking, reading and the pace are those of a sync. What is waited for is that Argo CD takes the annotation away, which it
does in the write that stores what the comparison came to.
"""

from __future__ import annotations

from planner.dataclass import dataclass
from planner.errors import PreconditionError
from planner.ports import Readiness
from planner.values import JsonObject
from providers.kubernetes.operations.argo_state import ArgoApplicationState
from providers.kubernetes.operations.argo_sync_operation import REFRESH, ArgoSyncOperation, argo_sync_outputs

HARD = "hard"


@dataclass(slots=True)
class ArgoRefreshOperation(ArgoSyncOperation):
    """One refresh of an Argo CD Application: asks for it and reads what came of it; `revision` and `key` mean nothing
    here."""

    def _ask(self, seen: ArgoApplicationState) -> bool:
        """Whether a hard refresh is on record already. A soft one becomes a hard one."""
        annotations = (self._live or {})["metadata"].get("annotations") or {}
        if annotations.get(REFRESH) == HARD:
            self._asked = True
            return True
        try:
            self.cluster.patch(self.kind, self.namespace, self.name, self._patch(seen))
        except PreconditionError:
            return False  # it moved meanwhile: the next look asks again
        self._asked = True
        return False

    def _patch(self, seen: ArgoApplicationState) -> tuple[JsonObject, ...]:
        # a class with slots is made anew, so that super() means another one
        made = ArgoSyncOperation._patch(self, seen)
        kept = (one for one in made if one["path"] != "/operation")
        return tuple({**one, "value": HARD} if one["value"] == "normal" else one for one in kept)

    def _judge(self, seen: ArgoApplicationState) -> Readiness:
        if seen.uid != self._uid:
            return Readiness(
                done=True, ok=False, message="errored: the Application was replaced by another of its name"
            )
        if not self._asked:
            self._ask(seen)
        if not self._asked or seen.refreshing:
            return Readiness(done=False, ok=False, message=f"Argo CD has not compared it yet: {seen.words}")
        return Readiness(done=True, ok=True, outputs=argo_sync_outputs(seen))
