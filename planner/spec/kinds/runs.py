"""Kinds with an effect that ends: a command in a pod, a restart, a clean-up."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from planner.spec.base import Count, Duration, Flag, Model, Name, Text
from planner.spec.kinds import TABLE
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


_WORKLOAD = re.compile(r"(Deployment|StatefulSet|DaemonSet)\.apps(/[^/\s]+){2}")
_OBJECT = re.compile(r"[A-Z][A-Za-z0-9]*(\.[-a-z0-9.]+)?(/[^/\s]+){1,2}")


def _workload(text: str) -> str:
    if not _WORKLOAD.fullmatch(text):
        raise ValueError("expected a Deployment, StatefulSet or DaemonSet, such as Deployment.apps/shop/api")
    return text


def _object(text: str) -> str:
    if not _OBJECT.fullmatch(text):
        raise ValueError("expected an object, such as ConfigMap/shop/settings, or an output (`!ref`)")
    if (kind := text.partition("/")[0]) in TABLE:
        raise ValueError(f"{kind} is no object of the cluster: name an output of it, `!ref {kind}/NAME#OUTPUT`")
    return text


Workload: TypeAlias = Annotated[str, StringConstraints(max_length=600), AfterValidator(_workload)]
Followed: TypeAlias = Annotated[str, StringConstraints(max_length=600), AfterValidator(_object)]


class RestartSpec(Model):
    """What is restarted, and when."""

    target: Workload = Field(
        description="Deployment, StatefulSet or DaemonSet, declared or alive: `Deployment.apps/NAMESPACE/NAME`."
    )
    when: Literal["always", "changed"] = Field(
        "changed",
        description="`changed`: when something of `on` is not what it was at the last restart; "
        "`always`: whenever a plan changes something that this needs.",
    )
    on: tuple[Followed | Deferred, ...] = Field(
        (),
        description="What asks for a restart: addresses of objects in the cluster (their content counts, labels and "
        'annotations do not), or outputs such as `!ref RegistryImage/api#digest`. The key stands in quotes, `"on"`: '
        "to some readers of YAML it means true without them.",
    )

    @model_validator(mode="after")
    def _on_fits(self) -> Self:
        if self.when == "changed" and not self.on:
            raise ValueError("`when: changed` needs `on`")
        if self.when == "always" and self.on:
            raise ValueError("`when: always` has no `on`: it follows all that it needs (`hwplan.dev/depends-on`)")
        if self.target in self.on:
            raise ValueError("`on` names other objects than the target: a change of its pods rolls them out by itself")
        return self


class Restart(KindModel):
    """Restarts a workload by an annotation of its pods, and waits for the rollout. Output: `observedGeneration`.

    What it was restarted for last is kept in an annotation of the workload, so that nothing is restarted twice and no
    restart is lost. A workload that is made in the same plan starts with what `on` names, and is not restarted.
    """

    kind: Literal["Restart"] = Field(description="Restart.")
    spec: RestartSpec = Field(description="The restart.")


class Selector(Model):
    """Which objects are looked at: those that fit all of this."""

    api_version: Text = Field(description="apiVersion of the objects.")
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$")] = Field(description="Kind of the objects.")
    namespace: Name | None = Field(None, description="Their namespace; cluster-scoped kinds have none.")
    match_labels: dict[AnnotationKey, str] = Field(default_factory=dict, description="Labels that all of them have.")
    name_prefix: Text | None = Field(None, description="Beginning of their names.")
    claim_namespace: Name | None = Field(
        None, description="Of PersistentVolumes: the namespace of the claim that they were bound to."
    )

    @model_validator(mode="after")
    def _claims_are_of_volumes(self) -> Self:
        if self.claim_namespace is not None and (self.api_version, self.kind) != ("v1", "PersistentVolume"):
            raise ValueError("`claimNamespace` belongs to `kind: PersistentVolume`")
        return self


class RetentionSpec(Model):
    """What may be deleted. Running objects and those named by `neverTouch` never are."""

    selector: Selector = Field(description="Which objects are looked at.")
    min_age: Duration = Field("2h", description="Those that finished less than this ago stay.")
    keep: Count = Field(5, description="As many of the last to finish stay.")
    limit: Count = Field(20, description="Most deletions in one plan; the oldest go first.")
    phases: tuple[Text, ...] = Field(
        (),
        description="Only objects that ended so: `Succeeded`, `Failed`, `Released`, or a reason such as `Cancelled`, "
        "`PipelineRunTimeout`, `BackoffLimitExceeded`, `Evicted`.",
    )
    never_touch: tuple[Text | Deferred, ...] = Field((), description="Name globs that are never deleted.")


class Retention(KindModel):
    """Deletes old finished objects; the plan lists each with how and when it ended. Output: `deleted`, their number.

    PipelineRuns, TaskRuns and CustomRuns of Tekton, Jobs and Pods that are over, and PersistentVolumes that were
    released. What runs, is being deleted, has `hwplan.dev/protect`, or does not tell when it ended stays.
    """

    kind: Literal["Retention"] = Field(description="Retention.")
    spec: RetentionSpec = Field(description="What may be deleted.")
