"""Kinds with an effect that ends: PodExec (a command in a pod), Restart, and Retention (deletes old objects)."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from planner.spec.base import Count, Duration, Flag, Name, StrictModel, Text
from planner.spec.kinds import TABLE
from planner.spec.kinds.envelope import AnnotationKey, Deferred, KindModel

# An address: `Deployment.apps/shop/api`.
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


class PodExecSpec(StrictModel):
    """What a PodExec declares: which container, which command, how often."""

    target: PodTarget = Field(
        description="Workload whose newest ready pod is used, with its group and namespace: `Deployment.apps/shop/api`."
    )
    container: Name = Field(description="Container.")
    command: tuple[Word, ...] = Field(min_length=1, max_length=64, description="Program and arguments; no shell.")
    once_per: Text | Deferred | None = Field(
        None,
        description="The command succeeds once for each value of this, such as an image digest. One that failed is run "
        "again by the next plan; one that may have run, its end unknown, is blocked.",
    )
    once_per_image: Flag = Field(
        False,
        description="Instead of `oncePer`: once for each image that the container really runs (`imageID` of the pod). "
        "Where something that this needs changes in the same plan, the image is looked at when that is done.",
    )
    timeout: Duration = Field("5m", description="Longest run. After it nobody knows whether the command goes on.")
    idempotent: Flag = Field(
        False,
        description="Running the command twice, also at the same time, does no harm: one that may have run is planned "
        "again instead of blocked.",
    )
    keep_output: Flag = Field(
        False,
        description="The end of what the command prints is stored in the state, with the secrets masked that hwplan "
        "knows. Else it is shown to whoever applies, and only its length and a keyed digest are stored.",
    )

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.once_per is None) != self.once_per_image:
            raise ValueError("expected `oncePer` or `oncePerImage: true`, one of them")
        return self


class PodExec(KindModel):
    """Runs a command in a container, once per key. Output: `exitCode`."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"exitCode"})

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


class RestartSpec(StrictModel):
    """What a Restart declares: which workload is restarted, and when."""

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

    What it was restarted for last is retained in an annotation of the workload, so that nothing is restarted twice and
    no restart is lost. A workload that is made in the same plan starts with what `on` names, and is not restarted."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"observedGeneration"})

    kind: Literal["Restart"] = Field(description="Restart.")
    spec: RestartSpec = Field(description="The restart.")


class RetentionSelector(StrictModel):
    """Which objects are looked at: those that fit all of this."""

    api_version: Text = Field(description="apiVersion of the objects.")
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$")] = Field(description="Kind of the objects.")
    namespace: Name | None = Field(None, description="Their namespace; cluster-scoped kinds have none.")
    match_labels: dict[AnnotationKey, str] = Field(default_factory=dict, description="Labels that all of them have.")
    name_prefix: Text | None = Field(None, description="Beginning of their names.")
    name: Text | None = Field(None, description="Just the object of this name.")
    claim_namespace: Name | None = Field(
        None, description="Of PersistentVolumes: the namespace of the claim that they were bound to."
    )

    @model_validator(mode="after")
    def _claims_are_of_volumes(self) -> Self:
        if self.claim_namespace is not None and (self.api_version, self.kind) != ("v1", "PersistentVolume"):
            raise ValueError("`claimNamespace` belongs to `kind: PersistentVolume`")
        return self


class RetentionByLastActivity(StrictModel):
    """How a Retention judges objects that go on until they are deleted: by their last activity."""

    heartbeat: AnnotationKey = Field(
        description="Annotation of the object, or of a pod of it, with the time (RFC 3339) of its last sign of life."
    )
    window: Duration = Field(
        description="An object with a heartbeat within this is active, and so is one that runs and has none."
    )
    by_age: Flag = Field(False, description="Whether inactive objects older than `minAge` go also below the limit.")
    about: tuple[AnnotationKey, ...] = Field(
        (), description="Labels or annotations that say what an object works on; the plan shows them."
    )


class RetentionSpec(StrictModel):
    """What a Retention declares: which objects may be deleted. Running objects and those named by `neverTouch` never
    are."""

    selector: RetentionSelector = Field(description="Which objects are looked at.")
    min_age: Duration = Field("2h", description="Those that finished less than this ago stay.")
    keep: Count = Field(5, description="As many of the last to finish stay.")
    limit: Count = Field(20, description="Most deletions in one plan; the oldest go first.")
    phases: tuple[Text, ...] = Field(
        (),
        description="Only objects that ended so: `Succeeded`, `Failed`, `Released`, or a reason such as `Cancelled`, "
        "`PipelineRunTimeout`, `BackoffLimitExceeded`, `Evicted`.",
    )
    never_touch: tuple[Text | Deferred, ...] = Field((), description="Name globs that are never deleted.")
    activity: RetentionByLastActivity | None = Field(
        None,
        description="Of Jobs and Pods that are not over: those that are inactive may go too. Then `keep` is how many "
        "stay in all, the active ones counted; beyond it those go that were active longest ago, never an active one.",
    )

    @model_validator(mode="after")
    def _activity_is_of_pods(self) -> Self:
        kind = (self.selector.api_version, self.selector.kind)
        if self.activity is not None and kind not in (("batch/v1", "Job"), ("v1", "Pod")):
            raise ValueError("`activity` belongs to `kind: Job` (batch/v1) or `kind: Pod` (v1)")
        if self.activity is not None and not (self.selector.match_labels or self.selector.name_prefix):
            raise ValueError("`activity` needs `selector.matchLabels` or `selector.namePrefix`: not every pod is meant")
        return self


class Retention(KindModel):
    """Deletes old finished objects; the plan lists each with how and when it ended. Output: `deleted`, their number.

    PipelineRuns, TaskRuns and CustomRuns of Tekton, Jobs and Pods that are over, and PersistentVolumes that were
    released. What runs, is being deleted, has `hwplan.dev/protect`, or does not say when it ended stays; with
    `activity` what runs without a sign of life goes too.
    """

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"deleted"})

    kind: Literal["Retention"] = Field(description="Retention.")
    spec: RetentionSpec = Field(description="What may be deleted.")
