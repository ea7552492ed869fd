"""The provider of git in a sandbox."""

from __future__ import annotations

from pathlib import Path

from providers.git.provider import create_git_provider
from providers.provider_tools import ProviderTools
from providers.sandbox.git_repositories import SandboxRemote, create_repository
from tests.testbed.git_fixtures import BareRepository
from tests.unit.git.git_world import World, blocked, follow, head, side, unreadable

MAIN = "refs/heads/main"


def test_a_sandbox_takes_folders_for_urls(tmp_path: Path) -> None:
    sandbox = tmp_path / "sand box%20"  # a folder of a user may be called anything
    (sandbox / "git").mkdir(parents=True)
    url, ours = "ssh://git@github.com/owner/hwlab.git", "http://git-mirror.ci.svc:8080/hwlab.git"
    commit = create_repository(sandbox / "git", SandboxRemote("hwlab", ("main",), url))
    create_repository(sandbox / "git", SandboxRemote("hwlab-mirror", (), ours))
    tools = ProviderTools(None, None, None, None, tmp_path, sandbox)  # type: ignore[arg-type]  # no cluster is asked
    world = World(tmp_path)
    world.provider = create_git_provider(tools)
    wish = follow(side(url), side(ours), transport=None)
    look = world.look(wish)
    assert look.change is not None and world.apply(look.change).outputs["commit"] == commit
    mirror = BareRepository(sandbox / "git" / "hwlab-mirror.git")
    assert mirror.at(MAIN) == commit
    world.provider = create_git_provider(tools)
    assert world.look(wish).change is None
    assert "the sandbox has no repository for" in unreadable(world.look(head("https://example.invalid/x.git")))
    assert "drift" in blocked(world.look(follow(side(url), side(ours), transport="ssh", name="other")))
