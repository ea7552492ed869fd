"""Kubernetes Jobs that push for us: created once by their name, looked at, deleted, and the reports of their pods
read. Runs no git."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError, TemporaryError
from planner.values import JsonObject
from providers.cluster_interface import Cluster, KubernetesListScope, ServedKubernetesKind
from providers.git.push_job_manifest_and_report import (
    CONTAINER,
    LABEL,
    PushJobReport,
    parse_push_job_report,
    push_job_target,
)

_CREATE_ONLY = "1"  # a resourceVersion that no object has (providers.cluster_interface, `apply`)


@dataclass(frozen=True, slots=True)
class KubernetesPushJobs:
    """Creates, reads and deletes the push Jobs of one cluster, and reads what their pods reported."""

    cluster: Cluster

    def make(self, job: JsonObject) -> JsonObject:
        """The live Job of that name: the one that stands there, else a new one. Never a second one.

        Raises ProviderError when there is none afterwards, TemporaryError while an older one is on its way out.
        """
        namespace, name = str(job["metadata"]["namespace"]), str(job["metadata"]["name"])
        found = self.look(namespace, name)
        if found is None:
            metadata = {**job["metadata"], "resourceVersion": _CREATE_ONLY}
            try:
                return self.cluster.apply(self._kind("batch/v1", "Job"), {**job, "metadata": metadata})
            except ProviderError:
                found = self.look(namespace, name)  # somebody else has made it, or the answer was lost
                if found is None:
                    raise
        if found["metadata"].get("deletionTimestamp"):
            raise TemporaryError("an older Job of that name is being deleted", where=f"Job.batch/{namespace}/{name}")
        return found

    def look(self, namespace: str, name: str) -> JsonObject | None:
        """The live Job, or None."""
        return self.cluster.get(self._kind("batch/v1", "Job"), namespace, name)

    def remove(self, job: JsonObject) -> None:
        """Delete exactly this one."""
        metadata = job["metadata"]
        uid, version = str(metadata["uid"]), str(metadata["resourceVersion"])
        kind = self._kind("batch/v1", "Job")
        self.cluster.delete(kind, metadata["namespace"], metadata["name"], uid=uid, resource_version=version)

    def report(self, job: JsonObject) -> PushJobReport | None:
        """The last word of its last pod that said one."""
        uid = job["metadata"]["uid"]
        said = [
            (when, report)
            for pod in self._pods(str(job["metadata"]["namespace"]))
            if any(owner.get("uid") == uid for owner in pod["metadata"].get("ownerReferences") or ())
            for when, report in _last_words(pod)
        ]
        return max(said, key=lambda one: one[0])[1] if said else None

    def known(self, namespace: str) -> Mapping[tuple[str, str], str]:
        """Where each target stood when a Job of this namespace last said so, by URL and ref. Raises ProviderError."""
        newest: dict[tuple[str, str], tuple[str, str]] = {}
        for pod in self._pods(namespace):
            for when, report in _last_words(pod):
                target = push_job_target(pod["metadata"])
                if report.commit is not None and when >= newest.get(target, ("", ""))[0]:
                    newest[target] = when, report.commit
        return {target: commit for target, (_, commit) in newest.items()}

    def _pods(self, namespace: str) -> list[JsonObject]:
        place = KubernetesListScope(self._kind("v1", "Pod"), namespace)
        answer = self.cluster.list([place])[place]
        if isinstance(answer, ProviderError):
            raise answer
        return [pod for pod in answer if LABEL in (pod["metadata"].get("labels") or {})]

    def _kind(self, api_version: str, kind: str) -> ServedKubernetesKind:
        found = self.cluster.kind(api_version, kind)
        if found is None:
            raise PermanentError(f"the cluster does not serve {kind}")
        return found


def kubernetes_job_end(job: JsonObject) -> str:
    """How a Kubernetes Job ended, from its conditions: `Complete` or `Failed` with its reason; "" while it runs."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition.get("status") == "True" and condition.get("type") in ("Complete", "Failed"):
            return f"{condition['type']} {condition.get('reason') or ''}".strip()
    return ""


def _last_words(pod: JsonObject) -> Iterator[tuple[str, PushJobReport]]:
    """When the container of ours ended, and what it said."""
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        terminated = (status.get("state") or {}).get("terminated") or {}
        if status.get("name") == CONTAINER and (report := parse_push_job_report(terminated.get("message"))):
            yield str(terminated.get("finishedAt") or ""), report
