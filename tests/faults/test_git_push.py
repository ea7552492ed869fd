"""Pushes that are disturbed: races, cut connections, lost answers. Whatever happens, a ref is never wrong.

Never wrong: it stands where it stood, or on the commit of the plan, or on that of another pusher, and no commit that a
ref of the server led to is lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, ProviderError, TemporaryError
from planner.plan import Change
from planner.ports import PresentObject, Written
from tests.faults.pushes import Racer, settle, strike_next
from tests.testbed.fixtures import part
from tests.testbed.git_fixtures import BareRepository, mirror_of, upstream_of
from tests.testbed.git_server import GitHttp, GitRule, ssh_server
from tests.testbed.proxy import FaultProxy, Faults
from tests.unit.git.git_world import QUICK, World, follow, side

MAIN = "refs/heads/main"
# In bytes. Up, a push here is some 100,000; down, it is some 1,000 in all.
CUTS = {
    "reset_after": (0, 20, 300, 700, 1_000),
    "cut_after": (0, 20, 300, 700, 1_000),
    "reset_after_up": (0, 100, 700, 1_500, 60_000),
}
ROUNDS = 4
RACES = 10


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def upstream(tmp_path: Path) -> BareRepository:
    return upstream_of(tmp_path)


@pytest.fixture
def mirror(tmp_path: Path, upstream: BareRepository) -> BareRepository:
    return mirror_of(upstream, tmp_path)


def test_two_pushers_race_and_nobody_overwrites(tmp_path: Path, web: GitHttp, upstream: BareRepository) -> None:
    """Two sources that went different ways, one target, both planned from the same value, both applied at once."""
    target = BareRepository.create(tmp_path / "target.git")
    other = BareRepository.create(tmp_path / "other.git")
    for source in (other, target):
        source.take(upstream, upstream.at(MAIN), MAIN)
    for number in range(ROUNDS):
        ref = MAIN if number % 2 else f"refs/unidesk/snapshots/ci/main/{number}"
        mode = "fast-forward" if number % 2 else "immutable"
        base = target.at(MAIN)
        worlds, changes, news = [], [], []
        for name, source in (("upstream", upstream), ("other", other)):
            source.take(target, base, MAIN)
            news.append(source.grow(MAIN, f"{name} {number}", size=2000))
            world = World(tmp_path / f"{name}{number}")
            world.folder.mkdir()
            worlds.append(world)
            changes.append(world.change(follow(side(source.url), side(web.url("target.git"), ref), mode)))
        gate = threading.Barrier(2)

        def pushed(world: World, change: Change, gate: threading.Barrier = gate) -> Written | ProviderError:
            gate.wait(30)
            return settle(world, change)

        with ThreadPoolExecutor(2) as pool:
            ends = list(pool.map(pushed, worlds, changes))
        won = [isinstance(end, Written) for end in ends]
        assert sorted(won) == [False, True], ends
        assert isinstance(ends[won.index(False)], PreconditionError)
        assert target.at(ref) == news[won.index(True)]
        assert target.holds(base)


def test_two_processes_race_in_a_loop(tmp_path: Path, upstream: BareRepository) -> None:
    """Each plans from the same value, both push at once, over and over: one wins, its commit stays for ever."""
    target, other = (BareRepository.create(tmp_path / name) for name in ("target.git", "other.git"))
    for repository in (target, other):
        repository.take(upstream, upstream.at(MAIN), MAIN)
    racers = [Racer(tmp_path / name) for name in ("left", "right")]
    retained: list[str] = []
    for number in range(RACES):
        mode, ref = ("fast-forward", MAIN) if number % 2 else ("immutable", f"refs/unidesk/snapshots/ci/main/{number}")
        base, wants = target.at(MAIN), []
        for racer, source in zip(racers, (upstream, other), strict=True):
            source.take(target, base, MAIN)
            source.grow(MAIN, f"{source.path.name} {number}")
            racer.tell({"source": source.url, "target": target.url, "ref": ref, "mode": mode})
        wants = [racer.said()["wants"] for racer in racers]
        for racer in racers:
            racer.tell("go")
        ends = [racer.said() for racer in racers]
        won = [end["end"] == "Written" for end in ends]
        assert any(won), ends
        assert target.at(ref) == wants[won.index(True)]
        assert sum(won) == 1 and {end["end"] for end in ends} <= {"Written", "PreconditionError", "TemporaryError"}, (
            ends
        )
        retained.append(target.at(ref))
        assert all(target.holds(commit) for commit in retained)
    for racer in racers:
        racer.close()


def test_a_push_between_our_reading_and_our_push(
    web: GitHttp, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    """Somebody pushes at the very moment when the server lists its refs for our push."""
    upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(web.url("mirror.git"))))
    theirs: list[str] = []

    def strike(_method: str, path: str) -> bool:
        if "service=git-receive-pack" in path and not theirs:
            theirs.append(mirror.grow(MAIN, "somebody else"))
        return False

    web.rules = [GitRule("status", matches=strike)]
    with pytest.raises(PreconditionError):
        world.apply(change)
    assert mirror.at(MAIN) == theirs[0]


def test_a_push_between_the_listing_and_the_update(
    web: GitHttp, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    """Somebody pushes after the server has listed its refs for our push: the server's own comparison refuses us."""
    upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(web.url("mirror.git"))))
    theirs: list[str] = []

    def strike(method: str, path: str) -> bool:
        if method == "POST" and path.endswith("git-receive-pack") and not theirs:
            theirs.append(mirror.grow(MAIN, "somebody else"))
        return False

    web.rules = [GitRule("status", matches=strike)]
    with pytest.raises(PreconditionError):
        world.apply(change)
    assert mirror.at(MAIN) == theirs[0]


def test_a_step_forward_between_our_reading_and_our_push_is_not_passed_over(
    web: GitHttp, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    """Somebody pushes half of what we have: an unforced push would take the other half along, past what was planned."""
    between = upstream.grow(MAIN, "second")
    upstream.grow(MAIN, "third")
    change = world.change(follow(side(upstream.url), side(web.url("mirror.git"))))

    def strike(_method: str, path: str) -> bool:
        if "service=git-receive-pack" in path:
            mirror.take(upstream, between, MAIN)
        return False

    web.rules = [GitRule("status", matches=strike)]
    with pytest.raises(PreconditionError, match="the plan saw"):
        world.apply(change)
    assert mirror.at(MAIN) == between


@pytest.mark.parametrize("media", ["text/plain", "application/x-git-receive-pack-advertisement"])
def test_an_empty_listing_for_a_push_is_an_unreadable_server(
    media: str, web: GitHttp, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    """Git compares the lease with the empty listing and says that the ref moved; it stands where it stood."""
    new, old = upstream.grow(MAIN, "second"), mirror.at(MAIN)
    change = world.change(follow(side(upstream.url), side(web.url("mirror.git"))))
    web.rules = [
        GitRule(
            "status", code=200, body=b"", headers={"Content-Type": media}, matches=lambda _m, path: "receive" in path
        )
    ]
    with pytest.raises((TemporaryError, OutcomeUnknown)) as caught:
        world.apply(change)
    assert "not where it was" not in caught.value.message
    assert mirror.at(MAIN) == old
    assert isinstance(settle(world, change), Written) and mirror.at(MAIN) == new


@pytest.mark.parametrize("action", ["lose-request", "lose-answer", "status"])
def test_a_push_whose_answer_is_lost(
    action: str, web: GitHttp, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    new = upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(web.url("mirror.git"))))
    web.rules = [GitRule(action, matches=lambda method, path: method == "POST" and "receive" in path)]  # type: ignore[arg-type]
    if action == "status":  # the server may be at work behind a gateway that gave up
        with pytest.raises(OutcomeUnknown, match="connection was lost"):
            world.apply(change)
    end = settle(world, change)
    assert isinstance(end, Written) and mirror.at(MAIN) == new
    look = world.again().look(follow(side(upstream.url), side(web.url("mirror.git"))))
    assert look.change is None and isinstance(look.seen, PresentObject)


def test_a_push_whose_answer_is_cut_is_told_by_reading(
    web: GitHttp, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    new = upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(web.url("mirror.git"))))
    web.rules = [GitRule("cut-answer", matches=lambda method, path: method == "POST" and "receive" in path)]
    written = world.apply(change)
    assert mirror.at(MAIN) == new and "reading showed that it succeeded" in written.warnings[0]


def test_an_immutable_ref_that_appears_while_we_create_it(
    web: GitHttp, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    """On an ancestor of ours, where an ordinary push would move it forward."""
    ref, older = "refs/unidesk/snapshots/ci/main/x", mirror.at(MAIN)
    upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(web.url("mirror.git"), ref), "immutable"))

    def strike(_method: str, path: str) -> bool:
        if "service=git-receive-pack" in path:
            mirror.put(ref, older)
        return False

    web.rules = [GitRule("status", matches=strike)]
    with pytest.raises(PreconditionError):
        world.apply(change)
    assert mirror.at(ref) == older


@pytest.mark.parametrize("way", ["reset_after", "cut_after", "reset_after_up"])
def test_a_push_over_http_that_is_cut_at_a_byte(
    way: str, tmp_path: Path, web: GitHttp, upstream: BareRepository, mirror: BareRepository
) -> None:
    """The connection of the push itself is cut; whatever is left, the next run ends it."""
    written = 0
    for cut in CUTS[way]:
        world = World(tmp_path)
        with FaultProxy("127.0.0.1", web.port) as proxy:
            wish = follow(side(upstream.url), side(f"http://127.0.0.1:{proxy.port}/mirror.git"))
            old, new = mirror.at(MAIN), upstream.grow(MAIN, f"{way} {cut}", size=100_000)
            change = world.change(wish)
            world.on_listed = strike_next(proxy, **{way: cut})
            end = settle(world, change)
            assert mirror.at(MAIN) in (old, new)
            if isinstance(end, Written):
                assert mirror.at(MAIN) == new and end.outputs["commit"] == new
            else:
                assert end.message
            written += isinstance(end, Written)
            assert proxy.faults.count and proxy.traffic.connections >= proxy.faults.count
            assert isinstance(settle(world, change), Written)
            assert mirror.at(MAIN) == new
            assert world.again().look(wish).change is None
    assert written


RETRY_AFTER = ("0", "-1", "soon", "999999999999", "1e309", "Thu, 01 Jan 1970 00:00:00 GMT", "0x10", "")


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_storm_of_statuses_ends_at_once_and_changes_nothing(
    code: int, web: GitHttp, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    """Whatever Retry-After says, nobody waits; when the storm is over, the same plan is applied."""
    old, new = mirror.at(MAIN), upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(web.url("mirror.git"))))
    ways: tuple[Callable[[str, str], bool], ...] = (
        lambda method, path: True,
        lambda method, path: "service=git-receive-pack" in path,
        lambda method, path: method == "POST" and path.endswith("git-receive-pack"),
    )
    for number, retry_after in enumerate(RETRY_AFTER):
        before = len(web.requests)
        rule = GitRule("status", times=99, code=code, matches=ways[number % 3], headers={"Retry-After": retry_after})
        web.rules = [rule]
        with pytest.raises((PermanentError, OutcomeUnknown)) as caught:
            world.apply(change)
        assert "mirror.git" in caught.value.message and len(web.requests) - before < 12
        assert mirror.at(MAIN) == old and world.slept == []
    web.rules = []
    assert isinstance(world.apply(change), Written) and mirror.at(MAIN) == new


def test_a_push_over_ssh_that_is_cut_at_any_stage(
    tmp_path: Path, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    """In the banner, the key exchange, the login, the listing, the pack, the report: tried again, and once there."""
    keys = tmp_path / "sshd"
    keys.mkdir()
    with part(), ssh_server(keys) as sshd:
        # A connection that only lists is some 2,850 bytes up and 2,710 down here.
        ways = [{"reset_after_up": at} for at in (0, 20, 1_200, 2_400, 2_900, 50_000, 102_000)]
        ways += [{"reset_after": at} for at in (20, 1_500, 2_600, 2_800)]
        disturbed = 0
        for number, faults in enumerate(ways):
            with FaultProxy("127.0.0.1", sshd.port) as proxy:
                settings = {"knownHosts": sshd.known_hosts(proxy.port), "identityFile": str(sshd.identity)}
                wish = follow(side(upstream.url), side(sshd.url(mirror.path, proxy.port), ssh=settings, retry=QUICK))
                new = upstream.grow(MAIN, f"cut {number}", size=100_000)
                change = world.again().change(wish)
                world.slept.clear()
                world.on_listed = strike_next(proxy, **faults)
                written = world.apply(change)
                world.on_listed = lambda: None
                disturbed += bool(world.slept or written.warnings)
                assert mirror.at(MAIN) == new, faults
        assert disturbed >= len(ways) - 1, "some bytes more or less, the last cut may come too late"


def test_a_push_over_ssh_that_is_cut_is_tried_again(
    tmp_path: Path, world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    keys = tmp_path / "sshd"
    keys.mkdir()
    with part(), ssh_server(keys) as sshd, FaultProxy("127.0.0.1", sshd.port) as proxy:
        settings = {"knownHosts": sshd.known_hosts(proxy.port), "identityFile": str(sshd.identity)}
        target = side(sshd.url(mirror.path, proxy.port), ssh=settings, retry=QUICK)
        wish = follow(side(upstream.url), target)
        new = upstream.grow(MAIN, "second", size=100_000)
        change = world.change(wish)
        world.on_listed = strike_next(proxy, reset_after_up=30_000)
        assert isinstance(world.apply(change), Written)
        assert mirror.at(MAIN) == new and world.slept == [0.01]

        old, new = new, upstream.grow(MAIN, "third", size=100_000)
        change = world.again().change(wish)
        world.on_listed = lambda: setattr(proxy, "faults", Faults(reset_after_up=30_000))
        with pytest.raises(OutcomeUnknown, match="exhausted: 3 tries"):
            world.apply(change)
        assert mirror.at(MAIN) == old
        proxy.faults, world.on_listed = Faults(), lambda: None
        assert isinstance(world.apply(change), Written)
        assert mirror.at(MAIN) == new


def test_a_hook_that_declines_is_a_permanent_error(
    world: World, upstream: BareRepository, mirror: BareRepository
) -> None:
    old = mirror.at(MAIN)
    upstream.grow(MAIN, "second")
    hook = mirror.path / "hooks" / "pre-receive"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\necho 'branch main is protected' >&2\necho 'token s3cr3t-canary' >&2\nexit 1\n")
    hook.chmod(0o755)
    change = world.change(follow(side(upstream.url), side(mirror.url)))
    with pytest.raises(PermanentError, match="a hook of the server declined it") as caught:
        world.apply(change)
    assert '"branch main is protected | token (masked)"' in caught.value.message
    assert "canary" not in f"{caught.value.message} {caught.value.where} {caught.value.remedy}"
    assert mirror.at(MAIN) == old


def test_a_name_in_the_way_is_named(world: World, upstream: BareRepository, mirror: BareRepository) -> None:
    mirror.put("refs/heads/a/b", mirror.at(MAIN))
    change = world.change(follow(side(upstream.url), side(mirror.url, "refs/heads/a")))
    with pytest.raises(TemporaryError, match="may be in the way"):
        world.apply(change)
    assert "refs/heads/a" not in mirror.refs()


def test_a_source_that_lost_the_commit_of_the_plan(
    world: World, upstream: BareRepository, mirror: BareRepository, tmp_path: Path
) -> None:
    old = mirror.at(MAIN)
    upstream.grow(MAIN, "second")
    change = world.change(follow(side(upstream.url), side(mirror.url)))
    upstream.put(MAIN, upstream.commit("rewritten"))
    upstream.git("reflog", "expire", "--expire=now", "--all")
    upstream.git("gc", "--quiet", "--prune=now")
    fresh = World(tmp_path / "elsewhere")  # another machine, whose cache has not seen it
    fresh.folder.mkdir()
    with pytest.raises(PreconditionError, match="source-snapshot-missing"):
        fresh.apply(change)
    assert mirror.at(MAIN) == old
