"""Has a Job push in our place, and tells what became of it. Safe to call again: the same push is the same Job.

What counts is the ref, read from here; only where the target can be reached from the cluster alone, the Job's last word
does. A Job that has ended without delivering is taken away and made anew by the next apply, never within one.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.address import Address
from planner.errors import PermanentError, ProviderError
from planner.plan import Change
from planner.ports import Readiness, Written
from planner.values import JsonObject
from providers.git.client import GitClient
from providers.git.failures import GitFailed
from providers.git.job import Report, job_of
from providers.git.jobs import Jobs, ended
from providers.git.looking import Wish, outputs
from providers.git.objects import Objects
from providers.git.pushing import PARTIAL, RECOVERED, Push, move, push_of


@dataclass(frozen=True, slots=True)
class Delegation:
    """One push, and the Job that makes it."""

    jobs: Jobs
    address: Address
    push: Push

    @property
    def job(self) -> JsonObject:
        """The Job as it is wanted."""
        return job_of(self.address, self.push.wish, self.push.old, self.push.new)

    def now(self) -> str | None:
        """Where the target stands, None where that cannot be read from here. Raises GitFailed."""
        return None if self.push.wish.target.hidden else self.push.now()


def delegate(change: Change, wish: Wish, client: GitClient, objects: Objects, jobs: Jobs) -> Written:
    """Start the Job of a change, or find it started.

    Raises PreconditionError when the target is not where the plan saw it, and what the cluster raises.
    """
    one = Delegation(jobs, change.address, push_of(change, wish, client, objects))
    push = one.push
    now = one.now()
    if now == push.new:
        return _written("", push, already=True)
    if now not in (push.old, None):
        raise push.moved(str(now))
    live = jobs.make(one.job)
    if jobs.cluster.simulated:
        return move(change, wish, client, objects)  # a sandbox runs no script: its part is played
    if ended(live):
        if _delivered(one, live):
            return _written(str(live["metadata"]["uid"]), push, already=True)
        jobs.remove(live)
        live = jobs.make(one.job)
    return _written(str(live["metadata"]["uid"]), push)


def look_after(change: Change, wish: Wish, client: GitClient, objects: Objects, jobs: Jobs) -> Readiness:
    """Whether the Job has ended, and the target stands where it should."""
    one = Delegation(jobs, change.address, push_of(change, wish, client, objects))
    metadata = one.job["metadata"]
    name = f"Job.batch/{metadata['namespace']}/{metadata['name']}"
    live = jobs.look(metadata["namespace"], metadata["name"])
    if live is not None and not ended(live) and not jobs.cluster.simulated:
        return Readiness(done=False, ok=False, message=f"{name} {_doing(live)}")
    if one.now() == one.push.new:
        return _done(one, live)
    if live is None:
        return Readiness(done=True, ok=False, message=f"{name} is gone, and its push was not made")
    report = _report(one, live)
    if one.push.wish.target.hidden and report and report.delivered and report.commit == one.push.new:
        return _done(one, live)
    said = report.sentence if report else f"it ended ({ended(live)}), and its pod left no word"
    at = f"kubectl -n {metadata['namespace']} logs job/{metadata['name']}"
    return Readiness(done=True, ok=False, message=f"{name}: {said} ({at})")


def _doing(live: JsonObject) -> str:
    if (live.get("status") or {}).get("ready"):
        return "runs"
    metadata = live["metadata"]
    return f"waits for its pod (kubectl -n {metadata['namespace']} get pods -l job-name={metadata['name']})"


def _delivered(one: Delegation, live: JsonObject) -> bool:
    """Whether a Job that has ended did what it was made for: it may have ended since we looked."""
    try:
        now = one.now()
    except GitFailed:
        now = None
    if now is not None:
        return now == one.push.new
    report = _report(one, live)
    return report is not None and report.delivered and report.commit == one.push.new


def _done(one: Delegation, live: JsonObject | None) -> Readiness:
    """The ref stands where it should, with what happened on the way (spec 02, S16)."""
    report = _report(one, live) if live else None
    partly = report is not None and (report.partial or report.result == "push-succeeded-fetch-failed")
    told = outputs(one.push.new, in_sync=True, distance=None)
    return Readiness(done=True, ok=True, outputs=told, warnings=(PARTIAL, RECOVERED) if partly else ())


def _report(one: Delegation, live: JsonObject) -> Report | None:
    """The last word of a Job; None where there is none, or where pods may not be read."""
    try:
        return one.jobs.report(live)
    except ProviderError:
        return None


def _written(uid: str, push: Push, *, already: bool = False) -> Written:
    return Written(uid, outputs(push.new, in_sync=True, distance=None), already)


def needs_jobs(jobs: Jobs | None) -> Jobs:
    """The Jobs of the cluster. Raises PermanentError where there is no cluster."""
    if jobs is None:
        raise PermanentError("`via: job` needs a cluster", remedy="name one, or write `via: direct`")
    return jobs
