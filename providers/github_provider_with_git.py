"""The provider of GitHub's kinds for one command: GitHub, or the one of a sandbox, joined with git.

Joins systems that do not know each other, so it stands above them.
"""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path
from shutil import rmtree

from planner.user_cache_folder import user_cache_folder
from providers.git.git_client import GitClient
from providers.git.git_merges import RemoteGitMergePredictor
from providers.git.object_cache import ObjectCache
from providers.git.remotes import open_remote_locations
from providers.github.github_clients import GitHubClientsByAccount, connect_to_simulated_github
from providers.github.provider import GitHubProvider
from providers.provider_tools import ProviderTools
from providers.simulated_github.sandbox_github_web import SandboxGitHubWeb
from providers.web.address_policy import refuse_link_local_or_metadata_address
from providers.web.bounded_http_client import BoundedHttpClient, HttpClientLimits

LIMITS = HttpClientLimits(connect=5.0, read=30.0, total=60.0)


def create_github_provider(tools: ProviderTools) -> GitHubProvider:
    """The provider of GitHub's kinds for one command. Raises PermanentError when the sandbox's list of repositories is
    damaged."""
    return create_github_provider_without_cluster(tools.folder, tools.sandbox)


def create_github_provider_without_cluster(folder: Path, sandbox: Path | None) -> GitHubProvider:
    """The provider of GitHub's kinds where no cluster is connected. `folder` is where relative paths start."""
    client, places = GitClient(), open_remote_locations(folder, sandbox)
    if sandbox is None:
        clients = GitHubClientsByAccount(folder, BoundedHttpClient(LIMITS, vet=refuse_link_local_or_metadata_address))
        return GitHubProvider(
            clients, RemoteGitMergePredictor(client, ObjectCache(client, user_cache_folder("git")), places)
        )
    clients = GitHubClientsByAccount(folder, SandboxGitHubWeb(sandbox), connect_to_simulated_github)
    scratch = Path(tempfile.mkdtemp(prefix="hwplan-git-"))
    provider = GitHubProvider(clients, RemoteGitMergePredictor(client, ObjectCache(client, scratch), places))
    weakref.finalize(provider, rmtree, scratch, ignore_errors=True)
    return provider
