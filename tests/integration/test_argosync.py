"""ArgoSync on the real Argo CD: one sync at one revision, reported from every other, and waited for. R-numbers are the
rules of a rollout."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from planner.events import ChangeResult, ChangeWaiting, Event
from planner.ports import PreviewEffect
from tests.contract.declared import own
from tests.integration.argo_world import App, deployment, settings
from tests.integration.tekton_world import Heard, end_of, outputs_of
from tests.testbed import audit
from tests.testbed.argocd import ArgoCd
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.git_server import GitHttp
from tests.testbed.proxy import FaultProxy, Faults

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def app(argo: ArgoCd, gitops: GitHttp, namespace: str) -> Iterator[App]:
    repository = BareRepository.create(gitops.root / f"{uuid.uuid4().hex}.git")
    found = App(argo, repository, namespace)
    found.push(settings("zero"))
    source = {"repoURL": gitops.url(repository.path.name), "path": "app", "targetRevision": "main"}
    argo.create(namespace, source, namespace)
    yield found
    found.close()


def _text(app: App) -> str:
    path = f"/api/v1/namespaces/{app.name}/configmaps/settings"
    return str(app.argo.api.get(path)["data"]["text"])


def test_r3_a_revision_is_synced_once_and_then_there_is_nothing_to_do(app: App) -> None:
    """R14: one sync, whoever carries the plan out again."""
    first = app.push(settings("one"))
    preview, change = app.plan(app.wanted(first))
    assert preview.effect is PreviewEffect.RUN and change is not None and not app.live().get("operation")
    result = app.sync(change=change)
    assert end_of(result).result is ChangeResult.DONE, end_of(result)
    outputs = outputs_of(result)
    assert (outputs["revision"], outputs["sync"], outputs["health"]) == (first, "Synced", "Healthy")
    assert outputs["operation"]["phase"] == "Succeeded" and _text(app) == "one"
    started = app.live()["status"]["operationState"]["startedAt"]
    assert app.plan(app.wanted(first))[0].effect is PreviewEffect.NONE
    again = app.sync(change=change)  # resumed, or carried out by somebody else
    assert end_of(again).result is ChangeResult.UNCHANGED, end_of(again)
    assert app.live()["status"]["operationState"]["startedAt"] == started


def test_r3_a_state_from_before_the_push_proves_nothing(app: App) -> None:
    """Synced and Healthy at the old revision, not compared since the push: the wait is for the new one."""
    app.sync(app.push(settings("one")))
    assert app.live()["status"]["sync"]["status"] == "Synced"
    second = app.push(settings("two"))
    assert app.live()["status"]["sync"]["status"] == "Synced"
    result = app.sync(second)
    assert end_of(result).result is ChangeResult.DONE and outputs_of(result)["revision"] == second
    assert _text(app) == "two"


def test_r3_a_sync_of_somebody_else_goes_first_and_ours_follows(app: App) -> None:
    one, two = app.push(settings("one")), app.push({**settings("two"), **_slow_hook(4)})
    app.ask(two)
    app.wait_for(lambda live: (live.get("status") or {}).get("operationState", {}).get("phase") == "Running")
    said = Heard()
    result = app.sync(one, until=said, wait=15.0)
    assert any("another sync" in text for text in said.waits), said.waits
    # The branch is at `two`: ours brought `one`, and what is compared with the tip is then out of sync.
    assert _text(app) == "one" and end_of(result).result is ChangeResult.PENDING, end_of(result)


def test_r3_a_later_sync_that_contains_ours_serves(app: App) -> None:
    """A descendant that somebody else syncs while ours is planned: the older one is not brought back over it."""
    one, two = app.push(settings("one")), app.push(settings("two"))
    wanted = app.wanted(one, history={"remote": "https://git.example/x.git", "branch": "main"})
    change = app.plan(wanted)[1]
    app.ask(two)
    result = app.sync(change=change)
    assert (end_of(result).result, outputs_of(result)["revision"]) == (ChangeResult.DONE, two), end_of(result)
    assert _text(app) == "two" and app.plan(wanted)[0].effect is PreviewEffect.NONE


def _slow_hook(seconds: int, *, fails: bool = False) -> dict[str, str]:
    """A hook Job before the sync that takes its time: its pod is held by kwok."""
    pod = "fail" if fails else "never-ready"
    spec = {"restartPolicy": "Never", "containers": [{"name": "hook", "image": "registry.example/hook:1"}]}
    template = {"metadata": {"labels": {"testbed.hwplan/pod": pod}}, "spec": spec}
    annotations = {"argocd.argoproj.io/hook": "PreSync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded"}
    metadata = {"name": "hook", "annotations": annotations}
    job = {"activeDeadlineSeconds": seconds, "backoffLimit": 0, "template": template}
    return {"app/hook.yaml": json.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job})}


def test_a_failed_hook_fails_the_sync_and_is_named(app: App) -> None:
    result = app.sync(app.push({**settings("one"), **_slow_hook(60, fails=True)}))
    ended = end_of(result)
    assert ended.result is ChangeResult.FAILED and "the sync ended Failed" in ended.message, ended
    assert f"Job/{app.name}/hook: PreSync hook Failed" in ended.message, ended.message


def test_r5_what_becomes_degraded_fails_early_and_what_was_degraded_before_is_not_blamed(app: App) -> None:
    app.sync(app.push(deployment()))
    bad = app.push(deployment("never-ready"))
    ended = end_of(app.sync(bad, wait=90.0))
    assert ended.result is ChangeResult.FAILED and "it became Degraded" in ended.message, ended
    worse = app.push({**deployment("never-ready"), **settings("new")})
    ended = end_of(app.sync(worse, wait=8.0))
    assert ended.result is ChangeResult.PENDING and "Degraded" in ended.message, ended
    good = app.push(deployment())
    assert end_of(app.sync(good, wait=90.0)).result is ChangeResult.DONE


def test_r13_a_wait_costs_at_most_a_request_a_second_and_survives_an_api_server_that_goes_away(app: App) -> None:
    commit = app.push({**settings("one"), **_slow_hook(6)})
    said: list[str] = []
    since = audit.mark(app.argo.cluster)
    with FaultProxy.before(app.argo.cluster.server) as proxy:

        def break_it(event: Event) -> bool:
            if isinstance(event, ChangeWaiting):
                said.append(event.message)
                if len(said) == 2:
                    proxy.faults = Faults(refuse=True)
                    proxy.drop_connections()
                elif "cannot be looked at now" in event.message:
                    proxy.faults = Faults()
            return False

        ended = end_of(app.sync(commit, until=break_it, cluster=app.argo.cluster.through(proxy.port), wait=90.0))
    assert any("cannot be looked at now" in text for text in said), said
    assert any("a sync to" in text and "hook" in text for text in said), said
    assert ended.result is ChangeResult.FAILED and "hook" in ended.message, ended  # the deadline of the Job ran out
    found = audit.requests(app.argo.cluster, since, user_agent="hwplan/")
    asked = [one for one in found if one.resource == "applications" and one.name == app.name]
    assert [one.verb for one in asked].count("patch") == 1
    assert len(asked) <= 30, len(asked)


def test_an_application_that_is_not_there_is_said_by_the_plan(app: App) -> None:
    preview, _ = app.plan(App(app.argo, app.repository, "nobody").wanted())
    assert [one.local for one in preview.lacks] == ["Application.argoproj.io/argocd/nobody"]


def test_without_a_revision_the_tip_of_the_branch_is_synced(app: App) -> None:
    tip = app.push(settings("tip"))
    result = app.sync()
    assert end_of(result).result is ChangeResult.DONE and outputs_of(result)["revision"] == tip


def test_a3_a_hard_refresh_compares_anew_and_syncs_nothing(app: App) -> None:
    """A3: due each time; it ends when Argo CD has compared what was pushed before, and nothing is applied."""
    app.sync(app.push(settings("one")))
    pushed = app.push(settings("two"))
    for _ in range(2):
        preview, change = app.plan(app.wanted(refresh="hard"))
        assert preview.effect is PreviewEffect.RUN and change is not None
        started = app.live()["status"]["operationState"]["startedAt"]
        result = app.sync(change=change)
        assert end_of(result).result is ChangeResult.DONE, end_of(result)
        outputs = outputs_of(result)
        assert (outputs["revision"], outputs["sync"]) == (pushed, "OutOfSync") and _text(app) == "one"
        live = app.live()
        assert live["status"]["operationState"]["startedAt"] == started
        assert "argocd.argoproj.io/refresh" not in (live["metadata"].get("annotations") or {})


def test_a3_a_refresh_of_nothing_is_blocked(app: App) -> None:
    """A3: there is nothing to compare."""
    preview, change = app.plan(own("ArgoSync", "none", {"application": "none", "refresh": "hard"}))
    assert preview.blocked == "there is no such Application" and change is None
