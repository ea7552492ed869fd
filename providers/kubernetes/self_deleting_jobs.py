"""How a Job ended that its controller has deleted since (ttlSecondsAfterFinished), from what was seen of it.

A Job is deleted by the TTL controller only after it ended (Kubernetes, "Automatic Cleanup for Finished Jobs"), and
often before anybody has looked at it as ended. What is left are the status that was seen last, and the Events of the
Job controller, which outlive the Job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from planner.address import Address
from planner.errors import ProviderError
from planner.ports import Readiness
from planner.values import JsonObject
from providers.cluster_interface import Cluster, KubernetesListScope
from providers.kubernetes.readiness import job_deletes_itself_when_ended, object_readiness, vanished_readiness

# Reasons of the Events that the Job controller of Kubernetes writes when a Job has ended (kubernetes/kubernetes,
# pkg/controller/job: the reasons of the conditions Complete and Failed).
_WELL = frozenset(("Completed", "SuccessPolicy"))
_BADLY = frozenset(
    ("BackoffLimitExceeded", "DeadlineExceeded", "FailedIndexes", "MaxFailedIndexesExceeded", "PodFailurePolicy")
)


class LastSeenSelfDeletingJobs:
    """Jobs that are deleted by the TTL controller after their end, as they were seen last. Safe for many threads: each
    entry is replaced whole."""

    def __init__(self) -> None:
        self._last: dict[Address, JsonObject] = {}

    def written(self, address: Address, desired: JsonObject | None, uid: str) -> None:
        """A document was applied: what was seen under its address before is of another Job, or of an older one."""
        if job_deletes_itself_when_ended(desired):
            self._last[address] = {"metadata": {"uid": uid}}

    def seen(self, address: Address, live: JsonObject) -> None:
        """A Job was looked at."""
        if job_deletes_itself_when_ended(live):
            self._last[address] = live

    def vanished(self, address: Address, desired: JsonObject | None, cluster: Cluster, namespace: str) -> Readiness:
        """What it means that an object which was written, or seen, is not there any more. Reads Events of its
        namespace where it is a Job that deletes itself and the last look has not said how it ended."""
        last = self._last.get(address)
        if last is None or not job_deletes_itself_when_ended(desired):
            return vanished_readiness(desired)
        ended = object_readiness(last) if last.get("status") else None
        if ended is not None and ended.done:
            return ended if not ended.ok else vanished_readiness(desired)
        uid = str(last["metadata"].get("uid", ""))
        reason, message = _end_by_events(cluster, namespace, uid) if uid else ("", "")
        if reason in _BADLY:
            return _failed(f"{reason}: {message}" if message else reason)
        return vanished_readiness(desired) if reason in _WELL else _by_last_status(last)


def _by_last_status(last: JsonObject) -> Readiness:
    """Nothing says how it ended: it may have ended well, unless what was seen of it speaks against that."""
    status = last.get("status") or {}
    failed, succeeded = status.get("failed") or 0, status.get("succeeded") or 0
    want = (last.get("spec") or {}).get("completions")
    want = want if isinstance(want, int) else 1
    if failed and succeeded < want:
        return _failed(f"{failed} of its pods failed and {succeeded} of {want} succeeded when it was seen last")
    if last["metadata"].get("deletionTimestamp"):  # its controller deletes it only when it has ended
        return _failed("somebody deleted it before it had ended")
    return Readiness(done=True, ok=True, warnings=(_UNKNOWN,))


_UNKNOWN = (
    "is gone, as its ttlSecondsAfterFinished says, and neither its last status nor an Event says whether it succeeded"
)


def _failed(message: str) -> Readiness:
    return Readiness(done=True, ok=False, message=f"it is gone (ttlSecondsAfterFinished): {message}")


def readiness_of_deleted_job_by_events(
    cluster: Cluster, namespace: str, name: str, *, uid: str, since: str, desired: JsonObject | None
) -> Readiness | None:
    """How a Job ended that an earlier process made and that is not there any more, by the Events of its namespace:
    those about its `uid`, or, where that is not known, about its name from a time (RFC 3339) on.

    Not `done` when it was there and no Event says how it ended; None when nothing says that it was ever there.
    """

    def is_about(event: JsonObject) -> bool:
        about = event.get("involvedObject") or {}
        if uid:
            return bool(about.get("uid") == uid)
        same = (about.get("kind"), about.get("name")) == ("Job", name)
        return same and _second(event) >= since[: len(_SECOND)]

    found = _events(cluster, namespace, is_about)
    reason, message = _end_of(found)
    if reason in _BADLY:
        return _failed(f"{reason}: {message}" if message else reason)
    if reason in _WELL:
        return vanished_readiness(desired)
    return Readiness(done=False, ok=False, message="nothing says how it ended") if uid or found else None


_SECOND = "2006-01-02T15:04:05"


def _second(event: JsonObject) -> str:
    """When an Event was last: RFC 3339 without its zone, which is always UTC."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")[: len(_SECOND)]


def _end_by_events(cluster: Cluster, namespace: str, uid: str) -> tuple[str, str]:
    """Reason and message of the Event that says how the Job with this uid ended; empty where there is none to read."""
    return _end_of(_events(cluster, namespace, lambda one: bool((one.get("involvedObject") or {}).get("uid") == uid)))


def _events(cluster: Cluster, namespace: str, keep: Callable[[JsonObject], bool]) -> Sequence[JsonObject]:
    try:
        kind = cluster.kind("v1", "Event")
        if kind is None:
            return ()
        place = KubernetesListScope(kind, namespace)
        found = cluster.list([place], keep)[place]
    except ProviderError:
        return ()
    return () if isinstance(found, ProviderError) else found


def _end_of(events: Sequence[JsonObject]) -> tuple[str, str]:
    said = {str(one.get("reason", "")): str(one.get("message", "")) for one in events}
    return next(((reason, said[reason]) for reason in sorted(said) if reason in _WELL | _BADLY), ("", ""))
