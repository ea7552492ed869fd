"""From what was seen to what will happen: observations and previews of GitHead and GitRef. Pure.

The rule of every mode is here: a ref is created, moves forward along the history of what it stands on, or is blocked.
"""

from __future__ import annotations

from dataclasses import replace

from planner.address import Address
from planner.errors import PermanentError
from planner.plan import FieldChange, FieldOp
from planner.ports import AbsentObject, Observation, PresentObject, Preview, PreviewEffect, UnreadableObject
from planner.resource import Resource
from providers.git.checked_names import short_commit
from providers.git.git_ref_reader import ObservedRefAndOrigin, ParsedGitRefSpec, ref_outputs
from providers.git.push_job_manifest_and_report import build_push_job


def observation_of_git_head(address: Address, look: ObservedRefAndOrigin) -> Observation:
    """Make the observation of a GitHead from the branch as it was read, or why it was not. A branch that is not there
    is a PresentObject without a token, and blocked later: it is data that others take, so that "absent" would read as
    "will be created"."""
    if look.unreadable:
        return UnreadableObject(address, look.unreadable)
    if not look.now:
        return PresentObject(address, uid="", content="")
    return PresentObject(
        address, "", look.now, {"commit": look.now}, outputs={"commit": look.now, "short": short_commit(look.now)}
    )


def preview_read_only_git_head(resource: Resource, look: ObservedRefAndOrigin) -> Preview:
    """The preview of a GitHead, which only reads: nothing to do, or blocked."""
    if look.refused:
        return Preview(PreviewEffect.NONE, blocked=look.refused.message, remedy=look.refused.remedy)
    if look.missing:
        return Preview(
            PreviewEffect.NONE, blocked=look.missing, remedy="name a commit that the branch has gone through"
        )
    if not look.now:
        spec = resource.manifest["spec"]
        return Preview(
            PreviewEffect.NONE,
            blocked=f"there is no branch {spec['branch']} at the remote",
            remedy="check the branch and the remote: a GitHead only reads",
        )
    return Preview(PreviewEffect.NONE)


def observation_of_git_ref(address: Address, look: ObservedRefAndOrigin) -> Observation:
    """Make the observation of a GitRef from the target as it was read: its object id is the version token."""
    if look.unreadable:
        return UnreadableObject(address, look.unreadable)
    if look.now is None:
        return PresentObject(address, uid="", content="")  # nobody looked: the document is refused, and blocked later
    if not look.now:
        return AbsentObject(address)
    in_sync = look.now == look.wanted
    return PresentObject(
        address,
        "",
        look.now,
        {"commit": look.now},
        outputs=ref_outputs(look.now, in_sync=in_sync, distance=look.distance),
    )


def preview_git_ref(look: ObservedRefAndOrigin) -> Preview:
    """What would happen to the target of a GitRef: created, moved forward, or blocked."""
    if look.refused or look.wish is None:
        refused = look.refused
        return Preview(
            PreviewEffect.UPDATE,
            blocked=refused.message if refused else "not looked at",
            remedy=refused.remedy if refused else "",
        )
    wish, now = look.wish, look.now or ""
    if now and now == look.wanted:
        return Preview(PreviewEffect.NONE)
    effect = PreviewEffect.UPDATE if now else PreviewEffect.CREATE
    if look.missing:
        return _missing(wish, look, effect)
    blocked, evidence, remedy = _forbidden(wish, look, now)
    warnings = (_UNREAD.format(wish.target.remote.shown),) if wish.target.hidden and not now else ()
    after = wish.origin.open or look.wanted
    change = FieldChange(("commit",), FieldOp.CHANGE if now else FieldOp.ADD, now or None, after)
    if blocked:
        return Preview(effect, (change,), expects=look.wanted, blocked=blocked, evidence=evidence, remedy=remedy)
    known = {"commit": look.wanted} if look.wanted else {}
    return Preview(effect, (change,), expects=look.wanted, outputs=known, warnings=warnings)


def add_push_job_to_preview(address: Address, wish: ParsedGitRefSpec, now: str, preview: Preview) -> Preview:
    """Add the Kubernetes Job that will push to the preview of a GitRef; blocked when its template makes none. Nothing
    is said about a Job whose name still depends on what other resources give."""
    if wish.origin.open or wish.target.open:
        return preview
    try:
        metadata = build_push_job(address, wish, now, preview.expects)["metadata"]
    except PermanentError as error:
        return replace(preview, blocked=error.message, remedy=error.remedy)
    name = f"Job.batch/{metadata['namespace']}/{metadata['name']}"
    return replace(preview, fields=(*preview.fields, FieldChange(("job",), FieldOp.ADD, None, name)))


_UNREAD = (
    "{} can be reached from the cluster alone, and no Job has said where the ref stands: it is planned as new; "
    "if it is there, the Job refuses and says so, and the next plan starts from that"
)


def _missing(wish: ParsedGitRefSpec, look: ObservedRefAndOrigin, effect: PreviewEffect) -> Preview:
    origin = wish.origin
    what = f"commit {origin.commit}" if origin.commit else origin.ref
    return Preview(
        effect,
        blocked=look.missing,
        evidence=f"{origin.remote.shown} has no {what}",
        remedy="sync that repository first, then plan again",
    )


def _forbidden(wish: ParsedGitRefSpec, look: ObservedRefAndOrigin, now: str) -> tuple[str, str, str]:
    """Why the target may not go there: reason, evidence, remedy; three times "" if it may."""
    if not now or wish.origin.open or (look.arriving and look.distance is None):
        return "", "", ""
    left_to_the_job = look.distance is None and (wish.target.hidden or wish.origin.hidden)
    stands = (
        f"{wish.target.remote.shown} {wish.target.ref} stands on {short_commit(now)}, "
        f"wanted is {short_commit(look.wanted)}"
    )
    if wish.creates_only:
        reason = "an immutable ref exists with another value" if wish.mode == "immutable" else "a tag is never moved"
        return reason, stands, "nothing moves it: use another name, or find out who made it"
    if left_to_the_job:
        return "", "", ""
    if look.distance is None:
        reason = "whether this is a fast-forward cannot be determined"
        return reason, f"{stands}; {look.uncompared}", "plan again when both repositories can be read"
    if not look.distance.behind:
        return "", "", ""
    apart = f"{stands}: {look.distance.ahead} ahead, {look.distance.behind} behind"
    if wish.mode == "mirror":
        reason = "the upstream was force-pushed or rewound, or the mirror has commits of its own"
        return (
            reason,
            apart,
            "a push is never forced: settle upstream which history holds, then move the mirror by hand",
        )
    reason = "the target has commits that the source has not" if look.distance.ahead == 0 else "the two have diverged"
    return reason, apart, "a push is never forced: bring the target's commits into the source first"
