"""Git: remotes, how they are reached, and the mirror that a node keeps of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from planner.spec.base import (
    Branch,
    Count,
    Cron,
    Duration,
    Flag,
    GitUrl,
    HttpUrl,
    ImageRef,
    Name,
    Port,
    RepoName,
    StrictModel,
    Text,
)
from planner.spec.namespaces_proxies_storage import ResourceBounds, Storage


class GitTransportPolicy(StrictModel):
    """The one transport by which git reaches the upstream. A token is an error (drift, S16) in every mode, and so is a
    URL of another one."""

    mode: Literal["ssh", "https", "http", "file"] = Field(
        description="The only transport that is used; there is no fallback."
    )
    proxy: Literal["none", "node-egress"] = Field(
        "none", description="`node-egress` tunnels ssh through the node's egress proxy by HTTP CONNECT."
    )
    known_hosts: tuple[Text, ...] = Field((), description="Lines of known_hosts; unknown host keys are refused.")
    identity_file: Text | None = Field(
        None, description="Private key on the machine that plans; the mirror itself uses `sshSecret`."
    )
    token_secret: Text | None = Field(
        None, description="Refused: tokens are drift. It is here to be named in the error."
    )


class GitRetryPolicy(StrictModel):
    """How often and with what pauses git asks the upstream again. Only transport errors of ssh are tried again; the end
    says `exhausted`."""

    attempts: Count = Field(4, description="Tries in all.")
    delay: Duration = Field("2s", description="Pause after the first try; doubled after each.")
    max_delay: Duration = Field("30s", description="Longest pause.")


class GitRemote(StrictModel):
    """A remote of the git mirror: a repository, and what of it the mirror holds."""

    url: GitUrl = Field(description="URL of the upstream. No credentials in it.")
    repo: RepoName | None = Field(None, description="`owner/name` on GitHub, for pull requests, comments and issues.")
    branches: tuple[Branch, ...] = Field((), description="Branches that are mirrored from the upstream.")
    gitops_branches: tuple[Branch, ...] = Field(
        (), description="Branches flushed back to the upstream, fast-forward only."
    )
    snapshot_pipeline: Name | None = Field(
        None, description="`<pipeline>` in the names of its snapshot refs: .../<pipeline>/<branch>/<commit>."
    )


class GitMirror(StrictModel):
    """The mirror of a node: one service, one cache, several remotes."""

    name: Name = Field("git-mirror", description="Name of its objects.")
    image: ImageRef = Field(description="Image with git, ssh and python.")
    port: Port = Field(8080, description="Port of the smart HTTP service.")
    url: HttpUrl | GitUrl | None = Field(
        None,
        description="Its address as hwplan reaches it, without `/<remote>.git`. With one, its refs are planned.",
    )
    via: Literal["direct", "job"] = Field(
        "direct",
        description="Who pushes its refs: hwplan itself, or a Job next to the mirror with the key of `sshSecret`.",
    )
    schedule: Cron = Field("*/5 * * * *", description="When it syncs by itself.")
    suspend: Flag = Field(False, description="Keep the schedule but do not run it.")
    cache: Storage = Field(description="Volume with the bare repositories.")
    resources: ResourceBounds = Field(default_factory=ResourceBounds, description="Of the service and of a sync.")
    github_transport: GitTransportPolicy = Field(description="How the upstreams are reached.")
    retry: GitRetryPolicy = Field(default_factory=GitRetryPolicy, description="What happens when ssh fails.")
    remotes: dict[Name, GitRemote] = Field(description="What is mirrored, by a short name that lanes refer to.")
    ssh_secret: Name = Field("git-mirror-ssh", description="Secret with the deploy key (`id_ed25519`).")
