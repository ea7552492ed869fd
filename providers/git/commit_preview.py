"""From what was seen to what will happen: observation and preview of a GitCommit. Pure."""

from __future__ import annotations

from planner.address import Address
from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.plan import FieldChange, FieldOp
from planner.ports import AbsentObject, Observation, PresentObject, Preview, PreviewEffect, UnreadableObject
from planner.values import JsonObject
from providers.git.checked_names import short_commit
from providers.git.commit_maker import FileChange, ParsedGitCommitSpec


@dataclass(frozen=True, slots=True)
class ObservedCommitBranch:
    """The branch of a GitCommit as it was seen, with the commit that is wanted there. `tip` is where the branch stands,
    "" if there is none; `commit` the one that is wanted, "" where it is not known yet. `refused` is what is wrong with
    the document, `unreadable` why nobody could look."""

    wish: ParsedGitCommitSpec | None = None
    tip: str = ""
    commit: str = ""
    changes: tuple[FileChange, ...] = ()
    refused: PermanentError | None = None
    unreadable: str = ""


def outputs_of_git_commit(commit: str) -> JsonObject:
    """The outputs of a GitCommit whose branch stands on `commit`."""
    return {"commit": commit, "short": short_commit(commit)}


def observation_of_git_commit(address: Address, look: ObservedCommitBranch) -> Observation:
    """Make the observation of a GitCommit from the branch as it was read: its tip is the version token."""
    if look.unreadable:
        return UnreadableObject(address, look.unreadable)
    if look.refused is not None:
        return PresentObject(address, uid="", content="")  # nobody looked: blocked later
    if not look.tip:
        return AbsentObject(address)
    return PresentObject(address, "", look.tip, {"commit": look.tip}, outputs=outputs_of_git_commit(look.tip))


def preview_git_commit(look: ObservedCommitBranch) -> Preview:
    """What pushing the GitCommit would change, file by file; nothing when the branch has it."""
    if look.refused is not None or look.wish is None:
        refused = look.refused
        message, remedy = (refused.message, refused.remedy) if refused else ("not looked at", "")
        return Preview(PreviewEffect.UPDATE, blocked=message, remedy=remedy)
    if look.tip and look.commit == look.tip:
        return Preview(PreviewEffect.NONE)
    effect = PreviewEffect.UPDATE if look.tip else PreviewEffect.CREATE
    fields = tuple(_field(change) for change in look.changes)
    if not look.tip and not look.wish.create_branch:
        branch = look.wish.ref.removeprefix("refs/heads/")
        remedy = "check the branch and the remote, or set createBranch: true"
        blocked = f"{look.wish.remote.shown} has no branch {branch}"
        return Preview(effect, fields, blocked=blocked, remedy=remedy)
    known = outputs_of_git_commit(look.commit) if look.commit else {}
    return Preview(effect, fields, expects=look.commit, outputs=known)


def _field(change: FileChange) -> FieldChange:
    op = FieldOp.ADD if change.before is None else FieldOp.REMOVE if change.after is None else FieldOp.CHANGE
    return FieldChange(("files", change.path), op, change.before, change.after)
