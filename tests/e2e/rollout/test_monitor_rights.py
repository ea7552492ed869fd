"""The account of a monitor's CronJob on a real API server: its rights are enough for a whole cycle, and each is needed.

The manifests are applied as rendered; `hwplan prs --once` runs as their account, with a merge on the local GitHub and a
rollout on real parts after it. Then each right is taken away alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.hwplan import Hwplan, Ran
from tests.e2e.rollout.real_lane import NOTIFIER, SOURCE, RealLane
from tests.testbed import control_plane, processes
from tests.testbed.github_server import BOT_TOKEN, LocalGitHub, local_github

pytestmark = pytest.mark.timeout(3600)
REPO, HOME = "pikasTech/HWLAB", "hwplan-monitor"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


@dataclass(frozen=True)
class Right:
    """One verb on one resource, in the role that grants it (`path`); `namespace` is "" where it is granted in all."""

    path: str
    namespace: str
    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''} {self.namespace}".strip()


@dataclass
class Monitor:
    """The monitor of the lane, as the account of its CronJob."""

    lane: RealLane
    github: LocalGitHub
    hwplan: Hwplan
    rights: list[Right]
    pulls: int = 0

    def pull(self) -> int:
        """Open a pull request that may be merged; its number."""
        self.pulls += 1
        ref = f"refs/heads/change-{self.pulls}"
        self.lane.upstream.put(ref, self.lane.tip())
        head = self.lane.upstream.write(ref, {NOTIFIER: f"{ref}\n"}, f"Change {self.pulls}")
        number = self.github.open_pull(ref.removeprefix("refs/heads/"), SOURCE.removeprefix("refs/heads/"), repo=REPO)
        self.github.add_check(head, repo=REPO)
        return number

    def cycle(self) -> Ran:
        """One cycle, as the CronJob runs it."""
        return self.hwplan("prs", *self.lane.words, "--once", "--json", code=None)

    @contextmanager
    def without(self, right: Right) -> Iterator[None]:
        """The account lacks one right while the block lasts."""
        api, before = self.lane.api, self.lane.api.get(right.path)
        kept = [
            {**rule, "verbs": [verb for verb in rule["verbs"] if verb != right.verb]}
            if right.group in rule["apiGroups"] and rule["resources"] == [right.resource]
            else rule
            for rule in _apart(before["rules"])
        ]
        api.merge(right.path, {"rules": [rule for rule in kept if rule["verbs"]]})
        self._wait(right, allowed=False)
        try:
            yield
        finally:
            api.merge(right.path, {"rules": before["rules"]})
            self._wait(right, allowed=True)

    def _wait(self, right: Right, *, allowed: bool) -> None:
        resource, _, part = right.resource.partition("/")
        asked = {"verb": right.verb, "group": right.group, "resource": resource, "subresource": part}
        user = f"system:serviceaccount:{HOME}:{_account(self.lane)}"
        spec = {"user": user, "resourceAttributes": {**asked, "namespace": right.namespace}}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}

        def seen() -> bool:
            answer = self.lane.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
            return bool(answer["status"]["allowed"]) is allowed

        processes.wait_until(f"the API server knows of {right}", lambda: seen() or None, deadline=60)


def _account(lane: RealLane) -> str:
    return "hwplan-prs-hwlab-d601-v03"


def _apart(rules: list[Any]) -> list[Any]:
    """The rules with one resource each."""
    return [{**rule, "resources": [name]} for rule in rules for name in rule["resources"]]


@pytest.fixture
def monitor(settled: RealLane) -> Iterator[Monitor]:
    lane, box = settled, Path(settled.upstream.path).parent
    shutil.copy(box.parent / "github.json", box / "github.json")
    with local_github(box) as github:
        with github.stored(REPO) as rows:
            rows.rows("pulls").clear()
        config = Path(lane.words[1]) / "hwlab-node-lanes.yaml"
        before = config.read_text()
        access = f"access: {{url: {json.dumps(github.url)}, tokenFile: ~/.config/hwplan/github-token}}"
        rules = f"pulls: {{authority: D601, freshness: head, authors: [], pauseAfter: 100, {access}}}"
        assert "pulls: {authority: D601, freshness: merge}" in before
        config.write_text(before.replace("pulls: {authority: D601, freshness: merge}", rules))
        token = Path(lane.hwplan.folder) / ".config" / "hwplan" / "github-token"
        token.write_text(BOT_TOKEN)
        try:
            yield _as_account(lane, github)
        finally:
            config.write_text(before)


def _as_account(lane: RealLane, github: LocalGitHub) -> Monitor:
    words = ("--image", "registry.example/hwplan:1", "--state-claim", "state", "--run-in", HOME)
    text = lane.hwplan("prs", *lane.words, "--format", "cronjob", *words).out
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}}
    lane.api.apply(f"/api/v1/namespaces/{HOME}", namespace)
    done = lane.cluster.run_kubectl("apply", "--server-side", "-f", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    token = lane.cluster.service_account_token(HOME, _account(lane))
    folder = Path(lane.hwplan.folder)
    path = control_plane.write_kubeconfig(
        folder / "kubeconfig-monitor", lane.cluster.server, lane.cluster.ca, {"token": token}
    )
    context = lane.cluster.run_kubectl("--kubeconfig", str(path), "config", "current-context").stdout.strip()
    where = ("--kubeconfig", str(path), "--context", context, "--state", str(folder / "state.db"))
    hwplan = Hwplan(folder, where, lane.hwplan.env, timeout=400, fresh=True)
    return Monitor(lane, github, hwplan, list(_rights(text)))


def _rights(text: str) -> Iterator[Right]:
    for document in yaml.safe_load_all(text):
        if document["kind"] in ("Role", "ClusterRole"):
            metadata = document["metadata"]
            namespace = metadata.get("namespace", "")
            place = f"namespaces/{namespace}/roles" if namespace else "clusterroles"
            for rule in _apart(document["rules"]):
                for verb in rule["verbs"]:
                    path = f"{_RBAC}/{place}/{metadata['name']}"
                    yield Right(path, namespace, rule["apiGroups"][0], rule["resources"][0], verb)


def test_the_rendered_rights_are_enough_and_each_that_is_missing_is_named(monitor: Monitor) -> None:
    monitor.pull()
    ran = monitor.cycle()
    assert ran.code == 0, ran.out + ran.err
    monitor.lane.aligned()
    monitor.pull()
    for right in monitor.rights:
        with monitor.without(right):
            ran = monitor.cycle()
        said = ran.out + ran.err
        wanted = f'cannot {right.verb} resource \\"{right.resource}'
        print(f"{ran.code} {'named' if wanted in said or wanted.replace(chr(92), '') in said else '-----'} {right}", flush=True)
        if ran.code == 0:
            monitor.pull()
    assert 0
