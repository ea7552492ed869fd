"""One sync of an Argo CD Application: asking for it once, and waiting for that very one or a later one (R3).

The sync that is asked for carries a key in `info`, made from the Application, the revision and the plan, so that it is
reported from every other, and found again by whoever resumes. While another sync runs, nothing is asked for; ours
follows when that one is over. A state that was seen before ours ended proves nothing, and what was bad before it is not
blamed on it (R5)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import field

from planner.dataclass import dataclass
from planner.errors import PermanentError, PreconditionError, ProviderError, TemporaryError
from planner.ports import Readiness
from planner.values import JsonObject
from providers.cluster_interface import Cluster, ServedKubernetesKind
from providers.kubernetes.operations.argo_state import (
    KEY,
    ArgoApplicationState,
    ArgoOperation,
    Contains,
    assume_revision_not_contained,
    is_same_or_later_time,
    parse_argo_application,
)

_PAUSE = 1.0  # seconds between requests while it is waited for
_ASK_GIT_AGAIN = 15.0  # seconds
REFRESH = "argocd.argoproj.io/refresh"


@dataclass(slots=True)
class ArgoSyncOperation:
    """One sync that was asked for. `revision` empty means the head of the branch of the Application."""

    cluster: Cluster
    kind: ServedKubernetesKind
    namespace: str
    name: str
    revision: str
    key: str
    clock: Callable[[], float] = time.monotonic
    contains: Contains = assume_revision_not_contained
    _uid: str = ""
    _live: JsonObject | None = None
    _asked: bool = False
    _before: str = ""  # health that was seen last since this began
    _reached: dict[str, tuple[bool, float]] = field(default_factory=dict)  # commit -> contains ours, when asked
    _last: Readiness | None = None
    _looked: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self) -> tuple[str, bool]:
        """Ask for the sync, or wait behind another one; gives the Application's uid, and whether it was asked for
        before. Raises ProviderError."""
        with self._lock:
            seen = self._see()
            self._uid, self._before = seen.uid, seen.health
            return seen.uid, self._ask(seen)

    def _ask(self, seen: ArgoApplicationState) -> bool:
        """Whether ours is on record already. Sets `_asked` when it is, or is now."""
        operation = seen.operation
        if operation is not None and operation.key == self.key:
            self._asked = True
            return True
        if operation is not None and operation.revision != self.revision and self._serves(operation):
            self._asked = True  # a later revision that contains ours: the older one is not brought back over it
            return False
        if operation is not None and operation.runs:
            return False
        try:
            self.cluster.patch(self.kind, self.namespace, self.name, self._patch(seen))
        except PreconditionError:
            return False  # it moved meanwhile: the next look sees how
        self._asked = True
        return False

    def _patch(self, seen: ArgoApplicationState) -> tuple[JsonObject, ...]:
        """Refresh and sync in one write, bound to the version that was read: never over another sync."""
        live = self._live or {}
        wanted: JsonObject = {"syncStrategy": {"hook": {}}, **_as_declared(live)}
        if self.revision:
            wanted["revision"] = self.revision
        operation = {
            "initiatedBy": {"username": "hwplan"},
            "info": [{"name": KEY, "value": self.key}],
            "sync": wanted,
        }
        bare = (
            ()
            if live["metadata"].get("annotations")
            else ({"op": "add", "path": "/metadata/annotations", "value": {}},)
        )
        return (
            {"op": "test", "path": "/metadata/uid", "value": seen.uid},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": seen.version},
            *bare,
            {"op": "add", "path": f"/metadata/annotations/{REFRESH.replace('/', '~1')}", "value": "normal"},
            {"op": "add", "path": "/operation", "value": operation},
        )

    def _see(self) -> ArgoApplicationState:
        live = self.cluster.get(self.kind, self.namespace, self.name)
        if live is None:
            raise PermanentError("the Application is not there", where=f"Application/{self.namespace}/{self.name}")
        self._live = live
        return parse_argo_application(live)

    def look(self) -> Readiness:
        """How it stands; at most one read a second."""
        with self._lock:
            now = self.clock()
            if self._last is not None and (self._last.done or now - self._looked < _PAUSE):
                return self._last
            self._looked = now
            try:
                self._last = self._judge(self._see())
            except TemporaryError as error:
                return Readiness(done=False, ok=False, message=f"cannot be looked at now: {error.message}")
            except ProviderError as error:
                self._last = Readiness(done=True, ok=False, message=f"errored: {error.message}")
            return self._last

    def _judge(self, seen: ArgoApplicationState) -> Readiness:
        if self._uid and seen.uid != self._uid:
            return _failed(seen, "errored: the Application was replaced by another of its name")
        if not self._asked:
            self._ask(seen)
            return _waits(f"another sync goes first: {seen.words}")
        operation = seen.operation
        if operation is None or operation.requested:
            return _waits(f"Argo CD has not begun the sync: {seen.words}")
        if operation.key != self.key and not self._serves(operation):
            return self._overtaken(seen, operation)
        if operation.runs:
            return self._noting(seen, _waits(seen.words))
        if operation.phase != "Succeeded":
            words = f"failed: the sync ended {operation.phase}: {operation.message}"
            return _failed(seen, "\n".join((words, *operation.wrong)))
        return self._after(seen, operation)

    def _serves(self, operation: ArgoOperation) -> bool:
        """Whether a later sync brings what ours was for: it is at the same revision, or at one that contains it (R3).
        Asked when it has ended: a sync that fails brings nothing."""
        if not self.revision or not operation.revision:
            return False
        if operation.revision == self.revision:
            return True
        return not operation.runs and operation.phase == "Succeeded" and self._contains(operation.revision)

    def _contains(self, revision: str) -> bool:
        """Whether a commit contains ours; what cannot be determined now does not count, and is asked again later."""
        known = self._reached.get(revision)
        if known is not None and (known[0] or self.clock() - known[1] < _ASK_GIT_AGAIN):
            return known[0]
        try:
            found = self.contains(self.revision, revision)
        except ProviderError:
            found = False
        self._reached[revision] = (found, self.clock())
        return found

    def _overtaken(self, seen: ArgoApplicationState, operation: ArgoOperation) -> Readiness:
        if operation.runs:
            return _waits(f"another sync took over: {seen.words}")
        to = operation.revision[:12] or "the tip"
        return _waits(f"overtaken by a sync to {to}, that ended {operation.phase}: {seen.words}")

    def _after(self, seen: ArgoApplicationState, operation: ArgoOperation) -> Readiness:
        """Ours ended well. What counts now has to have been compared after that."""
        revision = self.revision or operation.revision
        compared = not seen.refreshing and is_same_or_later_time(seen.reconciled, operation.finished)
        if operation.key == self.key and operation.revision != revision:
            return _failed(seen, f"failed: the sync went to {operation.revision or 'no revision'}, not to {revision}")
        if compared and seen.is_at(revision, lambda _, other: self._contains(other)):
            return Readiness(done=True, ok=True, outputs=argo_sync_outputs(seen))
        if compared and seen.health == "Degraded" and self._before in ("Healthy", "Progressing"):
            return _failed(seen, f"failed: it became Degraded ({self._before} before): {seen.words}")
        return self._noting(seen, _waits(seen.words if compared else f"{seen.words}, not compared since the sync"))

    def _noting(self, seen: ArgoApplicationState, found: Readiness) -> Readiness:
        """Remember the health of this look: only a change for the worse is a failure."""
        self._before = seen.health or self._before
        return found


def _as_declared(live: JsonObject) -> JsonObject:
    """What of its policy Argo CD puts into a sync that it begins itself (`syncOptions`, `prune`). One that others ask
    for has none of it: it would apply in another way, and leave behind what has left the branch."""
    policy = (live.get("spec") or {}).get("syncPolicy") or {}
    found: JsonObject = {"syncOptions": policy["syncOptions"]} if policy.get("syncOptions") else {}
    return {**found, "prune": True} if (policy.get("automated") or {}).get("prune") else found


def _waits(message: str) -> Readiness:
    return Readiness(done=False, ok=False, message=message)


def _failed(seen: ArgoApplicationState, message: str) -> Readiness:
    return Readiness(done=True, ok=False, message=message, outputs=argo_sync_outputs(seen))


def argo_sync_outputs(seen: ArgoApplicationState) -> JsonObject:
    """The outputs of a sync that others may refer to: revision, health and times."""
    outputs: JsonObject = {"revision": seen.revision, "sync": seen.sync, "health": seen.health}
    if seen.operation is not None:
        one = seen.operation
        outputs["operation"] = {
            "phase": one.phase, "revision": one.revision, "startedAt": one.started, "finishedAt": one.finished
        }  # fmt: skip
    return outputs
