"""Commands that migrate a database: how often they run, and that no undo brings back the data. Pure.

A migration is known by its words (`migrate`, `migration` in the name, the command or the arguments): nothing else says
what a command does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from planner.address import Address
from planner.graph.resource_index import map_or_empty, maps_or_empty, pod_spec, text_or_empty
from planner.plan import Action, Change, SideEffect, SideEffectKind
from planner.resource import Resource
from planner.side_effects.pod_disruptions import restarts_pods
from planner.values import JsonObject, JsonValue

_WORDS = re.compile(r"(?<![a-z])migrat(?:e|es|ion|ions)(?![a-z])", re.IGNORECASE)
_BACKUP = re.compile(r"backup|pg_?dump|mysqldump", re.IGNORECASE)
_MAKES = (Action.CREATE, Action.REPLACE)


def effects_of_database_migrations(
    changes: Sequence[Change], resources: Mapping[Address, Resource]
) -> Iterator[SideEffect]:
    """Side effects of commands and Jobs that migrate a database: for each command of the plan how often it runs, and
    for each migration that data is at stake."""
    for change in changes:
        spec = map_or_empty((change.desired or {}).get("spec"))
        if (change.address.kind, change.address.group) == ("PodExec", ""):
            if change.action is Action.RUN:
                yield SideEffect(change.address, SideEffectKind.RUN, _how_often(spec))
                if _migrates(change.address.name, _words(spec.get("command"))):
                    yield _at_stake(change.address, text_or_empty(spec.get("target")), resources)
        elif _is_job(change) and _job_migrates(change):
            yield _at_stake(change.address, "", resources)
        elif change.action is not Action.CREATE and restarts_pods(change) and (names := _init_containers(change)):
            reported = f"the init container {names[0]} runs with each start of a pod, before its service"
            yield SideEffect(change.address, SideEffectKind.RUN, reported)
            yield _at_stake(change.address, "", resources)


def _how_often(spec: JsonObject) -> str:
    container = text_or_empty(spec.get("container"))
    if spec.get("oncePerImage") is True:
        image = f"once for each image that the container {container} really runs (imageID)"
        return f"{image}: one that ran it is not run again"
    return f"in the container {container}, once for each value of oncePer"


def _is_job(change: Change) -> bool:
    return (change.address.kind, change.address.group) == ("Job", "batch") and change.action in _MAKES


def _job_migrates(change: Change) -> bool:
    found = pod_spec(change.desired or {})
    containers = maps_or_empty(found[1].get("containers")) if found else []
    words = [word for one in containers for key in ("command", "args") for word in _words(one.get(key))]
    return _migrates(change.address.name, words)


def _init_containers(change: Change) -> list[str]:
    found = pod_spec(change.desired or {})
    containers = maps_or_empty(found[1].get("initContainers")) if found else []
    named = (
        (text_or_empty(one.get("name")), [*_words(one.get("command")), *_words(one.get("args"))]) for one in containers
    )
    return [name for name, words in named if _migrates(name, words)]


def _words(value: JsonValue) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _migrates(name: str, command: Sequence[str]) -> bool:
    return any(_WORDS.search(word) for word in (name, *command))


def _at_stake(address: Address, target: str, resources: Mapping[Address, Resource]) -> SideEffect:
    namespace = address.namespace or (target.split("/")[1] if target.count("/") == 2 else "")
    said = [
        f"{other.local} ({_when(resources[other].manifest)})"
        for other in sorted(resources)
        if (other.kind, other.namespace) == ("CronJob", namespace) and _BACKUP.search(other.name)
    ]
    known = f"backups are made by {', '.join(said)}" if said else "no CronJob for backups is declared beside it"
    reported = (
        f"a migration may change or drop data of its database; neither undo nor an older image restores it; {known}"
    )
    return SideEffect(address, SideEffectKind.LOSS, reported)


def _when(manifest: JsonObject) -> str:
    spec = map_or_empty(manifest.get("spec"))
    if spec.get("suspend") is True:
        return "suspended"
    return f"schedule {text_or_empty(spec.get('schedule')) or 'unknown'}"
