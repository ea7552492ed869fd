"""The Tekton of a sandbox: what a run of a known pipeline comes to, with real images, a real commit, and no container.

What it came to is written on the run before that is made, in an annotation that the simulated controllers read, so that
a run is never there without its end. Everything is made from the commit alone: a second time gives the same bytes.

Joins three systems (the saved cluster, the registry and the git repositories of a sandbox), so it stands above them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.rollout.promotion_commit_prediction import (
    CATALOG,
    PredictedPromotionCommit,
    PromotableService,
    make_promotion_catalog,
    parse_promotable_services,
    predict_promotion_commit,
    promotion_files_with_digests,
)
from planner.values import JsonObject
from providers.cluster_interface import Cluster
from providers.json_answer import parse_json_answer
from providers.kubernetes.errors import AlreadyExists
from providers.kubernetes.object_location import served_kind
from providers.kubernetes.operations.pipelinerun import PipelineRunProvider
from providers.kubernetes.snapshot.simulated_controllers import OUTCOME, SIMULATED
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from providers.provider_tools import ProviderTools
from providers.sandbox.git_repositories import run_git
from providers.sandbox.simulated_pipelines_file import (
    BuiltService,
    PromotedManifests,
    SimulatedPipeline,
    read_simulated_failures,
    read_simulated_pipelines,
)

_FAILED = "simulated: made to fail by `hwplan sandbox fail`"
_BEFORE, _LAST = ("source-fetch", "plan-artifacts"), "gitops-promote"


def create_simulated_pipeline_run_provider(tools: ProviderTools) -> PipelineRunProvider:
    """The provider of PipelineRun in a sandbox, for one command."""
    assert tools.sandbox is not None
    return PipelineRunProvider(tools.api, simulated=SimulatedTekton(tools.sandbox, tools.api))


@dataclass(frozen=True, slots=True)
class SimulatedTekton:
    """Simulates Tekton for the sandbox in `folder`."""

    folder: Path
    cluster: Cluster

    def prepared(self, body: JsonObject, address: str) -> JsonObject:
        """The body of a new run with what it comes to. Raises PermanentError when git fails."""
        ref = str((body["spec"].get("pipelineRef") or {}).get("name") or "")
        pipeline = read_simulated_pipelines(self.folder).get((str(body["metadata"].get("namespace", "")), ref))
        params = {one["name"]: one.get("value") for one in body["spec"].get("params") or ()}
        commit = str(params.get("source-commit") or "")
        failing = read_simulated_failures(self.folder).get(address)
        if pipeline is None or not commit:
            outcome = _failure(body, "run") if failing is not None else {}
        else:
            outcome = self._outcome(body, pipeline, commit, failing)
        annotations = {**(body["metadata"].get("annotations") or {}), OUTCOME: json.dumps(outcome, sort_keys=True)}
        return {**body, "metadata": {**body["metadata"], "annotations": annotations}}

    def add_task_runs(self, live: JsonObject) -> None:
        """Add the TaskRuns that a new run names; those that are there stay."""
        status, metadata = live.get("status") or {}, live["metadata"]
        owner = {
            "apiVersion": live["apiVersion"],
            "kind": live["kind"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
        condition = (status.get("conditions") or [{}])[0]
        failed = str(condition.get("message") or "").partition("task ")[2].partition(":")[0]
        for child in status.get("childReferences") or ():
            task = str(child["pipelineTaskName"])
            outcome = _failed_task(task) if task == failed else {"steps": self._steps(metadata["namespace"], task)}
            body = {
                "apiVersion": "tekton.dev/v1",
                "kind": "TaskRun",
                "metadata": {
                    "name": child["name"],
                    "namespace": metadata["namespace"],
                    "ownerReferences": [owner],
                    "labels": {"tekton.dev/pipelineRun": metadata["name"], "tekton.dev/pipelineTask": task},
                    "annotations": {OUTCOME: json.dumps(outcome)},
                },
                "spec": {"taskRef": {"name": task}},
            }
            assert isinstance(self.cluster, SnapshotCluster)
            with suppress(AlreadyExists):
                self.cluster.add(body, manager=SIMULATED)

    def _steps(self, namespace: str, task: str) -> list[JsonObject]:
        """The steps of a task as they are declared, each at its good end."""
        kind = served_kind(self.cluster, "tekton.dev/v1", "Task")
        live = self.cluster.get(kind, namespace, task) if kind else None
        named = [str(one.get("name")) for one in ((live or {}).get("spec") or {}).get("steps") or ()]
        ended = {"exitCode": 0, "reason": "Completed"}
        return [{"name": name, "container": f"step-{name}", "terminated": ended} for name in named]

    def _outcome(self, body: JsonObject, pipeline: SimulatedPipeline, commit: str, failing: str | None) -> JsonObject:
        repository = self.folder / "git" / pipeline.repository
        begin, pipeline, prefix = pipeline.branch, *_as_asked(body, pipeline)
        catalog = _catalog(repository, pipeline)
        promoting = self._promoting(body, pipeline, repository, commit)
        built = [one for one in pipeline.services if promoting.builds(one, catalog)]
        tasks = [*_BEFORE, *(f"build-{one.name}" for one in built), *([_LAST] if pipeline.branch else [])]
        if failing is not None:
            named = failing or next((task for task in tasks if task.startswith("build-")), _LAST)
            if named not in tasks:
                raise PermanentError(f"the run has no task {named}", remedy=f"one of: {', '.join(tasks)}")
            return _failure(body, *tasks[: tasks.index(named) + 1])
        digests = {one.name: self._push(f"{one.image}:{prefix}{commit}") for one in built}
        promoted = {}
        if pipeline.branch:
            files = promoting.files(catalog, digests)
            promoted = {"gitopsRevision": _promote(repository, pipeline, files, commit, begin)}
        reused = [one.name for one in pipeline.services if one.name not in digests]
        results: dict[str, Any] = {
            **promoted,
            "affectedServices": sorted(digests),
            "buildServices": sorted(digests),
            "reusedServices": reused,
            "changedFiles": _changed_files(repository, commit),
        }
        for one in built:
            url = f"{one.image}:{prefix}{commit}"
            results |= {f"{one.name}-IMAGE_URL": url, f"{one.name}-IMAGE_DIGEST": digests[one.name]}
        listed = [{"name": name, "value": value} for name, value in results.items()]
        return {"results": listed, "childReferences": _children(body, tasks)}

    def _promoting(self, body: JsonObject, pipeline: SimulatedPipeline, repository: Path, commit: str) -> _Promoting:
        """What a promotion of the commit has to go by: the rules of the shipped scripts where the pipeline has them."""
        params = {one["name"]: str(one.get("value") or "") for one in body["spec"].get("params") or ()}
        anew = params.get("build-cache-mode") == "disabled"
        manifests = pipeline.manifests[0] if pipeline.manifests else PromotedManifests("")
        given = self._config_map(pipeline.namespace, manifests.config_map)
        wanted = manifests.files or tuple(name for name in given if name.endswith(".yaml"))
        rendered = {name: given[name] for name in wanted if name in given}
        services = self._config_map(pipeline.namespace, manifests.services).get("services.json", "")
        return _Promoting(repository, pipeline, commit, rendered, services, manifests, anew)

    def _config_map(self, namespace: str, name: str) -> dict[str, str]:
        kind = served_kind(self.cluster, "v1", "ConfigMap")
        live = self.cluster.get(kind, namespace, name) if kind and name else None
        return dict((live or {}).get("data") or {})

    def _push(self, image: str) -> str:
        """A made-up image in the registry of the sandbox; its digest."""
        from providers.images.copy_image import ImageLocation, copy_image  # only where a run builds something
        from providers.images.image_reference import parse_image_reference
        from providers.images.oci_layout import OciLayout
        from providers.simulated_images import write_simulated_images

        reference = parse_image_reference(image)
        with tempfile.TemporaryDirectory(prefix="hwplan-run-") as temp:
            write_simulated_images(Path(temp) / "layout", [image])
            made = OciLayout(Path(temp) / "layout")
            root = made.sole()
            target = ImageLocation(OciLayout(self.folder / "registry", made_up=True), reference)
            copy_image(ImageLocation(made, reference), root, target, lambda _: None)
        return root.digest


def _as_asked(body: JsonObject, pipeline: SimulatedPipeline) -> tuple[SimulatedPipeline, str]:
    """The pipeline with the branch and the catalog that the run asks for, and the beginning of its tags."""
    params = {one["name"]: str(one.get("value") or "") for one in body["spec"].get("params") or ()}
    branch, catalog = params.get("gitops-branch") or pipeline.branch, params.get("catalog-path") or pipeline.catalog
    return replace(pipeline, branch=branch, catalog=catalog), params.get("tag-prefix", "")


def _catalog(repository: Path, pipeline: SimulatedPipeline) -> JsonObject:
    """The catalog as it stands in the GitOps branch; an empty one where there is none."""
    with suppress(PermanentError, ValueError):
        found = parse_json_answer(
            run_git(repository, "show", f"refs/heads/{pipeline.branch}:{pipeline.catalog}").encode()
        )
        if isinstance(found, dict) and isinstance(found.get("services"), dict):
            return found
    return {"services": {}}


@dataclass(frozen=True, slots=True)
class _Promoting:
    """What is built of a commit, and what is committed then. `services` is the text of `services.json`; without it a
    service is built when its folder changed since the commit of the catalog. `anew` builds all."""

    repository: Path
    pipeline: SimulatedPipeline
    commit: str
    rendered: Mapping[str, str]
    services: str
    manifests: PromotedManifests
    anew: bool

    def builds(self, service: BuiltService, catalog: JsonObject) -> bool:
        """Whether a service is built."""
        if self.anew:
            return True
        if self.services:
            return service.name in self._predicted(catalog).builds
        known, before = catalog["services"].get(service.name), str(catalog.get("sourceCommit") or "")
        if not known or not before:
            return True
        try:
            return bool(run_git(self.repository, "diff", "--name-only", before, self.commit, "--", service.context))
        except PermanentError:
            return True

    def files(self, catalog: JsonObject, digests: Mapping[str, str]) -> Mapping[str, str | None]:
        """What is committed, by path; None for a file that goes."""
        folder = str(PurePosixPath(self.pipeline.catalog).parent)
        if not self.services:
            return {**self._worded(folder, digests), self.pipeline.catalog: self._catalog(catalog, digests)}
        services = self._services()
        predicted = self._predicted(catalog)
        whole = promotion_files_with_digests(predicted, digests)
        after = make_promotion_catalog(services, json.dumps(catalog), self._listing, digests, self.commit)
        gone = [f"{name}.yaml" for name in catalog["services"] if name not in after["services"]]
        return {
            **{f"{folder}/{name}": None for name in gone},
            **{f"{folder}/{name}": text for name, text in whole.items()},
            self.pipeline.catalog: json.dumps(after, indent=2) + "\n",
        }

    def _predicted(self, catalog: JsonObject) -> PredictedPromotionCommit:
        before = {} if self.anew else {CATALOG: json.dumps(catalog)}
        return predict_promotion_commit(self._services(), self.rendered, before, self._listing)

    def _services(self) -> list[PromotableService]:
        """The services of `services.json` that the pipeline has a task for; somebody may have taken one away."""
        named = {one.name for one in self.pipeline.services}
        return [one for one in parse_promotable_services(self.services) if one.name in named]

    def _listing(self, path: str) -> str:
        """As `git ls-tree -r` prints it."""
        text = run_git(self.repository, "ls-tree", "-r", self.commit, "--", path)
        return f"{text}\n" if text else ""

    def _worded(self, folder: str, digests: Mapping[str, str]) -> dict[str, str]:
        """The manifests with the digest of the one service and the commit in place of their words."""
        words = {self.manifests.commit: self.commit, self.manifests.digest: next(iter(digests.values()), "")}
        found = {}
        for name, text in self.rendered.items() if digests else ():
            worded = text
            for word, value in words.items():
                worded = worded.replace(word, value) if word else worded
            found[f"{folder}/{name}"] = worded
        return found

    def _catalog(self, catalog: JsonObject, digests: Mapping[str, str]) -> str:
        images = {one.name: one.image for one in self.pipeline.services}
        built = {
            name: {"image": f"{images[name]}@{digest}", "sourceCommit": self.commit} for name, digest in digests.items()
        }
        after = {**catalog, "sourceCommit": self.commit, "services": {**catalog["services"], **built}}
        return json.dumps(after, indent=2, sort_keys=True) + "\n"


def _changed_files(repository: Path, commit: str) -> str:
    """How many files the commit changes against its first parent; unknown for the first commit."""
    try:
        return str(len(run_git(repository, "diff", "--name-only", f"{commit}^1", commit).splitlines()))
    except PermanentError:
        return "unknown"


def _promote(
    repository: Path, pipeline: SimulatedPipeline, files: Mapping[str, str | None], commit: str, begin: str
) -> str:
    """The commit of the GitOps branch that has the files; the tip where it has them already. A branch that is not there
    begins at the branch `begin`."""
    try:
        tip = run_git(repository, "rev-parse", "--verify", "-q", f"refs/heads/{pipeline.branch}")
        known = tip
    except PermanentError:
        tip, known = run_git(repository, "rev-parse", f"refs/heads/{begin}"), ""
    with tempfile.TemporaryDirectory(prefix="hwplan-run-") as temp:
        index = Path(temp) / "index"
        run_git(repository, "read-tree", tip, index=index)
        for path, text in files.items():
            if text is None:
                run_git(repository, "update-index", "--force-remove", path, index=index)
                continue
            blob = run_git(repository, "hash-object", "-w", "--stdin", stdin=text.encode())
            run_git(repository, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", index=index)
        tree = run_git(repository, "write-tree", index=index)
    if tree == run_git(repository, "rev-parse", f"{tip}^{{tree}}"):
        return tip
    made = run_git(repository, "commit-tree", tree, "-p", tip, "-m", f"promote {commit}")
    run_git(repository, "update-ref", f"refs/heads/{pipeline.branch}", made, known)
    return made


def _children(body: JsonObject, tasks: list[str]) -> list[JsonObject]:
    run = str(body["metadata"]["name"])
    return [_child(run, task) for task in tasks]


def _child(run: str, task: str) -> JsonObject:
    kind = {"apiVersion": "tekton.dev/v1", "kind": "TaskRun"}
    return {**kind, "name": f"{run}-{task}", "pipelineTaskName": task}


def _failure(body: JsonObject, *tasks: str) -> JsonObject:
    """A run whose last task fails."""
    condition = {"status": "False", "reason": "Failed", "message": f"task {tasks[-1]}: {_FAILED}"}
    return {"condition": condition, "childReferences": _children(body, list(tasks))}


def _failed_task(task: str) -> JsonObject:
    step = {"name": "run", "container": "step-run", "terminated": {"exitCode": 1, "reason": "Error"}}
    return {"condition": {"status": "False", "reason": "Failed", "message": _FAILED}, "steps": [step]}
