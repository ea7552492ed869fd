"""The kind that brings an Argo CD Application to a revision."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from planner.spec.base import Commit, Flag, Model, Name
from planner.spec.kinds.envelope import Deferred, KindModel


class ArgoRepair(Model):
    """Which stuck states may be mended, each only with evidence (S13)."""

    terminate_stuck: Flag = Field(False, description="Terminate an operation that cannot end.")
    failed_hooks: Flag = Field(False, description="Delete failed hook Jobs.")
    stuck_stateful_set_pods: Flag = Field(
        False, description="Delete a pod of an old controller revision that cannot start; never a healthy one."
    )


class ArgoSyncSpec(Model):
    """Which Application, to which revision."""

    application: Name = Field(description="Name of the Application.")
    namespace: Name = Field("argocd", description="Its namespace.")
    revision: Commit | Deferred | None = Field(
        None, description="Commit to sync to; the head of its branch when left out."
    )
    repair: ArgoRepair = Field(default_factory=ArgoRepair, description="Repairs that are allowed.")


class ArgoSync(KindModel):
    """Refreshes and syncs an Application and waits until it is Synced and Healthy at that revision.

    Outputs: `revision`, `sync`, `health`.
    """

    kind: Literal["ArgoSync"] = Field(description="ArgoSync.")
    spec: ArgoSyncSpec = Field(description="What has to hold.")
