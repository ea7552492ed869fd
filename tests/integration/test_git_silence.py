"""A server that accepts a connection and says nothing more: git ends by itself, also one that outlives its hwplan."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from providers.git.git_client import GitClient, GitLimits
from providers.git.git_failures import GitCommandFailed
from providers.git.object_cache import ObjectCache
from providers.git.remotes import RemoteLocations, resolve_remote
from tests.unit.git.git_world import side


def test_git_gives_a_silent_server_up_and_the_lock_with_it(tmp_path: Path) -> None:
    """A git that lives on when hwplan is killed holds the lock of the cache: every later plan would wait for it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        remote = resolve_remote(side(f"http://127.0.0.1:{server.getsockname()[1]}/x.git"), RemoteLocations(tmp_path))
        client = GitClient(GitLimits(silence=1))
        began = time.monotonic()
        with pytest.raises(GitCommandFailed):
            ObjectCache(client, tmp_path / "cache").bring(remote, "a" * 40)
        assert time.monotonic() - began < 15, "by git itself, not by the limit of moving objects"
