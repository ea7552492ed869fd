"""Has a Job push in our place, and says what became of it. Safe to call again: the same push is the same Job.

What counts is the ref, read from here; only where the target can be reached from the cluster alone, the Job's last word
does. A Job that has ended without delivering is taken away and made anew by the next apply, never within one.
"""

from __future__ import annotations

from planner.address import Address
from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError
from planner.plan import Change
from planner.ports import Readiness, Written
from planner.unconfirmed_push_recheck import PARTIAL, RECOVERED
from planner.values import JsonObject
from providers.git.git_client import GitClient
from providers.git.git_failures import GitCommandFailed
from providers.git.git_ref_reader import ParsedGitRefSpec, ref_outputs
from providers.git.kubernetes_push_jobs import KubernetesPushJobs, kubernetes_job_end
from providers.git.object_cache import ObjectCache
from providers.git.push_job_manifest_and_report import PushJobReport, build_push_job
from providers.git.push_ref import RefPush, planned_push, push_ref


@dataclass(frozen=True, slots=True)
class PushJob:
    """One push, and the Job that makes it."""

    jobs: KubernetesPushJobs
    address: Address
    push: RefPush

    @property
    def job(self) -> JsonObject:
        """The Job as it is wanted."""
        return build_push_job(self.address, self.push.wish, self.push.old, self.push.new)

    def now(self) -> str | None:
        """Where the target stands, None where that cannot be read from here. Raises GitCommandFailed."""
        return None if self.push.wish.target.hidden else self.push.now()


def start_push_job(
    change: Change, wish: ParsedGitRefSpec, client: GitClient, objects: ObjectCache, jobs: KubernetesPushJobs
) -> Written:
    """Start the Job of a change, or find it started.

    Raises PreconditionError when the target is not where the plan saw it, and what the cluster raises.
    """
    one = PushJob(jobs, change.address, planned_push(change, wish, client, objects))
    push = one.push
    now = one.now()
    if now == push.new:
        return _written("", push, already=True)
    if now not in (push.old, None):
        raise push.moved(str(now))
    live = jobs.make(one.job)
    if jobs.cluster.simulated:
        return push_ref(change, wish, client, objects)  # a sandbox runs no script: its part is played
    if kubernetes_job_end(live):
        if _delivered(one, live):
            return _written(str(live["metadata"]["uid"]), push, already=True)
        jobs.remove(live)
        live = jobs.make(one.job)
    return _written(str(live["metadata"]["uid"]), push)


def push_job_readiness(
    change: Change, wish: ParsedGitRefSpec, client: GitClient, objects: ObjectCache, jobs: KubernetesPushJobs
) -> Readiness:
    """Whether the Job has ended, and the target stands where it should."""
    one = PushJob(jobs, change.address, planned_push(change, wish, client, objects))
    metadata = one.job["metadata"]
    name = f"Job.batch/{metadata['namespace']}/{metadata['name']}"
    live = jobs.look(metadata["namespace"], metadata["name"])
    if live is not None and not kubernetes_job_end(live) and not jobs.cluster.simulated:
        return Readiness(done=False, ok=False, message=f"{name} {_doing(live)}")
    if one.now() == one.push.new:
        return _done(one, live)
    if live is None:
        return Readiness(done=True, ok=False, message=f"{name} is gone, and its push was not made")
    report = _report(one, live)
    if one.push.wish.target.hidden and report and report.delivered and report.commit == one.push.new:
        return _done(one, live)
    said = report.sentence if report else f"it ended ({kubernetes_job_end(live)}), and its pod left no word"
    at = f"kubectl -n {metadata['namespace']} logs job/{metadata['name']}"
    return Readiness(done=True, ok=False, message=f"{name}: {said} ({at})")


def _doing(live: JsonObject) -> str:
    if (live.get("status") or {}).get("ready"):
        return "runs"
    metadata = live["metadata"]
    return f"waits for its pod (kubectl -n {metadata['namespace']} get pods -l job-name={metadata['name']})"


def _delivered(one: PushJob, live: JsonObject) -> bool:
    """Whether a Job that has ended did what it was made for: it may have ended since we looked."""
    try:
        now = one.now()
    except GitCommandFailed:
        now = None
    if now is not None:
        return now == one.push.new
    report = _report(one, live)
    return report is not None and report.delivered and report.commit == one.push.new


def _done(one: PushJob, live: JsonObject | None) -> Readiness:
    """The ref stands where it should, with what happened on the way (spec 02, S16)."""
    report = _report(one, live) if live else None
    partly = report is not None and (report.partial or report.result == "push-succeeded-fetch-failed")
    reported = ref_outputs(one.push.new, in_sync=True, distance=None)
    return Readiness(done=True, ok=True, outputs=reported, warnings=(PARTIAL, RECOVERED) if partly else ())


def _report(one: PushJob, live: JsonObject) -> PushJobReport | None:
    """The last word of a Job; None where there is none, or where pods may not be read."""
    try:
        return one.jobs.report(live)
    except ProviderError:
        return None


def _written(uid: str, push: RefPush, *, already: bool = False) -> Written:
    return Written(uid, ref_outputs(push.new, in_sync=True, distance=None), already)


def push_jobs_of_connected_cluster(jobs: KubernetesPushJobs | None) -> KubernetesPushJobs:
    """The Jobs of the connected cluster. Raises PermanentError where there is no cluster."""
    if jobs is None:
        raise PermanentError("`via: job` needs a cluster", remedy="name one, or write `via: direct`")
    return jobs
