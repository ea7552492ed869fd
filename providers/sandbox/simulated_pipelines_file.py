"""What the pipelines of a sandbox build and promote: a file made from the configuration, read by simulated runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from planner.dataclass import dataclass
from planner.values import JsonObject
from providers.canned_answers import read_canned_answers

FILE = "pipelines.yaml"
FAILURES = "failures.yaml"
_WORDS = ("namespace", "name", "repository", "branch", "catalog")
_HEAD = """\
# What runs of these pipelines come to in this sandbox (simulated: no container runs). Each service whose context
# changed gets a made-up image in registry/; a commit in `repository` has digests and manifests. Other runs succeed.
"""


@dataclass(frozen=True, slots=True, order=True)
class BuiltService:
    """A service: the repository of its image, and its folder in the source."""

    name: str
    image: str
    context: str


@dataclass(frozen=True, slots=True, order=True)
class PromotedManifests:
    """The manifests beside the catalog: keys of a ConfigMap, with words that stand for digest and commit ("": none).
    With a ConfigMap `services` (its `services.json`) the shipped scripts' rules say what is built and pinned."""

    config_map: str
    services: str = ""
    files: tuple[str, ...] = ()
    digest: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True, order=True)
class SimulatedPipeline:
    """A Pipeline and what its runs do. `repository` is a folder below `git/`, `catalog` a path in its `branch`; with no
    branch they only build. `manifests` has at most one item."""

    namespace: str
    name: str
    repository: str
    branch: str
    catalog: str
    services: tuple[BuiltService, ...]
    manifests: tuple[PromotedManifests, ...] = ()


def write_simulated_pipelines(path: Path, pipelines: Sequence[SimulatedPipeline]) -> None:
    """Write them. JSON is YAML, so nothing needs a YAML writer here."""
    rows = [f"  - {json.dumps(asdict(one), sort_keys=True)}" for one in sorted(set(pipelines))]
    path.write_text("\n".join([_HEAD + ("pipelines:" if rows else "pipelines: []"), *rows]) + "\n")


def read_simulated_pipelines(folder: Path) -> Mapping[tuple[str, str], SimulatedPipeline]:
    """The pipelines of the sandbox in `folder`, by namespace and name. Raises PermanentError for a damaged file."""
    return read_canned_answers(
        folder / FILE, "pipelines", _pipeline, fields="namespace, name, services, repository, branch"
    )


def _pipeline(row: JsonObject) -> tuple[tuple[str, str], SimulatedPipeline]:
    services = tuple(BuiltService(one["name"], one["image"], one["context"]) for one in row["services"])
    namespace, name, repository, branch, catalog = (str(row[key]) for key in _WORDS)
    manifests = tuple(PromotedManifests(**{**one, "files": tuple(one["files"])}) for one in row.get("manifests") or ())
    one = SimulatedPipeline(namespace, name, repository, branch, catalog, services, manifests)
    return (one.namespace, one.name), one


def read_simulated_failures(folder: Path) -> Mapping[str, str]:
    """What was made to fail: address -> the task of a run, or "". Raises PermanentError for a damaged file."""
    return read_canned_answers(
        folder / FAILURES, "failures", lambda row: (str(row["address"]), str(row.get("task") or "")), fields="address"
    )


def write_simulated_failures(folder: Path, failures: Mapping[str, str]) -> None:
    """Write what is to fail from now on."""
    rows = [f"  - {json.dumps({'address': address, 'task': task})}" for address, task in sorted(failures.items())]
    head = "# Made by `hwplan sandbox fail`: the effect of each of these addresses fails (simulated).\n"
    (folder / FAILURES).write_text("\n".join([head + ("failures:" if rows else "failures: []"), *rows]) + "\n")
