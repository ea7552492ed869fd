"""A ref that a Job pushes: the script of its container for real, against real remotes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.kind_hook_types import DocumentContext
from planner.loading.git_push_job import git_ref_with_job_template
from planner.resource import Resource
from planner.values import JsonObject
from providers.git.git_ref_reader import parse_git_ref_spec
from providers.git.push_job_manifest_and_report import PushJobReport, build_push_job, parse_push_job_report
from providers.git.remotes import RemoteLocations
from tests.testbed.git_fixtures import BareRepository, mirror_of, upstream_of
from tests.testbed.git_server import GitHttp, GitRule, GitSsh
from tests.testbed.job_script import Ended, container_of, run_container
from tests.testbed.proxy import FaultProxy, Faults
from tests.unit.git.git_world import QUICK, declare, side

MAIN = "refs/heads/main"
SNAPSHOT = "refs/unidesk/snapshots/ci/main/x"
IMAGE: JsonObject = {"image": "registry.example/tools/git:1"}


@pytest.fixture
def upstream(tmp_path: Path) -> BareRepository:
    return upstream_of(tmp_path)


@pytest.fixture
def mirror(tmp_path: Path, upstream: BareRepository) -> BareRepository:
    return mirror_of(upstream, tmp_path)


def wanted(origin: JsonObject, target: JsonObject, mode: str = "fast-forward", **job: Any) -> Resource:
    """The GitRef as the loader gives it: its Job rendered with the shipped template."""
    spec = {"from": origin, "to": target, "mode": mode, "via": "job", "job": {**IMAGE, **job}}
    one = declare("GitRef", "flush-v0.3", spec, namespace="infra")
    return whole(one)


def whole(resource: Resource) -> Resource:
    problems: list[object] = []
    manifest = git_ref_with_job_template(
        resource.manifest, DocumentContext(), lambda *problem: problems.append(problem)
    )
    assert not problems and "job" not in manifest["spec"]
    return Resource(resource.address, resource.api_version, manifest, "demo", "infra", resource.source)


class Machine:
    """A node of a cluster, on this machine: runs Jobs, each in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ran = 0

    def run(self, resource: Resource, old: str, new: str, **instead: str) -> tuple[Ended, PushJobReport | None]:
        """Run the Job that moves the target from `old` to `new`."""
        self.ran += 1
        wish = parse_git_ref_spec(resource.manifest["spec"], RemoteLocations(self.folder))
        container = container_of(build_push_job(resource.address, wish, old, new), "push")
        ended = run_container(container, self.folder / f"pod{self.ran}", RETRY_DELAY="0", **instead)
        return ended, parse_push_job_report(ended.message)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "pods")


@pytest.mark.parametrize("transport", ["file", "http", "ssh", "proxy"])
def test_the_script_moves_a_ref_forward(
    transport: str, request: pytest.FixtureRequest, machine: Machine, upstream: BareRepository, mirror: BareRepository
) -> None:
    instead: dict[str, str] = {}
    match transport:
        case "file":
            sides = side(mirror.url), side(upstream.url)
        case "http":
            web = request.getfixturevalue("web")
            sides = side(web.url("mirror.git")), side(web.url("upstream.git"))
        case _:
            sshd = request.getfixturevalue("sshd")
            more = {"proxy": request.getfixturevalue("tunnel").url} if transport == "proxy" else {}
            ssh = {"knownHosts": sshd.known_hosts(), **more}
            sides = side(mirror.url), side(sshd.url(upstream.path), ssh=ssh)
            instead["SSH_KEY"] = str(sshd.identity)
    old, new = upstream.at(MAIN), mirror.grow(MAIN, "promoted")
    resource = wanted(*sides, sshSecret="deploy-key")
    ended, report = machine.run(resource, old, new, **instead)
    assert (ended.code, report) == (0, PushJobReport("pushed", new)), ended.printed
    assert upstream.at(MAIN) == new
    ended, report = machine.run(resource, old, new, **instead)
    assert (ended.code, report) == (0, PushJobReport("already", new))
    if transport == "proxy":
        assert set(request.getfixturevalue("tunnel").targets) == {f"127.0.0.1:{sshd.port}"}


def test_the_script_never_overwrites(machine: Machine, upstream: BareRepository, mirror: BareRepository) -> None:
    old, new = upstream.at(MAIN), mirror.grow(MAIN, "promoted")
    theirs = upstream.grow(MAIN, "somebody else")
    resource = wanted(side(mirror.url), side(upstream.url))
    ended, report = machine.run(resource, old, new)
    assert (ended.code, report) == (1, PushJobReport("moved", theirs))
    ended, report = machine.run(resource, theirs, new)
    assert (ended.code, report) == (1, PushJobReport("not-fast-forward", theirs))
    assert upstream.at(MAIN) == theirs


def test_the_script_creates_a_snapshot_once(machine: Machine, upstream: BareRepository, mirror: BareRepository) -> None:
    new = upstream.at(MAIN)
    resource = wanted({"remote": upstream.url, "commit": new}, side(mirror.url, SNAPSHOT), "immutable")
    assert machine.run(resource, "", new)[1] == PushJobReport("pushed", new)
    assert machine.run(resource, "", new)[1] == PushJobReport("already", new)
    later = upstream.grow(MAIN, "second")
    assert machine.run(resource, "", later)[1] == PushJobReport("moved", new)
    assert machine.run(resource, new, later)[1] == PushJobReport("moved", new), "not even forward"
    assert mirror.at(SNAPSHOT) == new


def test_the_script_names_a_source_that_lost_the_commit(
    web: GitHttp, machine: Machine, upstream: BareRepository, mirror: BareRepository
) -> None:
    old = mirror.at(MAIN)
    resource = wanted(side(web.url("upstream.git")), side(mirror.url))
    assert machine.run(resource, old, "1" * 40)[1] == PushJobReport("source-snapshot-missing", old)
    web.rules = [GitRule("status", times=99, code=503)]
    assert machine.run(resource, old, "1" * 40)[1] == PushJobReport("source-unreadable", old)
    assert mirror.at(MAIN) == old


def test_a_push_right_before_that_of_the_script_is_not_passed_over(
    web: GitHttp, machine: Machine, upstream: BareRepository, mirror: BareRepository
) -> None:
    """On half of what we push, where an unforced push would go on; and on something else."""
    old, between = mirror.at(MAIN), upstream.grow(MAIN, "second")
    new = upstream.grow(MAIN, "third")
    struck: list[str] = []

    def strike(_method: str, path: str) -> bool:
        if "service=git-receive-pack" in path and not struck:
            mirror.take(upstream, between, MAIN)
            struck.append(path)
        return False

    web.rules = [GitRule("status", matches=strike)]
    resource = wanted(side(upstream.url), side(web.url("mirror.git")))
    assert machine.run(resource, old, new)[1] == PushJobReport("moved", between)
    assert struck and mirror.at(MAIN) == between


def test_a_server_that_refuses_is_named(machine: Machine, upstream: BareRepository, mirror: BareRepository) -> None:
    old, new = mirror.at(MAIN), upstream.grow(MAIN, "second")
    hook = mirror.path / "hooks" / "pre-receive"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\necho 'token s3cr3t-canary' >&2\nexit 1\n")
    hook.chmod(0o755)
    ended, report = machine.run(wanted(side(upstream.url), side(mirror.url)), old, new)
    assert report == PushJobReport("refused", old) and "canary" not in ended.printed + ended.message


@pytest.mark.parametrize("action", ["lose-answer", "cut-answer"])
def test_a_lost_answer_is_told_by_reading(
    action: str, web: GitHttp, machine: Machine, upstream: BareRepository, mirror: BareRepository
) -> None:
    old, new = mirror.at(MAIN), upstream.grow(MAIN, "second")
    web.rules = [GitRule(action, matches=lambda method, path: method == "POST" and "receive" in path)]  # type: ignore[arg-type]
    resource = wanted(side(upstream.url), side(web.url("mirror.git")))
    assert machine.run(resource, old, new)[1] == PushJobReport("pushed", new)


def test_a_failed_confirmation_is_repeated_once(
    web: GitHttp, machine: Machine, upstream: BareRepository, mirror: BareRepository
) -> None:
    old, new = mirror.at(MAIN), upstream.grow(MAIN, "second")
    resource = wanted(side(upstream.url), side(web.url("mirror.git")))

    def confirming(_method: str, path: str) -> bool:
        return mirror.at(MAIN) == new and "upload-pack" in path

    web.rules = [GitRule("status", times=1, matches=confirming)]
    assert machine.run(resource, old, new)[1] == PushJobReport("pushed", new, partial=True)
    mirror.put(MAIN, old)
    web.rules = [GitRule("status", times=2, matches=confirming)]
    assert machine.run(resource, old, new)[1] == PushJobReport("push-succeeded-fetch-failed", None, partial=True)


def test_only_transients_of_ssh_are_tried_again(
    sshd: GitSsh, web: GitHttp, machine: Machine, upstream: BareRepository, mirror: BareRepository
) -> None:
    old, new = mirror.at(MAIN), upstream.grow(MAIN, "second")
    with FaultProxy("127.0.0.1", sshd.port, Faults(refuse=True, count=2)) as proxy:
        ssh = {"knownHosts": sshd.known_hosts(proxy.port)}
        target = side(sshd.url(mirror.path, proxy.port), ssh=ssh, retry=QUICK)
        resource = wanted(side(upstream.url), target, sshSecret="deploy-key")
        proxy.faults = Faults(refuse=True)
        assert machine.run(resource, old, new, SSH_KEY=str(sshd.identity))[1] == PushJobReport("exhausted", "", tries=3)
        assert proxy.traffic.connections == 3
        proxy.faults = Faults(refuse=True, count=5)  # the first two of what follows
        assert machine.run(resource, old, new, SSH_KEY=str(sshd.identity))[1] == PushJobReport("pushed", new)
    resource = wanted(side(upstream.url), side(web.url("mirror.git")))
    for rule in (GitRule("status", times=99, code=429), GitRule("lose-request", times=99)):
        web.rules = [rule]
        web.requests.clear()
        assert machine.run(resource, old, new)[1] == PushJobReport("target-unreadable", None)
        assert web.listings() == 1


def test_a_wrong_key_is_not_tried_again(
    sshd: GitSsh, machine: Machine, tmp_path: Path, upstream: BareRepository, mirror: BareRepository
) -> None:
    old, new = mirror.at(MAIN), upstream.grow(MAIN, "second")
    target = side(sshd.url(mirror.path), ssh={"knownHosts": sshd.known_hosts()}, retry=QUICK)
    ended, report = machine.run(wanted(side(upstream.url), target), old, new, SSH_KEY=str(tmp_path / "none"))
    assert report == PushJobReport("target-unreadable", None) and ended.code == 1


def test_a_cut_push_over_ssh_is_tried_again(
    sshd: GitSsh, machine: Machine, upstream: BareRepository, mirror: BareRepository
) -> None:
    old, new = mirror.at(MAIN), upstream.grow(MAIN, "second", size=100_000)
    with FaultProxy("127.0.0.1", sshd.port, Faults(reset_after_up=30_000, count=2)) as proxy:
        ssh = {"knownHosts": sshd.known_hosts(proxy.port)}
        target = side(sshd.url(mirror.path, proxy.port), ssh=ssh, retry=QUICK)
        resource = wanted(side(upstream.url), target, sshSecret="deploy-key")
        ended, report = machine.run(resource, old, new, SSH_KEY=str(sshd.identity))
    assert report is not None and report.delivered, ended.printed
    assert mirror.at(MAIN) == new


def test_keys_are_mounted_and_hosts_are_no_shell(machine: Machine, upstream: BareRepository) -> None:
    """Nothing of the key in environment or command; a dollar in a host key stays one."""
    ssh = {"knownHosts": ["h ssh-ed25519 $(HOME)$$AAAA"], "identityFile": "keys/id"}
    resource = wanted(side(upstream.url), side("ssh://git@h/a.git", ssh=ssh), sshSecret="deploy-key", sshKey="id")
    wish = parse_git_ref_spec(resource.manifest["spec"], RemoteLocations(machine.folder))
    job = build_push_job(resource.address, wish, "1" * 40, "2" * 40)
    container = container_of(job, "push")
    reported = {one["name"]: one["value"] for one in container["env"]}
    assert reported["SSH_KEY"] == "/ssh/id" and reported["KNOWN_HOSTS"] == "h ssh-ed25519 $$(HOME)$$$$AAAA\n"
    assert reported["OLD"] == "1" * 40 and reported["NEW"] == "2" * 40 and "keys/id" not in json.dumps(job)
    volumes = job["spec"]["template"]["spec"]["volumes"]
    assert {"name": "ssh", "secret": {"secretName": "deploy-key", "defaultMode": 0o440}} in volumes
    assert job == build_push_job(resource.address, wish, "1" * 40, "2" * 40)
    assert job["metadata"]["name"] != build_push_job(resource.address, wish, "1" * 40, "3" * 40)["metadata"]["name"]
    assert job["metadata"]["name"].startswith("git-ref-flush-v0-3-") and len(job["metadata"]["name"]) < 64
