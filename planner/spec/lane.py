"""A lane: one branch of a product on its way to one runtime, on one node.

Owns what lanes of every product have, all of it optional. What a product adds: planner.spec.product_schema_document.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from planner.spec.base import Branch, Count, Duration, Flag, HttpUrl, Name, Port, StrictModel, Text, Values
from planner.spec.namespaces_proxies_storage import Namespace
from planner.spec.pull_requests import PullRequestRules
from planner.spec.rollout_brief_location import RolloutBriefLocation
from planner.spec.secrets import SecretRule


class OverlappingCommitsPolicy(StrictModel):
    """What happens when commits follow each other quickly."""

    policy: Literal["latest-only", "every-commit"] = Field(
        "latest-only",
        description="`latest-only`: older runs are neither cancelled nor awaited; stale commits close as superseded.",
    )
    small_diff: Count = Field(
        20, description="Files: a commit that changes no more should not make every service be built again."
    )


class GateProbe(StrictModel):
    """A probe of the gate: a health endpoint of the deployed service, or provenance. Nothing that drives a browser."""

    kind: Literal["http", "browser"] = Field(
        "http", description="`browser` is refused in a gate; it exists to be named in the error."
    )
    url: HttpUrl = Field(description="Under the lane's formal public URL.")
    expect_status: Annotated[StrictInt, Field(ge=100, le=599)] = Field(200, description="Expected HTTP status.")
    role: Literal["gate", "diagnostic"] = Field("gate", description="A diagnostic probe never decides.")
    provenance: Text | None = Field(
        None, description="Field path in the JSON answer that gives the source commit of what answers."
    )


class RolloutGate(StrictModel):
    """The gate of a rollout: when it counts as good, and what is done when it does not."""

    probes: tuple[GateProbe, ...] = Field((), description="Public probes.")
    require: tuple[Literal["pipelinerun", "argo", "runtime", "mirror-flush"], ...] = Field(
        ("pipelinerun", "argo", "runtime", "mirror-flush"), description="Evidence besides the probes."
    )
    failure_issue: Flag = Field(False, description="Create or update one issue per failure family.")
    warn_after: Duration = Field(
        "120s", description="Warn `node-runtime-trigger-over-120s` beyond this, even on success."
    )


class RunRetention(StrictModel):
    """Which finished objects are retained (S24)."""

    min_age: Duration = Field("2h", description="Younger ones are never deleted.")
    keep: Count = Field(5, description="The newest that are retained.")
    limit: Count = Field(20, description="Most deletions in one run.")


class Lane(StrictModel):
    """One lane on one node, after the overlays were merged: what lanes of every product have.

    Further fields are those that the product's `schema.yaml` declares.
    """

    description: Text | None = Field(None, description="What it is, for people.")
    enabled: Flag = Field(True, description="A lane that is not enabled can be validated but is not planned by `all`.")
    remote: Name | None = Field(None, description="Remote of the node's git mirror that it builds from.")
    source_branch: Branch | None = Field(None, description="Branch that is built.")
    gitops_branch: Branch | None = Field(None, description="Branch that Argo CD follows.")
    namespaces: dict[Name, Namespace] = Field(default_factory=dict, description="Where it lives, by role.")
    public_url: HttpUrl | None = Field(None, description="The formal public URL; the only one that a gate may probe.")
    legacy_ports: tuple[Port, ...] = Field((), description="Old edge ports: diagnostic evidence, refused in a gate.")
    cd: OverlappingCommitsPolicy = Field(
        default_factory=OverlappingCommitsPolicy, description="Policy for commits that follow each other."
    )
    gate: RolloutGate = Field(default_factory=RolloutGate, description="When a rollout is good.")
    pulls: PullRequestRules | None = Field(
        None, description="Its pull requests: who merges them, and what has to hold before. Without it nobody does."
    )
    brief: RolloutBriefLocation | None = Field(
        None, description="Where its rollouts are listed for people; nowhere without it."
    )
    retention: dict[Name, RunRetention] = Field(
        default_factory=dict, description="What is retained, by kind of object: `pipelineruns`, `pvs`."
    )
    secrets: dict[Name, SecretRule] = Field(
        default_factory=dict, description="Secrets of the lane, by the name of the Secret."
    )
    values: Values = Field(default_factory=dict, description="Anything else that templates need; not checked.")
