"""The provider of git against real remotes: files, smart HTTP, sshd, and sshd through a CONNECT proxy."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from planner.app.read_and_preview import preview_with_all_providers, read_with_all_providers
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError
from planner.graph import build_graph
from planner.ports import AbsentObject, PresentObject, PreviewEffect
from planner.values import JsonObject, OutputTemplate, parse_output_ref
from providers.provider_table import TABLE, ProviderTable
from providers.provider_tools import ProviderTools
from tests.testbed.git_fixtures import BareRepository, mirror_of, upstream_of
from tests.testbed.git_server import ConnectProxy, GitHttp, GitRule, GitSsh
from tests.testbed.proxy import FaultProxy, Faults
from tests.unit.git.git_world import QUICK, World, blocked, declare, follow, head, side, unreadable

MAIN = "refs/heads/main"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def upstream(tmp_path: Path) -> BareRepository:
    return upstream_of(tmp_path)


@pytest.fixture
def mirror(tmp_path: Path, upstream: BareRepository) -> BareRepository:
    """A mirror that is up to date."""
    return mirror_of(upstream, tmp_path)


def over_ssh(sshd: GitSsh, repository: BareRepository, port: int | None = None, **ssh: object) -> JsonObject:
    """A side that is reached over ssh."""
    settings = {"knownHosts": sshd.known_hosts(port), "identityFile": str(sshd.identity), **ssh}
    return side(sshd.url(repository.path, port), ssh=settings, retry=QUICK)


@pytest.mark.parametrize("transport", ["file", "http", "ssh", "proxy"])
def test_a_mirror_follows_and_the_next_plan_is_empty(
    transport: str, request: pytest.FixtureRequest, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    match transport:
        case "file":
            sides = side(upstream.url), side(mirror.url)
        case "http":
            web = request.getfixturevalue("web")
            sides = side(web.url("upstream.git")), side(web.url("mirror.git"))
        case _:
            sshd = request.getfixturevalue("sshd")
            more = {"proxy": request.getfixturevalue("tunnel").url} if transport == "proxy" else {}
            sides = over_ssh(sshd, upstream, **more), over_ssh(sshd, mirror, **more)
    old = upstream.at(MAIN)
    upstream.grow(MAIN, "second")
    new = upstream.grow(MAIN, "third")
    wish = follow(*sides)

    look = world.look(wish)
    assert isinstance(look.seen, PresentObject) and look.seen.content == old
    assert look.seen.outputs == {"commit": old, "inSync": False, "pendingFlush": True, "ahead": 2, "behind": 0}
    assert look.change is not None and look.change.expects == new
    assert [(field.path, field.before, field.after) for field in look.change.fields] == [(("commit",), old, new)]
    assert look.preview is not None and look.preview.outputs == {"commit": new}
    assert mirror.at(MAIN) == old, "a plan writes nothing"

    written = world.converge(wish)
    assert written.outputs == {"commit": new, "inSync": True, "pendingFlush": False, "ahead": 0, "behind": 0}
    assert not written.already and not written.warnings and mirror.at(MAIN) == new
    if transport == "proxy":
        assert set(request.getfixturevalue("tunnel").targets) == {f"127.0.0.1:{sshd.port}"}


def test_a_head_is_data(world: World, upstream: BareRepository) -> None:
    look = world.look(head(upstream.url))
    commit = upstream.at(MAIN)
    assert isinstance(look.seen, PresentObject) and look.seen.outputs == {"commit": commit, "short": commit[:12]}
    assert look.preview is not None and look.preview.effect is PreviewEffect.NONE and not look.preview.blocked
    assert "no branch gone" in blocked(world.look(head(upstream.url, "gone")))


def test_every_remote_is_listed_once_in_a_plan(web: GitHttp, world: World, upstream: BareRepository) -> None:
    BareRepository.create(web.root / "mirror.git").grow(MAIN, "its own")
    source, target = web.url("upstream.git"), web.url("mirror.git")
    wishes = [head(source)] + [follow(side(source), side(target, f"refs/heads/b{i}"), name=f"r{i}") for i in range(20)]
    assert all(look.change for look in world.plan(*wishes)[1:])
    world.plan(*wishes)
    assert sorted(world.listed) == sorted([source, target])
    assert web.listings() == 2 and len(web.requests) == 4, "the second request of each is that of protocol v2"


def test_an_empty_remote_is_believed_only_when_it_speaks_the_protocol(
    web: GitHttp, world: World, upstream: BareRepository
) -> None:
    """Where the header of an answer is cut, git falls back to plain files and sees a remote without any ref."""
    empty = BareRepository.create(web.root / "empty.git")
    wish = follow(side(upstream.url), side(web.url("empty.git")))
    assert isinstance(world.look(wish).seen, AbsentObject)
    world.converge(wish)
    assert empty.at(MAIN) == upstream.at(MAIN)
    for cut in (1, 16, 30, 200):
        with FaultProxy("127.0.0.1", web.port, Faults(cut_after=cut)) as proxy:
            there = side(f"http://127.0.0.1:{proxy.port}/upstream.git")
            assert "connection was lost" in unreadable(world.again().look(follow(there, there)))


def test_a_new_ref_is_created_and_then_left_alone(world: World, upstream: BareRepository) -> None:
    wish = follow(side(upstream.url), side(upstream.url, "refs/heads/copy"))
    assert isinstance(world.look(wish).seen, AbsentObject)
    assert world.converge(wish).outputs["commit"] == upstream.at("refs/heads/copy") == upstream.at(MAIN)


def test_applying_twice_finds_it_done(world: World, upstream: BareRepository, mirror: BareRepository) -> None:
    upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(mirror.url)))
    assert not world.apply(change).already
    assert world.apply(change).already


def test_a_force_pushed_upstream_is_refused_and_named(
    world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    retained = upstream.grow(MAIN, "second")
    world.converge(follow(side(upstream.url), side(mirror.url)))
    upstream.put(MAIN, upstream.commit("rewritten"))
    look = world.again().look(follow(side(upstream.url), side(mirror.url)))
    text = blocked(look)
    assert "force-pushed" in text and "1 ahead, 2 behind" in text and retained[:12] in text
    assert isinstance(look.seen, PresentObject) and (look.seen.outputs["ahead"], look.seen.outputs["behind"]) == (1, 2)
    assert mirror.at(MAIN) == retained


def test_a_flush_goes_only_forward(world: World, upstream: BareRepository, mirror: BareRepository) -> None:
    mirror.grow(MAIN, "gitops")
    wish = follow(side(mirror.url), side(upstream.url), "fast-forward")
    world.converge(wish)
    upstream.grow(MAIN, "by somebody at the upstream")
    assert "the target has commits that the source has not" in blocked(world.again().look(wish))
    mirror.grow(MAIN, "gitops again")
    assert "the two have diverged" in blocked(world.again().look(wish))


def test_the_force_push_after_the_plan_is_refused_by_the_apply(
    world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(mirror.url)))
    theirs = mirror.grow(MAIN, "somebody else")
    with pytest.raises(PreconditionError, match="the plan saw"):
        world.apply(change)
    assert mirror.at(MAIN) == theirs


def test_a_step_forward_by_somebody_else_makes_the_plan_stale_too(
    world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    between = upstream.grow(MAIN, "second")
    upstream.grow(MAIN, "third")
    change = world.change(follow(side(upstream.url), side(mirror.url)))
    mirror.take(upstream, between, MAIN)
    with pytest.raises(PreconditionError, match="the plan saw"):
        world.apply(change)
    assert mirror.at(MAIN) == between


def test_an_immutable_ref_is_created_once(world: World, upstream: BareRepository) -> None:
    ref = f"refs/unidesk/snapshots/ci/main/{upstream.at(MAIN)}"
    wish = follow(side(upstream.url), side(upstream.url, ref), "immutable")
    world.converge(wish)
    retained = upstream.at(ref)
    upstream.grow(MAIN, "second")
    text = blocked(world.again().look(wish))
    assert "an immutable ref exists with another value" in text and retained[:12] in text
    assert upstream.at(ref) == retained


def test_an_immutable_ref_that_appears_after_the_plan(world: World, upstream: BareRepository) -> None:
    ref = "refs/unidesk/snapshots/ci/main/x"
    change = world.change(follow(side(upstream.url), side(upstream.url, ref), "immutable"))
    theirs = upstream.commit("somebody else")
    upstream.put(ref, theirs)
    with pytest.raises(PreconditionError):
        world.apply(change)
    assert upstream.at(ref) == theirs


def test_a_tag_is_never_moved(world: World, upstream: BareRepository, mirror: BareRepository) -> None:
    tag = "refs/tags/v1"
    upstream.put(tag, upstream.at(MAIN))
    world.converge(follow(side(upstream.url, tag), side(mirror.url, tag)))
    upstream.put(tag, upstream.grow(MAIN, "second"))
    assert "a tag is never moved" in blocked(world.again().look(follow(side(upstream.url, tag), side(mirror.url, tag))))


def test_a_missing_snapshot_stops_with_its_name(web: GitHttp, world: World, upstream: BareRepository) -> None:
    here = web.url("upstream.git")
    gone = "refs/unidesk/snapshots/ci/main/gone"
    assert "source-snapshot-missing" in blocked(world.look(follow(side(here, gone), side(here, "refs/heads/copy"))))
    lost = follow({"remote": here, "commit": "1" * 40}, side(here, "refs/heads/copy"))
    assert "source-snapshot-missing" in blocked(world.look(lost))
    assert "source-ref-missing" in blocked(world.look(follow(side(here, "refs/heads/x"), side(here, "refs/heads/y"))))


def test_a_named_commit_deep_in_the_history(web: GitHttp, world: World, upstream: BareRepository) -> None:
    first, here = upstream.at(MAIN), web.url("upstream.git")
    upstream.grow(MAIN, "second")
    world.converge(follow({"remote": here, "commit": first}, side(here, "refs/heads/copy"), "immutable"))
    assert upstream.at("refs/heads/copy") == first


def test_a_name_and_a_forbidden_transport_are_refused(world: World, web: GitHttp, upstream: BareRepository) -> None:
    here = side(web.url("upstream.git"))
    text = blocked(world.look(follow(here, here, transport="ssh")))
    assert "drift" in text and "githubTransport.mode=ssh" in text and "http://" in text
    assert "is a name, not a URL" in blocked(world.look(follow(side("hwlab"), here)))
    assert web.requests == []


def test_a_server_that_fails_is_unreadable_and_asked_once(web: GitHttp, world: World, upstream: BareRepository) -> None:
    web.rules = [GitRule("status", times=99, code=503)]
    text = unreadable(world.look(follow(side(web.url("upstream.git"), retry=QUICK), side(web.url("upstream.git")))))
    assert "cannot be reached" in text and "exhausted" not in text
    assert web.listings() == 1 and world.slept == [], "only failures of ssh are tried again"
    world.again()
    web.rules = [GitRule("status", times=99, code=404)]
    assert "no such repository" in unreadable(world.look(head(web.url("upstream.git"))))
    world.again()
    web.rules = [GitRule("status", times=99, code=401)]
    assert "refuses the credentials" in unreadable(world.look(head(web.url("upstream.git"))))


def test_transient_failures_of_ssh_are_tried_again_until_exhausted(
    sshd: GitSsh, world: World, upstream: BareRepository
) -> None:
    with FaultProxy("127.0.0.1", sshd.port, Faults(refuse=True, count=2)) as proxy:
        spec = over_ssh(sshd, upstream, proxy.port)
        wish = declare("GitHead", "source", {key: spec[key] for key in ("remote", "ssh", "retry")} | {"branch": "main"})
        assert isinstance(world.look(wish).seen, PresentObject)
        assert world.slept == [0.01, 0.02] and proxy.traffic.connections == 3
        proxy.faults = Faults(refuse=True)
        assert "exhausted: 3 tries" in unreadable(world.again().look(wish))
        assert proxy.traffic.connections == 6


@pytest.mark.parametrize(
    ("mode", "code", "tries", "said"),
    [
        ("reset", 0, 3, "cannot be reached (exhausted: 3 tries)"),
        ("close", 0, 3, "cannot be reached (exhausted: 3 tries)"),
        ("status", 503, 3, "cannot be reached (exhausted: 3 tries)"),
        ("status", 407, 1, "the proxy refuses"),
        ("garbage", 0, 1, "the proxy refuses"),
        ("endless", 0, 1, "the proxy refuses"),
    ],
)
def test_a_proxy_that_fails(
    mode: str, code: int, tries: int, said: str,
    sshd: GitSsh, tunnel: ConnectProxy, world: World, upstream: BareRepository,
) -> None:  # fmt: skip
    tunnel.mode, tunnel.code = mode, code  # type: ignore[assignment]
    there = over_ssh(sshd, upstream, proxy=tunnel.url)
    assert said in unreadable(world.look(follow(there, there)))
    assert len(world.slept) == tries - 1


def test_a_proxy_that_comes_back(
    sshd: GitSsh, tunnel: ConnectProxy, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    upstream.grow(MAIN, "second")
    tunnel.mode, tunnel.times = "status", 2
    world.converge(follow(over_ssh(sshd, upstream, proxy=tunnel.url), side(mirror.url)))


def test_keys_that_do_not_fit_are_named_and_not_tried_again(
    sshd: GitSsh, world: World, tmp_path: Path, upstream: BareRepository
) -> None:
    def said(**ssh: object) -> str:
        there = over_ssh(sshd, upstream, None, **ssh)
        return unreadable(world.again().look(follow(there, there)))

    other = f"[127.0.0.1]:{sshd.port} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS"
    assert "host key" in said(knownHosts=[])
    assert "host key" in said(knownHosts=[other])
    key = tmp_path / "key"
    key.write_text("nothing\n")
    key.chmod(0o600)
    assert "refuses the credentials" in said(identityFile=str(key))
    key.chmod(0o644)
    assert "read by others" in said(identityFile=str(key))
    assert "cannot be read" in said(identityFile=str(tmp_path / "none"))
    gone = over_ssh(sshd, BareRepository(upstream.path.with_name("gone.git")))
    assert "no such repository" in unreadable(world.again().look(follow(gone, gone)))
    assert world.slept == []


def test_a_remote_that_hangs_is_given_up(
    sshd: GitSsh, tunnel: ConnectProxy, world: World, upstream: BareRepository
) -> None:
    tunnel.mode = "hang"
    world.limits = type(world.limits)(listing=1.0)
    there = over_ssh(sshd, upstream, proxy=tunnel.url)
    began = time.monotonic()
    assert "took too long" in unreadable(world.again().look(follow(there, there)))
    assert time.monotonic() - began < 10, "less than the connector's own patience: git, ssh and it were killed"


def test_a_chain_of_refs_is_planned_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upstream: BareRepository, mirror: BareRepository
) -> None:
    """Upstream to mirror, and from there to a snapshot whose name holds the commit: nothing of it is there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    new = upstream.grow(MAIN, "second")
    source = head(upstream.url)
    sync = follow(side(upstream.url), side(mirror.url), name="sync")
    name = OutputTemplate(("refs/unidesk/snapshots/ci/main/", parse_output_ref("GitHead/source#commit")))
    origin = {"remote": mirror.url, "commit": parse_output_ref("GitRef/sync#commit")}
    snapshot = follow(origin, {"remote": mirror.url, "ref": name}, "immutable", name="snapshot")
    resources = {resource.address: resource for resource in (source, sync, snapshot)}
    assert TABLE["GitRef"] == "providers.git.provider:create_git_provider"
    tools = ProviderTools(None, None, None, None, tmp_path)  # type: ignore[arg-type]  # no cluster is asked
    providers = ProviderTable(tools)
    seen, _ = read_with_all_providers(providers, list(resources.values()), (), ())
    assert isinstance(seen.observations[snapshot.address], AbsentObject)
    predicted = preview_with_all_providers(
        providers, resources, seen.observations, build_graph(list(resources.values()))
    )
    preview = predicted.previews[snapshot.address]
    assert (preview.effect, preview.expects, preview.blocked) == (PreviewEffect.CREATE, new, "")
    filled = predicted.resources[snapshot.address].manifest["spec"]["to"]["ref"]
    assert filled == f"refs/unidesk/snapshots/ci/main/{new}"

    world = World(tmp_path)
    world.converge(sync)
    world.converge(predicted.resources[snapshot.address])
    assert mirror.at(filled) == new


def test_a_ref_that_is_not_known_yet_shows_its_leaf(world: World, upstream: BareRepository) -> None:
    leaf = parse_output_ref("GitRef/other#commit")
    wish = follow({"remote": upstream.url, "commit": leaf}, side(upstream.url, "refs/heads/copy"))
    look = world.look(wish)
    assert look.change is not None and look.change.expects == "" and look.change.fields[0].after == leaf
    with pytest.raises(PermanentError, match="still unknown"):
        world.apply(look.change)


def test_a_cache_that_a_killed_git_has_left(world: World, upstream: BareRepository, mirror: BareRepository) -> None:
    upstream.grow(MAIN, "second")
    wish = follow(side(upstream.url), side(mirror.url))
    world.converge(wish)
    cache = world.folder / "cache" / "objects.git"
    for retained in list((cache / "refs" / "kept").iterdir()):
        retained.with_name(retained.name + ".lock").touch()
    upstream.grow(MAIN, "third")
    world.again().converge(wish)
    (cache / "objects" / "info").rmdir()  # as if it had been killed while it made the cache
    (cache / "HEAD").unlink()
    upstream.grow(MAIN, "fourth")
    world.again().converge(wish)


def test_deleting_is_refused(world: World, upstream: BareRepository) -> None:
    change = world.change(follow(side(upstream.url), side(upstream.url, "refs/heads/copy")))
    with pytest.raises(PermanentError, match="not deleted"):
        world.provider.delete(change)
    assert world.provider.readiness([change])[change.address].ok


def test_an_unreadable_confirmation_is_an_unknown_outcome(
    web: GitHttp, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(web.url("mirror.git"))))
    web.rules = [GitRule("status", times=2, code=503, matches=lambda _m, path: "upload-pack" in path, skip=2)]
    with pytest.raises(OutcomeUnknown, match="partialSuccess=push-succeeded-fetch-failed"):
        world.apply(change)
    assert world.apply(change).already


def test_a_failed_confirmation_is_repeated_once(
    web: GitHttp, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(web.url("mirror.git"))))
    web.rules = [GitRule("status", times=1, code=503, matches=lambda _m, path: "upload-pack" in path, skip=2)]
    written = world.apply(change)
    assert written.warnings == ("partialSuccess=push-succeeded-fetch-failed", "partialSuccessRecovered=true")
    assert mirror.at(MAIN) == upstream.at(MAIN)
