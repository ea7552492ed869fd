"""Why Tekton's controller fails a PipelineRun before it has begun: the reason and the words. Pure.

Admission lets these through: a Pipeline or Task that is not there, a parameter without value, an unknown result.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.testbed.tekton_references import results_in

Document = dict[str, Any]


class Refusal(NamedTuple):
    """Reason and message of the condition."""

    reason: str
    message: str


def no_pipeline(run: Document) -> Refusal:
    """Of a run whose Pipeline is not there."""
    metadata, ref = run["metadata"], run["spec"]["pipelineRef"]["name"]
    return Refusal(
        "CouldntGetPipeline",
        f"Error retrieving pipeline for pipelinerun {metadata['namespace']}/{metadata['name']}: error when getting "
        f"Pipeline for PipelineRun {metadata['name']}: tekton client cannot get pipeline {ref} from local cluster: "
        f'pipelines.tekton.dev "{ref}" not found',
    )


def refusal_of(run: Document, spec: Document, task_exists: Callable[[str], bool]) -> Refusal | None:
    """Why a run of a pipeline cannot begin; None when it can."""
    metadata = run["metadata"]
    name, pipeline = f"{metadata['namespace']}/{metadata['name']}", _pipeline_of(run)
    given = {one["name"] for one in run["spec"].get("params") or ()}
    missing = [one["name"] for one in spec.get("params") or () if "default" not in one and one["name"] not in given]
    if missing:
        words = f"[User error] PipelineRun {name} is missing some parameters required by Pipeline {pipeline}: "
        return Refusal("ParameterMissing", f"{words}pipelineRun missing parameters: [{' '.join(missing)}]")
    tasks = [*(spec.get("tasks") or ()), *(spec.get("finally") or ())]
    for task in tasks:
        ref = (task.get("taskRef") or {}).get("name")
        if ref and not task_exists(ref):
            words = f"Pipeline {pipeline} can't be Run; it contains Tasks that don't exist: "
            said = f'Couldn\'t retrieve Task "{ref}": tasks.tekton.dev "{ref}" not found'
            return Refusal("CouldntGetTask", words + said)
    return _unknown_result(tasks)


def _pipeline_of(run: Document) -> str:
    metadata = run["metadata"]
    return f"{metadata['namespace']}/{(run['spec'].get('pipelineRef') or {}).get('name') or metadata['name']}"


def _unknown_result(tasks: list[Document]) -> Refusal | None:
    """Only of tasks that are written into the pipeline: what others give is not known before they run."""
    declared = {
        task["name"]: {one["name"] for one in task["taskSpec"].get("results") or ()}
        for task in tasks
        if task.get("taskSpec")
    }
    for task in tasks:
        for source, result in results_in([task.get("params"), task.get("when")]):
            if source in declared and result not in declared[source]:
                words = f'"{result}" is not a named result returned by pipeline task "{source}"'
                where = f'invalid result reference in pipeline task "{task["name"]}": '
                return Refusal("InvalidTaskResultReference", where + words)
    return None
