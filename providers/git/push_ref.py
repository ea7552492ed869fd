"""Moves one ref: reads both sides fresh, pushes, and reads again. Safe to call again after a crash or a lost answer.

Every push has a lease on the value that the plan saw, and is made only once it is known that what is pushed descends
from it: whoever comes second is refused, and no commit of another is ever overwritten. What became of a push is
determined by reading the ref, not by what git said last."""

from __future__ import annotations

from dataclasses import replace

from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, TemporaryError
from planner.plan import Change, Precondition
from planner.ports import Written
from planner.unconfirmed_push_recheck import PARTIAL, RECOVERED
from providers.git import push_output
from providers.git.checked_names import check_commit_id, short_commit
from providers.git.git_client import GitClient
from providers.git.git_failures import GitCommandFailed, is_transient_git_failure, may_have_pushed
from providers.git.git_ref_reader import ParsedGitRefSpec, find_commit_of_ref, is_missing_commit, ref_outputs
from providers.git.object_cache import ObjectCache
from providers.git.push_output import PushStatus
from providers.git.remotes import GitRemoteUrls


@dataclass(frozen=True, slots=True)
class RefPush:
    """One ref on its way from `old` ("" if it is to be created) to `new`."""

    wish: ParsedGitRefSpec
    client: GitClient
    objects: ObjectCache
    old: str
    new: str

    @property
    def target(self) -> GitRemoteUrls:
        """Where it is pushed to."""
        return self.wish.target.remote

    def now(self, *, patiently: bool = True) -> str:
        """Where the ref stands this moment; "" if there is none. Raises GitCommandFailed."""
        return self.client.list_refs(self.target, patiently=patiently).get(self.wish.target.ref, "")

    def moved(self, now: str) -> PreconditionError:
        """The ref is neither as the plan saw it nor as it shall be."""
        stands = f"stands on {short_commit(now)}" if now else "is not there"
        seen = short_commit(self.old) if self.old else "absent"
        return PreconditionError(
            f"{self.target.shown} {self.wish.target.ref} {stands}; "
            f"the plan saw {seen} and wanted {short_commit(self.new)}"
        )


def push_ref(
    change: Change, wish: ParsedGitRefSpec, client: GitClient, objects: ObjectCache, *, ours: str = ""
) -> Written:
    """Make the target stand on the wanted commit, starting from what the plan saw, or from `ours`: the commit that
    another change of the same plan has pushed there ("" if none has).

    Raises PreconditionError when it is somewhere else, PermanentError when it may not go there or the server refuses,
    TemporaryError when another push may be under way, OutcomeUnknown when the answer was lost.
    """
    push = planned_push(change, wish, client, objects)
    now = push.now()
    if now == push.new:
        return _written(push, already=True)
    if now != push.old and now != ours:
        raise push.moved(now)
    push = replace(push, old=now)
    _allow(push)
    return _until_told(push)


def planned_push(change: Change, wish: ParsedGitRefSpec, client: GitClient, objects: ObjectCache) -> RefPush:
    """What is to be pushed, as the plan saw and wanted it. Raises ProviderError where the source lost it since."""
    return RefPush(wish, client, objects, _seen(change.precondition), _wanted(change, wish, client))


def _seen(precondition: Precondition) -> str:
    return "" if precondition.absent else check_commit_id(precondition.content)


def _wanted(change: Change, wish: ParsedGitRefSpec, client: GitClient) -> str:
    """The commit of the plan; only where it could not be known then, the one of now."""
    if change.expects:
        return check_commit_id(change.expects)
    if wish.origin.commit:
        return wish.origin.commit
    found = find_commit_of_ref(client.list_refs(wish.origin.remote), wish.origin.ref, wish.target.ref)
    if not found:
        raise PermanentError(f"source-snapshot-missing: {wish.origin.remote.shown} has no {wish.origin.ref}")
    return found


def _allow(push: RefPush) -> None:
    """Bring the objects, and check the rule of the mode against what the plan saw."""
    try:
        push.objects.bring(push.wish.origin.remote, push.new, push.wish.origin.ref)
        if push.old and not push.wish.creates_only:
            push.objects.bring(push.target, push.old, push.wish.target.ref)
    except GitCommandFailed as error:
        if not is_missing_commit(error):
            raise
        raise PreconditionError(
            f"source-snapshot-missing: {push.wish.origin.remote.shown} no longer has {short_commit(push.new)}",
            remedy="plan again: the source was rewritten since",
        ) from None
    if push.old and push.wish.creates_only:
        raise PermanentError(f"{push.wish.target.ref} exists with another value, and is never moved")
    if push.old and push.objects.is_ancestor(push.old, push.new) is not True:
        raise PermanentError(
            f"{push.wish.target.ref}: {short_commit(push.new)} is no descendant of {short_commit(push.old)}",
            remedy="a push is never forced: bring the target's commits into the source first",
        )


def _until_told(push: RefPush) -> Written:
    """Push until it is known what became of it: again only when an ssh connection failed and the ref has not moved."""
    repository = push.objects.bring(push.wish.origin.remote, push.new)
    tries = 0
    while True:
        tries += 1
        try:
            reported = push.client.push(push.target, repository, push.new, push.wish.target.ref, lease=push.old)
        except GitCommandFailed as error:
            now = _read_after(push, error)
            if now == push.new:
                return _written(push, warnings=("the answer to the push was lost; reading showed that it succeeded",))
            if now != push.old:
                raise push.moved(now) from None
            _give_up(push, error, tries)
            push.client.sleep(push.target.retry.pause(tries))
        else:
            return _settle(push, reported)


def _read_after(push: RefPush, error: GitCommandFailed) -> str:
    """Where the ref stands after a push that failed. Raises OutcomeUnknown when that cannot be read either."""
    try:
        return push.now()
    except GitCommandFailed as again:
        if not may_have_pushed(error.kind):
            raise again from None
        raise OutcomeUnknown(f"the answer to the push was lost, and then: {again.message}") from None


def _give_up(push: RefPush, error: GitCommandFailed, tries: int) -> None:
    """Return if another try is allowed. A push whose connection was lost may still be at work at the server."""
    again = push.target.url.scheme == "ssh" and is_transient_git_failure(error.kind)
    if again and tries < push.target.retry.attempts:
        return
    failed = GitCommandFailed(push.target.shown, error.kind, tries=tries, exhausted=again)
    if may_have_pushed(error.kind):
        raise OutcomeUnknown(failed.message, where=failed.where, remedy=failed.remedy)
    raise failed


def _settle(push: RefPush, reported: push_output.PushResult) -> Written:
    """What follows from what git said about the ref."""
    match reported.fate:
        case PushStatus.UPDATED | PushStatus.SAME:
            return _confirm(push, already=reported.fate is PushStatus.SAME)
        case PushStatus.MOVED | PushStatus.BUSY | PushStatus.REFUSED:
            now = push.now()
            if now == push.new:
                return _written(push, already=True)
            if now != push.old:
                raise push.moved(now)
            if reported.fate is PushStatus.MOVED:  # git compared with a listing that the server did not give whole
                raise TemporaryError(
                    f"{push.target.shown} answered the push with a list of refs that is not its own: "
                    f"{push.wish.target.ref} stands where the plan saw it",
                    remedy="apply again; if it stays so, look at the server or at what stands in front of it",
                )
            failure = TemporaryError if reported.fate is PushStatus.BUSY else PermanentError
            raise failure(f"{push.target.shown} {push.wish.target.ref}: {reported.why}")
        case PushStatus.FORCED | PushStatus.SILENT:
            raise PermanentError(f"{push.target.shown} {push.wish.target.ref}: git did what it was not asked to do")


def _confirm(push: RefPush, *, already: bool) -> Written:
    """Read the ref once more, and once again if that fails (spec 02, S16)."""
    warnings: tuple[str, ...] = ()
    try:
        now = push.now(patiently=False)
    except GitCommandFailed:
        try:
            now = push.now()
        except GitCommandFailed as error:
            raise OutcomeUnknown(f"{PARTIAL}: {error.message}", where=error.where) from None
        warnings = (PARTIAL, RECOVERED)
    if now != push.new:
        raise PreconditionError(
            f"{push.target.shown} {push.wish.target.ref} was pushed to {short_commit(push.new)} "
            "and has been moved on since"
        )
    return _written(push, already=already, warnings=warnings)


def _written(push: RefPush, *, already: bool = False, warnings: tuple[str, ...] = ()) -> Written:
    return Written("", ref_outputs(push.new, in_sync=True, distance=None), already, warnings)
