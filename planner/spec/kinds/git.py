"""Kinds for git: the head of a branch as data, and a ref that has to be like another one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from planner.spec.base import (
    Branch,
    Commit,
    Count,
    Duration,
    FullRef,
    GitUrl,
    HttpUrl,
    ImageRef,
    KeyName,
    Name,
    StrictModel,
)
from planner.spec.kinds.envelope import Deferred, FreeValue, KindModel
from planner.spec.namespaces_proxies_storage import ResourceBounds

Transport: TypeAlias = Literal["ssh", "https", "http", "file"]
# No `$` and no `%`: ssh would expand them.
KeyPath: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9~/.][A-Za-z0-9._/+@ -]{0,1023}$")]
HostKeyLine: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,4096}$")]


class GitSsh(StrictModel):
    """How an ssh remote is reached. No configuration file of ssh is read, and unknown host keys are refused."""

    proxy: HttpUrl | None = Field(
        None, description="`http://HOST:PORT` of a proxy; ssh is tunnelled through it by HTTP CONNECT."
    )
    known_hosts: tuple[HostKeyLine, ...] = Field(
        (), description="Lines of known_hosts, the only host keys that are accepted; without one no host is."
    )
    identity_file: KeyPath | None = Field(
        None,
        description="Private key, relative to the configuration folder or below `~`; the default keys if left out.",
    )


class GitRetry(StrictModel):
    """How often and with what pauses git tries again: after transport errors of ssh, nothing else. The end says
    `exhausted`."""

    attempts: Count = Field(4, ge=1, le=20, description="Tries in all.")
    delay: Duration = Field("2s", description="Pause after the first try; doubled after each.")
    max_delay: Duration = Field("30s", description="Longest pause.")


class GitRepositoryAccess(StrictModel):
    """A repository, and how it is reached."""

    remote: GitUrl | Name = Field(
        description="URL. A bare name of a remote of the node's mirror is refused: its template writes the URL."
    )
    transport: Transport | None = Field(
        None, description="The only transport allowed here; a URL of another one is drift and is refused."
    )
    ssh: GitSsh | None = Field(None, description="For a remote over ssh: proxy, host keys, private key.")
    retry: GitRetry = Field(default_factory=GitRetry, description="What happens when ssh fails.")


class GitHeadSpec(GitRepositoryAccess):
    """Which branch of which repository a GitHead reads."""

    branch: Branch = Field(description="Branch whose head is read.")
    commit: Commit | None = Field(
        None, description="Read this commit instead, which has to be in the history of the branch."
    )


class GitHead(KindModel):
    """Data: the commit that a branch stands on. Changes nothing. Outputs: `commit`, `short` (its first 12 digits)."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"commit", "short"})

    kind: Literal["GitHead"] = Field(description="GitHead.")
    spec: GitHeadSpec = Field(description="What is read.")


class ReachableGitRefSide(GitRepositoryAccess):
    """One side (`from` or `to`) of a GitRef, and from where it can be reached."""

    reach: Literal["here", "cluster"] = Field(
        "here",
        description="`cluster`: only inside of it. Nobody asks from here; what is known is what the last Job reported.",
    )


class GitRefPushJobSettings(StrictModel):
    """The settings of the Job that pushes a GitRef from inside of the cluster; rendered with
    templates/hwplan/git-ref/job.yaml.j2."""

    image: ImageRef = Field(
        description="Image with sh, git, ssh and a user 1000, and python3 where `ssh.proxy` is used."
    )
    service_account: Name | None = Field(None, description="ServiceAccount; its token is not mounted.")
    ssh_secret: Name | None = Field(None, description="Secret with the private key; mounted, never in env or args.")
    ssh_key: KeyName = Field("id_ed25519", description="Key of that Secret that holds the private key.")
    deadline: Duration = Field("10m", description="Longest time from its start to its end.")
    keep: Duration = Field("24h", description="How long it stays when it has ended, for whoever looks.")
    resources: ResourceBounds = Field(default_factory=ResourceBounds, description="CPU and memory of the container.")


class GitRefSide(ReachableGitRefSide):
    """One ref in one repository."""

    ref: FullRef | Deferred = Field(description="Full ref name, `refs/heads/v0.3`.")


class GitRefOrigin(ReachableGitRefSide):
    """Where the wanted commit comes from: a ref, or a commit that is named."""

    ref: FullRef | Deferred | None = Field(None, description="Full ref name.")
    commit: Commit | Deferred | None = Field(None, description="Full commit id.")

    @model_validator(mode="after")
    def _ref_or_commit(self) -> Self:
        if (self.ref is None) == (self.commit is None):
            raise ValueError("`from` names either a `ref` or a `commit`")
        if self.reach == "cluster" and self.commit is None:
            raise ValueError("with `reach: cluster`, `from` names its `commit`: nobody can look where the ref stands")
        return self


class GitRefSpec(StrictModel):
    """What a GitRef declares: both of its sides, and the rule between them."""

    from_: GitRefOrigin = Field(alias="from", description="Where the commit comes from.")
    to: GitRefSide = Field(description="The ref that has to stand on it.")
    mode: Literal["mirror", "fast-forward", "immutable"] = Field(
        description="`mirror`: follow, and refuse a rewritten upstream; `fast-forward`: only forward; "
        "`immutable`: create once, never move."
    )
    transport: Transport | None = Field(
        None, description="The only transport allowed for both sides; a side may name its own instead."
    )
    via: Literal["direct", "job"] = Field(
        "direct", description="Push from here, or by a Job in the cluster, in the namespace of this document."
    )
    job: GitRefPushJobSettings | None = Field(None, description="With `via: job`: how the Job runs.")
    job_template: FreeValue = Field(
        None, description="Instead of `job`: the whole Job, as the `jobTemplate` of a CronJob; container `push`."
    )

    @model_validator(mode="after")
    def _job_is_whole(self) -> Self:
        described = (self.job is not None) + (self.job_template is not None)
        if described != (1 if self.via == "job" else 0):
            raise ValueError("`via: job` takes either `job` or `jobTemplate`, and `via: direct` neither")
        if self.via == "direct" and "cluster" in (self.from_.reach, self.to.reach):
            raise ValueError("`reach: cluster` needs `via: job`")
        return self


class GitRef(KindModel):
    """A ref that has to be like another one. Pushes are never forced: a ref only moves forward, or is created.

    Outputs: `commit`, `inSync`, `pendingFlush` (the commit is not there yet), `ahead` and `behind` (commits that only
    `from`, only `to` has; `unknown` where the objects cannot be had).
    """

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"commit", "inSync", "pendingFlush", "ahead", "behind"})

    kind: Literal["GitRef"] = Field(description="GitRef.")
    spec: GitRefSpec = Field(description="What has to hold.")

    @model_validator(mode="after")
    def _job_has_a_namespace(self) -> Self:
        if (self.spec.via == "job") != (self.metadata.namespace is not None):
            raise ValueError("`metadata.namespace` is where the Job runs: needed with `via: job`, of no use without")
        return self
