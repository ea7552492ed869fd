"""The account of a monitor's CronJob on a real API server: its rights are enough for a whole cycle, and each is needed.

The manifests are applied as rendered; `hwplan prs --once` runs as their account, with a merge on the local GitHub and a
rollout on real parts after it. Then each right is taken away alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.hwplan import Hwplan, Ran
from tests.e2e.rollout.lane_on_github import LaneOnGitHub, lane_on_github
from tests.e2e.rollout.real_lane import NOTIFIER, RealLane
from tests.testbed import control_plane, processes

pytestmark = pytest.mark.timeout(3600)
HOME, _ACCOUNT = "hwplan-monitor", "hwplan-prs-hwlab-d601-v03"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


# What a rollout that goes well does without: the evidence of its closeout, what is shown of a run that failed, the
# definitions of custom kinds, which are asked about where an object of one changes, and the autoscalers, which are
# asked for where replicas change.
_EVIDENCE = {
    "pods", "pods/log", "replicasets", "statefulsets", "jobs", "taskruns", "customresourcedefinitions",
    "horizontalpodautoscalers",
}  # fmt: skip


@dataclass(frozen=True)
class Right:
    """Verbs on one resource, in the role that grants them (`path`); `namespace` is "" where it is granted in all."""

    path: str
    namespace: str
    group: str
    resource: str
    verbs: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{'/'.join(self.verbs)} {self.resource}{f'.{self.group}' if self.group else ''} {self.namespace}".strip()
        )

    def is_named(self, said: str) -> bool:
        """Whether a message of the API server about it was passed on."""
        return any(f'cannot {verb} resource "{self.resource}"' in said.replace("\\", "") for verb in self.verbs)


@dataclass
class Monitor:
    """The monitor of the lane, as the account of its CronJob."""

    on_github: LaneOnGitHub
    hwplan: Hwplan
    rights: list[Right]

    @property
    def lane(self) -> RealLane:
        """The lane."""
        return self.on_github.lane

    def pull(self) -> None:
        """Open a pull request that may be merged."""
        self.on_github.pull(NOTIFIER)

    def cycle(self) -> Ran:
        """One cycle, as the CronJob runs it."""
        return self.hwplan("prs", *self.lane.words, "--once", "--json", code=None)

    @contextmanager
    def without(self, right: Right) -> Iterator[None]:
        """The account lacks one right while the block lasts."""
        api, before = self.lane.api, self.lane.api.get(right.path)
        kept = [
            {**rule, "verbs": [verb for verb in rule["verbs"] if verb not in right.verbs]}
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
        asked = {"verb": right.verbs[0], "group": right.group, "resource": resource, "subresource": part}
        user = f"system:serviceaccount:{HOME}:{_ACCOUNT}"
        spec = {"user": user, "resourceAttributes": {**asked, "namespace": right.namespace}}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}

        def seen() -> bool:
            answer = self.lane.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
            return bool(answer["status"]["allowed"]) is allowed

        processes.wait_until(f"the API server knows of {right}", lambda: seen() or None, deadline=60)


def _apart(rules: list[Any]) -> list[Any]:
    """The rules with one resource each."""
    return [{**rule, "resources": [name]} for rule in rules for name in rule["resources"]]


@pytest.fixture
def monitor(settled: RealLane) -> Iterator[Monitor]:
    with lane_on_github(settled) as on_github:
        yield _as_account(on_github)


def _as_account(on_github: LaneOnGitHub) -> Monitor:
    lane, folder = on_github.lane, Path(on_github.lane.hwplan.folder)
    words = ("--image", "registry.example/hwplan:1", "--state-claim", "state", "--run-in", HOME)
    text = lane.hwplan("prs", *lane.words, "--format", "cronjob", *words).out
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}}
    lane.api.apply(f"/api/v1/namespaces/{HOME}", namespace)
    done = lane.cluster.run_kubectl("apply", "--server-side", "-f", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    token = lane.cluster.service_account_token(HOME, _ACCOUNT)
    path = control_plane.write_kubeconfig(
        folder / "kubeconfig-monitor", lane.cluster.server, lane.cluster.ca, {"token": token}
    )
    context = lane.cluster.run_kubectl("--kubeconfig", str(path), "config", "current-context").stdout.strip()
    where = ("--kubeconfig", str(path), "--context", context, "--state", str(folder / "state.db"))
    hwplan = Hwplan(folder, where, {**lane.hwplan.env, "HOME": str(on_github.home)}, timeout=400, fresh=True)
    return Monitor(on_github, hwplan, list(_rights(text)))


def _rights(text: str) -> Iterator[Right]:
    """Each right to write alone; those to read of one resource together, for one of the two is enough where few objects
    are asked for."""
    for document in yaml.safe_load_all(text):
        if document["kind"] in ("Role", "ClusterRole"):
            metadata = document["metadata"]
            namespace = metadata.get("namespace", "")
            place = f"namespaces/{namespace}/roles" if namespace else "clusterroles"
            for rule in _apart(document["rules"]):
                reads = set(rule["verbs"]) <= {"get", "list"}
                for verbs in [tuple(rule["verbs"])] if reads else [(verb,) for verb in rule["verbs"]]:
                    path = f"{_RBAC}/{place}/{metadata['name']}"
                    yield Right(path, namespace, rule["apiGroups"][0], rule["resources"][0], verbs)


def test_the_rendered_rights_are_enough_and_each_that_is_missing_is_named(monitor: Monitor) -> None:
    """No Secret is read, neither from the cluster nor from a file: the account's home has none."""
    monitor.pull()
    ran = monitor.cycle()
    assert ran.code == 0, ran.out + ran.err
    monitor.lane.aligned()
    monitor.pull()
    wrong, refused = [], 0
    for right in monitor.rights:
        if right.namespace:  # each right to write with a rollout that nothing was done of
            assert monitor.cycle().code == 0
            monitor.lane.forget_old_runs()
            monitor.pull()
        with monitor.without(right):
            ran = monitor.cycle()
        said = ran.out + ran.err
        needed = right.resource not in _EVIDENCE
        good = (ran.code == 1 and right.is_named(said)) if needed else ran.code == 0
        print(f"{'ok ' if good else 'BAD'} exit {ran.code} without {right}", flush=True)
        refused += needed and good
        if not good:
            wrong.append(f"{right}: exit {ran.code}: {said[-1500:]}")
        if ran.code == 0:
            monitor.lane.forget_old_runs()
            monitor.pull()
    monitor.pull()
    ran = monitor.cycle()
    print(f"{len(monitor.rights)} rights, {refused} of them named when missing", flush=True)
    assert not wrong and ran.code == 0, "\n".join(wrong) + ran.out
    monitor.lane.aligned()
