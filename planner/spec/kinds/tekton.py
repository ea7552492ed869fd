"""The kind that runs a Tekton pipeline once for a commit, and waits for its end."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from planner.spec.base import Duration, Flag, Name, StrictModel, Text
from planner.spec.kinds.envelope import AnnotationKey, Deferred, FreeValue, KindModel

# A name of Kubernetes that a label can hold too: Tekton labels what it makes with the name of the run.
RunName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]


class PipelineRunMetadata(StrictModel):
    """Metadata of a PipelineRun."""

    name: RunName | Deferred = Field(
        description='Name, fixed by what is run: `!sub "shop-ci-poll-${GitHead/source#short}"`. It is made once.'
    )
    namespace: Name = Field(description="Namespace.")
    labels: dict[AnnotationKey, str | Deferred] = Field(default_factory=dict, description="Labels.")
    annotations: dict[AnnotationKey, str | Deferred] = Field(default_factory=dict, description="Annotations.")


class PipelineRunManifest(StrictModel):
    """A PipelineRun as Tekton takes it."""

    api_version: Literal["tekton.dev/v1"] = Field(description="Always tekton.dev/v1.")
    kind: Literal["PipelineRun"] = Field(description="PipelineRun.")
    metadata: PipelineRunMetadata = Field(description="Name, namespace, labels, annotations.")
    spec: dict[Text, FreeValue] = Field(description="As Tekton defines it.")


class PipelineRunRequiredEvidence(StrictModel):
    """The evidence that a PipelineRun has to show, or else its success does not count."""

    task_runs: tuple[Text, ...] = Field(
        (), description="Tasks of the pipeline that must have run and succeeded: a skipped one does not do."
    )
    results: tuple[Text, ...] = Field((), description="Results that the run must have.")


class PipelineRunSpec(StrictModel):
    """The run, how long it is waited for, and what it has to show."""

    manifest: PipelineRunManifest = Field(description="The PipelineRun as Tekton takes it.")
    wait: Duration = Field("5m", description="How long to wait for its end. After that it goes on, and is `pending`.")
    budget: Duration | None = Field(None, description="A run that took longer gets a warning, also when it succeeded.")
    evidence: PipelineRunRequiredEvidence = Field(
        default_factory=PipelineRunRequiredEvidence, description="What it has to show."
    )
    rerun: Flag = Field(
        False,
        description="Delete a run of this name that did not succeed, or has another spec, and make it anew. The plan "
        "names the one that is deleted.",
    )

    @model_validator(mode="after")
    def _one_way_to_a_pipeline(self) -> Self:
        if len({"pipelineRef", "pipelineSpec"} & self.manifest.spec.keys()) != 1:
            raise ValueError("`manifest.spec` has exactly one of `pipelineRef` and `pipelineSpec`")
        return self


class PipelineRun(KindModel):
    """Runs a Tekton pipeline once: makes the PipelineRun, or takes the one of this name with the same spec.

    Outputs: each result by its name, and `run`, `namespace`, `uid`, `state`, `reason`, `seconds`, `startTime`,
    `completionTime`, `results`, `images` (digests by Tekton's type-hint names), `taskRuns` (times of each).
    """

    kind: Literal["PipelineRun"] = Field(description="PipelineRun.")
    spec: PipelineRunSpec = Field(description="The run.")
