"""What a lane consists of, from its resources and their roles: which object feeds which line of the status.

A role is the annotation `hwplan.dev/role`; a hwplan kind that has none feeds the line of its kind. No name of a product
is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field

from planner.address import is_hwplan_kind
from planner.dataclass import dataclass
from planner.resource import Resource
from planner.rollout.ci_build_benchmark_verdict import LABEL
from planner.values import Json, JsonObject, OutputRef, substitute_outputs

SHORT = 12  # digits of a short commit id (decision B8)
_ROLE_OF_KIND = {
    "GitHead": "source",
    "GitRef": "mirror",
    "PipelineRun": "pipelinerun",
    "ArgoSync": "argo",
    "HttpProbe": "probe",
}
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True, slots=True)
class LaneRunLocation:
    """Where runs of the lane are: namespace, Pipeline ("" for any), and the profile of the benchmark whose runs
    they are ("" for none: a benchmark is no rollout)."""

    namespace: str
    pipeline: str = ""
    benchmark: str = ""


@dataclass(frozen=True, slots=True)
class LaneParts:
    """The parts of a lane. `heads` are specs of GitHead, `snapshots` and `flows` of GitRef (`flows` go back to the
    upstream), `probes` of HttpProbe, each with its name; `run_names` are those of declared runs, with the outputs that
    they take, `evidence` what the runs of a Pipeline have to show, by its name; `plain_hosts` are registries that are
    spoken to without TLS, `image_hosts` all that the declared images go to."""

    heads: tuple[tuple[str, JsonObject], ...] = ()
    snapshots: tuple[tuple[str, JsonObject], ...] = ()
    flows: tuple[tuple[str, JsonObject], ...] = ()
    runs: tuple[LaneRunLocation, ...] = ()
    run_names: tuple[Json, ...] = ()
    evidence: Mapping[str, JsonObject] = field(default_factory=dict)
    applications: tuple[tuple[str, str], ...] = ()
    workloads: tuple[Resource, ...] = ()
    probes: tuple[tuple[str, JsonObject], ...] = ()
    plain_hosts: frozenset[str] = field(default_factory=frozenset)
    image_hosts: frozenset[str] = field(default_factory=frozenset)


def lane_parts(resources: Iterable[Resource], belongs: Callable[[Resource], bool] = lambda _: True) -> LaneParts:
    """The parts of a lane. `belongs` is false for refs of other lanes."""
    mine = [one for one in resources if belongs(one)]
    images = [one.manifest["spec"] for one in mine if _is(one, "RegistryImage")]
    refs = [one for one in mine if _is(one, "GitRef") and status_role(one) in ("mirror", "source")]
    return LaneParts(
        heads=tuple(_named(one) for one in mine if _is(one, "GitHead") and status_role(one) == "source"),
        snapshots=tuple(_named(one) for one in refs if one.manifest["spec"].get("mode") == "immutable"),
        flows=tuple(_named(one) for one in refs if _flows_back(one.manifest["spec"])),
        runs=tuple(dict.fromkeys(place for one in mine for place in _run_places(one))),
        run_names=tuple(_metadata(one).get("name") for one in mine if _is(one, "PipelineRun") and _is_rollout(one)),
        evidence=dict(found for one in mine for found in _evidence(one)),
        applications=tuple(dict.fromkeys(name for one in mine for name in _applications(one))),
        workloads=tuple(one for one in mine if status_role(one) == "runtime" and one.address.kind in WORKLOADS),
        probes=_probes(one for one in mine if _is(one, "HttpProbe") and status_role(one) == "probe"),
        plain_hosts=frozenset(_host(spec["target"]) for spec in images if spec.get("targetInsecure") is True),
        image_hosts=frozenset(_host(spec["target"]) for spec in images),
    )


def _flows_back(spec: JsonObject) -> bool:
    """Whether a branch follows another one. The flush of a rollout, of one commit, goes to the same branch."""
    return spec.get("mode") == "fast-forward" and "ref" in spec["from"]


def _probes(found: Iterable[Resource]) -> tuple[tuple[str, JsonObject], ...]:
    """Each URL once for each role: a rollout asks what the gate asks."""
    first: dict[tuple[object, object], tuple[str, JsonObject]] = {}
    for one in found:
        spec = one.manifest["spec"]
        first.setdefault((spec.get("url"), spec.get("role")), _named(one))
    return tuple(first.values())


def status_role(resource: Resource) -> str:
    """The line of the status that a resource feeds; "" for none."""
    own = is_hwplan_kind(resource.api_version)
    return resource.options.role or (_ROLE_OF_KIND.get(resource.address.kind, "") if own else _foreign_role(resource))


def _foreign_role(resource: Resource) -> str:
    match resource.address.kind, resource.address.group:
        case "Pipeline", "tekton.dev":
            return "pipelinerun"
        case "Application", "argoproj.io":
            return "argo"
        case _:
            return ""


def _is(resource: Resource, kind: str) -> bool:
    return is_hwplan_kind(resource.api_version) and resource.address.kind == kind


def _named(resource: Resource) -> tuple[str, JsonObject]:
    return resource.address.name, resource.manifest["spec"]


def _run_places(resource: Resource) -> list[LaneRunLocation]:
    address = resource.address
    if status_role(resource) != "pipelinerun":
        return []
    if (address.kind, address.group) == ("Pipeline", "tekton.dev"):
        return [LaneRunLocation(address.namespace, address.name)]
    if _is(resource, "PipelineRun"):
        manifest = resource.manifest["spec"]["manifest"]
        pipeline = (manifest["spec"].get("pipelineRef") or {}).get("name")
        return [LaneRunLocation(str(manifest["metadata"]["namespace"]), pipeline if isinstance(pipeline, str) else "")]
    return []


def _metadata(run: Resource) -> JsonObject:
    found: JsonObject = run.manifest["spec"]["manifest"]["metadata"]
    return found


def _is_rollout(run: Resource) -> bool:
    """Whether a declared run is of the rollout, and of no benchmark."""
    return status_role(run) == "pipelinerun" and LABEL not in (_metadata(run).get("labels") or {})


def expected_run_name(subjects: LaneParts, commit: str) -> str:
    """The name of the run that a rollout of a commit has or would have; "" where that is not declared, or twice."""
    names = [fill_git_head_outputs({"name": name}, commit)["name"] for name in subjects.run_names] if commit else []
    return str(names[0]) if len(names) == 1 and isinstance(names[0], str) else ""


def _evidence(resource: Resource) -> Iterator[tuple[str, JsonObject]]:
    """What a run of hwplan's kind has to show for its success to count (R10), by the name of its Pipeline."""
    if _is(resource, "PipelineRun") and status_role(resource) == "pipelinerun":
        for place in _run_places(resource):
            yield place.pipeline, dict(resource.manifest["spec"].get("evidence") or {})


def _applications(resource: Resource) -> list[tuple[str, str]]:
    address = resource.address
    if status_role(resource) != "argo":
        return []
    if (address.kind, address.group) == ("Application", "argoproj.io"):
        return [(address.namespace, address.name)]
    if _is(resource, "ArgoSync"):
        spec = resource.manifest["spec"]
        return [(str(spec.get("namespace") or "argocd"), str(spec["application"]))]
    return []


def _host(target: object) -> str:
    return target.partition("/")[0] if isinstance(target, str) else ""


def fill_git_head_outputs(spec: JsonObject, commit: str) -> JsonObject:
    """A spec with the outputs of a GitHead filled in for one commit: `commit` and `short`."""
    known = {"commit": commit, "short": commit[:SHORT]}

    def lookup(ref: OutputRef) -> str | None:
        return known.get(ref.output) if ref.address.kind == "GitHead" else None

    filled: JsonObject = substitute_outputs(spec, lookup)
    return filled
