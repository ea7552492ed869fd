"""The runs of a lane's pipeline: which are at work, and whether that of a commit has to be made anew.

A run is made once for its commit. When another commit was promoted after it, what it promoted is not what the GitOps
branch has any more: a rollback, and the way forward after one, need a run of the same name again. It carries the uid of
the run that it follows, so that its spec is another one, and the same whoever plans it.
"""

from __future__ import annotations

from dataclasses import replace

from planner.dataclass import dataclass
from planner.errors import ProviderError, StalePlan
from planner.resource import Resource
from planner.values import JsonObject, OutputTemplate
from planner.whole_number import parse_whole_number
from providers.cluster_interface import Cluster, KubernetesListScope
from providers.kubernetes.object_location import served_kind
from providers.kubernetes.operations.object_end import how_object_ended

PARAMETER = "hold"  # of the pipeline; what begins with AT is promoted although the branch has left it behind
AT, AFTER = "at:", "after:"
BUILD_CACHE, DISABLED = "build-cache-mode", "disabled"  # of the pipeline: with it every service is built
_TEKTON = ("tekton.dev/v1", "PipelineRun")
_DIGITS = 12  # of a commit, in the name of its run


@dataclass(frozen=True, slots=True)
class LanePipelineRuns:
    """The PipelineRuns in the cluster whose names begin with `prefix`."""

    prefix: str
    runs: tuple[JsonObject, ...]

    def refuse_others(self, commit: str) -> None:
        """Refuse to roll an older commit out while a run of another one is at work: it would promote over it (R8)."""
        others = sorted(
            _name(one) for one in self.runs if how_object_ended(one) is None and not self._is_of(one, commit)
        )
        if others:
            remedy = "wait for its end or cancel it, then again"
            raise StalePlan(f"{others[0]} is at work and would promote over it", remedy=remedy)

    def key(self, commit: str, *, held: bool) -> tuple[str, bool]:
        """The value of the parameter that the run of a commit needs ("" for none), and whether a run that is there has
        to be made anew for it."""
        live = next((one for one in self.runs if self._is_of(one, commit)), None)
        done = [one for one in self.runs if (end := how_object_ended(one)) is not None and end.state == "Succeeded"]
        last = max(done, key=_made, default=None)
        follows = f"{AT if held else AFTER}{str(last['metadata']['uid'])[:8] if last else 'first'}"
        if live is None:
            return (follows if held else ""), False
        if live not in done or last is None or _made(live) >= _made(last):
            value = _value(live)
            waits_for_hold = held and live not in done and not value.startswith(AT)
            return (follows, True) if waits_for_hold else (value, False)
        return follows, True

    def rebuild_key(self, commit: str, *, held: bool) -> tuple[str, bool]:
        """The same for a run that builds everything again, whatever the one that is there came to. One that does so and
        is at work is taken up."""
        live = next((one for one in self.runs if self._is_of(one, commit)), None)
        if live is None:
            return self.key(commit, held=held)
        if how_object_ended(live) is None and self.builds_all(commit):
            return _value(live), False
        return f"{AT if held else AFTER}{str(live['metadata']['uid'])[:8]}", True

    def builds_all(self, commit: str) -> bool:
        """Whether the run of a commit that is there was asked to build everything."""
        live = next((one for one in self.runs if self._is_of(one, commit)), None)
        return live is not None and _parameter(live, BUILD_CACHE) == DISABLED

    def _is_of(self, run: JsonObject, commit: str) -> bool:
        return _name(run) == f"{self.prefix}-{commit[:_DIGITS]}"


def read_lane_pipeline_runs(cluster: Cluster, namespace: str, prefix: str) -> LanePipelineRuns:
    """Read the PipelineRuns of a lane from the cluster: one LIST. Raises ProviderError."""
    kind = served_kind(cluster, *_TEKTON)
    place = KubernetesListScope(kind, namespace) if kind else None
    found = cluster.list([place])[place] if place else ()
    if isinstance(found, ProviderError):
        raise found
    return LanePipelineRuns(prefix, tuple(one for one in found if _name(one).startswith(f"{prefix}-")))


def pipeline_run_namespace_and_name_prefix(run: Resource) -> tuple[str, str]:
    """Namespace of the runs of a lane, and how their names begin: what stands in them before the commit."""
    metadata = run.manifest["spec"]["manifest"]["metadata"]
    name = metadata["name"]
    begin = name.parts[0] if isinstance(name, OutputTemplate) else name
    return str(metadata.get("namespace") or ""), str(begin).removesuffix("-")


def pipeline_run_resource_for_rerun(run: Resource, key: str, *, rerun: bool, builds_all: bool = False) -> Resource:
    """The resource of a PipelineRun with the parameter that makes it run anew, and with leave to delete the run that
    is there, by its uid. With `builds_all` it builds every service, without a cache."""
    spec = run.manifest["spec"]
    inner: JsonObject = spec["manifest"]["spec"]
    added = [{"name": PARAMETER, "value": key}] if key else []
    added += [{"name": BUILD_CACHE, "value": DISABLED}] if builds_all else []
    if added:
        known = [one for one in inner.get("params") or () if one["name"] not in {more["name"] for more in added}]
        params = [*known, *added]
        spec = {**spec, "manifest": {**spec["manifest"], "spec": {**inner, "params": params}}}
    if rerun:
        spec = {**spec, "rerun": True}
    return run if spec is run.manifest["spec"] else replace(run, manifest={**run.manifest, "spec": spec})


def _value(run: JsonObject) -> str:
    return _parameter(run, PARAMETER)


def _parameter(run: JsonObject, name: str) -> str:
    params = (run.get("spec") or {}).get("params") or ()
    return next((str(one.get("value")) for one in params if one.get("name") == name), "")


def _name(run: JsonObject) -> str:
    return str(run["metadata"]["name"])


def _made(run: JsonObject) -> tuple[str, int]:
    """When a run was made, to be compared: times are of whole seconds, and within one the version that the server gave
    it last says which of two that are over came later."""
    metadata = run["metadata"]
    version = str(metadata.get("resourceVersion") or "")
    return str(metadata.get("creationTimestamp") or ""), parse_whole_number(version) or 0
