"""Kinds with an effect that ends: a command in a pod, a restart, a clean-up."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from planner.spec.base import Count, Duration, Flag, Model, Name, Text
from planner.spec.kinds.envelope import AnnotationKey, Deferred, KindModel

# An address: `Deployment.apps/hwlab-v03/hwlab-cloud-api`.
Target: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*(\.[-a-z0-9.]+)?(/[^/\s]+){1,2}$", max_length=600)
]


_WITH_PODS = re.compile(r"((Deployment|StatefulSet|DaemonSet|ReplicaSet)\.apps|Pod)/[^/\s]+/[^/\s]+")


def _with_pods(text: str) -> str:
    if not _WITH_PODS.fullmatch(text):
        raise ValueError("expected a workload with its group and namespace, such as Deployment.apps/shop/api")
    return text


PodTarget: TypeAlias = Annotated[str, StringConstraints(max_length=600), AfterValidator(_with_pods)]
# One word of a command: the interface of programs ends words with NUL.
Word: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]


class PodExecSpec(Model):
    """Which container, which command, how often."""

    target: PodTarget = Field(
        description="Workload whose newest ready pod is used, with its group and namespace: `Deployment.apps/shop/api`."
    )
    container: Name = Field(description="Container.")
    command: tuple[Word, ...] = Field(min_length=1, max_length=64, description="Program and arguments; no shell.")
    once_per: Text | Deferred = Field(
        description="The command succeeds once for each value of this, such as an image digest. One that failed is run "
        "again by the next plan; one that may have run, its end unknown, is blocked."
    )
    timeout: Duration = Field("5m", description="Longest run. After it nobody knows whether the command goes on.")
    idempotent: Flag = Field(
        False,
        description="Running the command twice, also at the same time, does no harm: one that may have run is planned "
        "again instead of blocked.",
    )


class PodExec(KindModel):
    """Runs a command in a container, once per key. Output: `exitCode`."""

    kind: Literal["PodExec"] = Field(description="PodExec.")
    spec: PodExecSpec = Field(description="The command.")


class RestartSpec(Model):
    """What is restarted, and when."""

    target: Target = Field(description="Deployment, StatefulSet or DaemonSet.")
    when: Literal["always", "changed"] = Field(
        "changed", description="`changed`: when something of `on` changed since the last."
    )
    on: tuple[Target, ...] = Field((), description="Resources whose change asks for it.")

    @model_validator(mode="after")
    def _changed_needs_on(self) -> Self:
        if self.when == "changed" and not self.on:
            raise ValueError("`when: changed` needs `on`")
        return self


class Restart(KindModel):
    """Restarts a workload by annotation and waits for its rollout. Output: `observedGeneration`."""

    kind: Literal["Restart"] = Field(description="Restart.")
    spec: RestartSpec = Field(description="The restart.")


class Selector(Model):
    """Which objects are looked at."""

    api_version: Text = Field(description="apiVersion of the objects.")
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$")] = Field(description="Kind of the objects.")
    namespace: Name | None = Field(None, description="Namespace; cluster-scoped kinds have none.")
    match_labels: dict[AnnotationKey, str] = Field(default_factory=dict, description="Labels that all of them have.")
    name_prefix: Text | None = Field(None, description="Beginning of their names.")


class RetentionSpec(Model):
    """What may be deleted. Running objects and those named by `neverTouch` never are."""

    selector: Selector = Field(description="Which objects are looked at.")
    min_age: Duration = Field("2h", description="Younger ones stay.")
    keep: Count = Field(5, description="The newest that stay.")
    limit: Count = Field(20, description="Most deletions in one plan.")
    phases: tuple[Text, ...] = Field((), description="Only objects in these phases or reasons.")
    never_touch: tuple[Text, ...] = Field((), description="Name globs that are never deleted.")


class Retention(KindModel):
    """Deletes old finished objects; the plan lists each with its reason. Output: `deleted`."""

    kind: Literal["Retention"] = Field(description="Retention.")
    spec: RetentionSpec = Field(description="What may be deleted.")
