"""Clean-ups on demand: the Retentions of a selection, narrowed by the words of a command (spec 02, S24).

A command may only narrow what the configuration selects. One run that is named is the exception that its name makes: it
may be young, and among those that stay.
"""

from __future__ import annotations

from dataclasses import replace

from planner.app.resource_filters import is_retention_of_kind
from planner.app.session import Session
from planner.dataclass import dataclass
from planner.duration import render_duration
from planner.errors import SelectionError
from planner.resource import Resource
from planner.values import JsonObject
from providers.kubernetes.operations.retention_choice import RetentionRule

RUNS, VOLUMES = "PipelineRun", "PersistentVolume"


@dataclass(frozen=True, slots=True)
class RetentionCleanupLimits:
    """What one command narrows a Retention to: least age in minutes, most deletions, the name of one object."""

    min_age_minutes: int | None = None
    limit: int | None = None
    name: str = ""

    @property
    def words(self) -> str:
        """The same as options, in front of a blank each."""
        pairs = (
            ("--min-age-minutes", self.min_age_minutes),
            ("--limit", self.limit),
            ("--pipeline-run", self.name or None),
        )
        return "".join(f" {option} {value}" for option, value in pairs if value is not None)


def narrow_retentions(session: Session, kind: str, words: RetentionCleanupLimits) -> tuple[Resource, ...]:
    """The resources of the session, their Retentions of `kind` narrowed. Raises SelectionError for words that would
    delete more than the configuration says, and where there is nothing that they could be about."""
    resources = session.stack.resources
    wanted = [one for one in resources if is_retention_of_kind(kind)(one)]
    if not wanted:
        raise SelectionError(
            f"nothing here says which {kind}s may go", where=_lanes(session), remedy="declare `retention` for the lane"
        )
    fitting = _of_name(wanted, words.name) if words.name else wanted
    if not fitting:
        prefixes = ", ".join(sorted({_prefix(one) for one in wanted}))
        raise SelectionError(
            f"{words.name} belongs to none of these lanes",
            where="--pipeline-run",
            remedy=f"names begin with {prefixes}",
        )
    made = {one.address: replace(one, manifest=_narrow(one, words)) for one in fitting}
    dropped = {one.address for one in wanted} - made.keys()
    return tuple(made.get(one.address, one) for one in resources if one.address not in dropped)


def _of_name(wanted: list[Resource], name: str) -> list[Resource]:
    """The Retentions that an object of this name is subject to: of two prefixes the longer one says what it is."""
    fitting = [one for one in wanted if name.startswith(_prefix(one))]
    longest = max((len(_prefix(one)) for one in fitting), default=0)
    return [one for one in fitting if len(_prefix(one)) == longest]


def _lanes(session: Session) -> str:
    return ", ".join((*session.stack.nodes, *session.stack.lanes))


def _prefix(retention: Resource) -> str:
    return str(retention.manifest["spec"]["selector"].get("namePrefix") or "")


def _narrow(retention: Resource, words: RetentionCleanupLimits) -> JsonObject:
    spec = dict(retention.manifest["spec"])
    if words.name:
        spec |= {"selector": {**spec["selector"], "name": words.name}, "minAge": "0s", "keep": 0}
    rule = RetentionRule.of(spec)
    if (minutes := words.min_age_minutes) is not None:
        kept = f"{minutes}, and what ended less than {render_duration(rule.min_age)} ago stays"
        _refuse(retention, "--min-age-minutes", kept, when=minutes * 60 < rule.min_age)
        spec["minAge"] = f"{minutes}m"
    if words.limit is not None:
        _refuse(retention, "--limit", f"{words.limit}, and at most {rule.limit} go", when=words.limit > rule.limit)
        spec["limit"] = words.limit
    return {**retention.manifest, "spec": spec}


def _refuse(retention: Resource, option: str, said: str, *, when: bool) -> None:
    if when:
        raise SelectionError(
            f"{option} {said}: {retention.address.local}",
            where=str(retention.source),
            remedy="a command may only narrow what the configuration selects: change it there",
        )
