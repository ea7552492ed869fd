"""Simulated pipelines of a sandbox, as a product declares them in `templates/<product>/sandbox/`: what runs of its
pipelines come to there."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from planner.spec.base import Branch, InnerPath, Name, StrictModel, Text


class SimulatedServiceBuild(StrictModel):
    """A service that a simulated run builds when its folder changed."""

    name: Name = Field(description="Its name.")
    image: Text = Field(description="Repository of its image.")
    context: Text = Field(description="Folder in the source repository; `.` is all of it.")


class SimulatedPromotionManifests(StrictModel):
    """The manifests that a simulated promotion commits beside the catalog, out of a ConfigMap of the pipeline."""

    config_map: Name = Field(description="The ConfigMap, in the namespace of the Pipeline.")
    services: Name | None = Field(
        None,
        description="ConfigMap with `services.json`: what is built follows from it as in `plan-artifacts`, "
        "and images get their digests as in `gitops-promote`.",
    )
    files: tuple[Text, ...] = Field((), description="The keys that are committed; without any, all that end in .yaml.")
    digest: Text | None = Field(None, description="Word in them that stands for the digest of the one service.")
    commit: Text | None = Field(None, description="Word in them that stands for the source commit.")


class SimulatedPipelineSpec(StrictModel):
    """A Pipeline that a sandbox simulates: its services, and where its runs promote to."""

    namespace: Name = Field(description="Namespace of the Pipeline.")
    name: Name = Field(description="Name of the Pipeline.")
    repository: InnerPath = Field(description="Bare repository in the folder `git/` of the sandbox.")
    branch: Branch | None = Field(None, description="Branch that is promoted to; without one nothing is.")
    catalog: InnerPath | None = Field(None, description="Path of the catalog in that branch.")
    services: tuple[SimulatedServiceBuild, ...] = Field((), description="What is built.")
    manifests: SimulatedPromotionManifests | None = Field(None, description="What is promoted besides the catalog.")


class SimulatedPipelineDocument(StrictModel):
    """`kind: SimulatedPipeline` - what runs of a Pipeline come to in a sandbox; each lane renders its own."""

    api_version: Literal["hwplan.dev/v1"] = Field(description="Always hwplan.dev/v1.")
    kind: Literal["SimulatedPipeline"] = Field(description="SimulatedPipeline.")
    spec: SimulatedPipelineSpec = Field(description="The pipeline.")
