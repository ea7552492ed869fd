"""The kinds about Argo CD: one brings an Application to a revision, one mends what keeps it from getting there."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, StringConstraints

from planner.spec.base import Branch, Commit, Duration, Name, StrictModel
from planner.spec.kinds.envelope import Deferred, KindModel
from planner.spec.kinds.git import GitRepositoryAccess

StatefulSet: TypeAlias = Annotated[str, StringConstraints(pattern=r"^StatefulSet\.apps(/[-a-z0-9.]{1,253}){2}$")]


class ArgoSourceRepository(GitRepositoryAccess):
    """The git repository that an Application of Argo CD reads, as it is reached from here, and the branch that it
    follows."""

    branch: Branch = Field(description="Branch that the Application follows.")


class ArgoSyncSpec(StrictModel):
    """What an ArgoSync declares: which Application is synced, to which revision."""

    application: Name = Field(description="Name of the Application.")
    namespace: Name = Field("argocd", description="Its namespace.")
    revision: Commit | Deferred | None = Field(
        None, description="Commit to sync to; the head of its branch when left out."
    )
    history: ArgoSourceRepository | None = Field(
        None,
        description="Where a later revision is looked up: it counts too when it contains `revision`.",
    )
    wait: Duration = Field("5m", description="How long to wait. After that the sync goes on, and is `pending`.")


class ArgoSync(KindModel):
    """Refreshes and syncs an Application and waits until it is Synced and Healthy at that revision.

    What counts is the sync that was asked for here, or a later one; with `history` also one to a later revision that
    contains the wanted one. A state from before it proves nothing. Outputs:
    `revision`, `sync`, `health`, `operation` (its phase and times).
    """

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"revision", "sync", "health", "operation"})

    kind: Literal["ArgoSync"] = Field(description="ArgoSync.")
    spec: ArgoSyncSpec = Field(description="What has to hold.")


class ArgoRepairSpec(StrictModel):
    """Of which Application, and from when on its operation counts as stuck."""

    application: Name = Field(description="Name of the Application.")
    namespace: Name = Field("argocd", description="Its namespace.")
    stuck_after: Duration = Field("10m", description="A younger operation is never terminated.")
    stateful_sets: tuple[StatefulSet, ...] = Field(
        (),
        description="StatefulSets beside those that the Application manages, declared or alive: "
        "`StatefulSet.apps/NAMESPACE/NAME`.",
    )


class ArgoRepair(KindModel):
    """Mends what keeps an Application from converging. Each repair is a node of the plan, named after this one.

    An operation that runs longer than `stuckAfter` while no hook of it runs is terminated; a hook Job that failed is
    deleted; so is a pod of an old revision of a StatefulSet that cannot pull its image or crashes. Nothing else is
    touched. Output: `stuck`, a list of what was found.
    """

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"stuck"})

    kind: Literal["ArgoRepair"] = Field(description="ArgoRepair.")
    spec: ArgoRepairSpec = Field(description="What is looked at.")
