"""PipelineRun on the real API server: made once, taken again by its name, waited for by its uid.

Runs on the stand-in for Tekton, which is held to recordings of the real one. R-numbers are the rules of a rollout.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from planner.events import ChangeResult, ChangeWaiting, Event
from planner.plan import VerifiedBy
from planner.ports import PreviewEffect
from tests.integration.tekton_world import Heard, Runs, end_of, outputs_of, task
from tests.testbed import audit
from tests.testbed.cluster import TestCluster
from tests.testbed.proxy import FaultProxy, Faults
from tests.testbed.tekton import Tekton
from tests.testbed.tekton_steps import Outcome, Program, Step, hang, succeed

DIGEST = "sha256:" + "a" * 64
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def runs(cluster: TestCluster, tekton: Tekton, namespace: str) -> Iterator[Runs]:
    tekton.enable(namespace)
    found = Runs(cluster, namespace)
    yield found
    found.close()
    assert not [text for text in tekton.failures if namespace in text]


def _build(_step: Step) -> Outcome:
    return Outcome({"IMAGE_URL": "registry.example/shop/api:1", "IMAGE_DIGEST": DIGEST})


def _held(gate: threading.Event) -> Program:
    """A program that goes on when the gate opens."""

    def program(step: Step) -> Outcome:
        gate.wait(60)
        return succeed(step)

    return program


BUILD = task("build-api", results=("IMAGE_URL", "IMAGE_DIGEST"))
RESULTS = {
    "results": [
        {"name": "API_IMAGE_DIGEST", "value": "$(tasks.build-api.results.IMAGE_DIGEST)"},
        {"name": "API_IMAGE_URL", "value": "$(tasks.build-api.results.IMAGE_URL)"},
    ]
}


def test_a_run_is_made_and_gives_results_digests_and_times(runs: Runs, tekton: Tekton) -> None:
    """R12: pipeline wait and the split per TaskRun come from recorded times."""
    tekton.programs[runs.namespace] = {"build-": _build}
    resource = runs.wanted([BUILD, task("check", runAfter=["build-api"])], pipeline=RESULTS)
    preview, change = runs.plan(resource)
    assert (preview.effect, preview.verified, preview.blocked) == (PreviewEffect.RUN, VerifiedBy.SERVER, "")
    assert change is not None and not runs.all()
    result = runs.carry_out(change)
    assert end_of(result).result is ChangeResult.DONE, end_of(result)
    outputs = outputs_of(result)
    assert (outputs["state"], outputs["reason"], outputs["run"]) == ("succeeded", "Succeeded", "run")
    assert outputs["uid"] == runs.live()["metadata"]["uid"]
    assert outputs["API_IMAGE_DIGEST"] == DIGEST
    assert outputs["images"] == {"api": {"url": "registry.example/shop/api:1", "digest": DIGEST}}
    assert [(one["task"], one["state"]) for one in outputs["taskRuns"]] == [
        ("build-api", "succeeded"),
        ("check", "succeeded"),
    ]
    assert all(one["seconds"] >= 0 and one["steps"][0]["exitCode"] == 0 for one in outputs["taskRuns"])
    assert outputs["seconds"] >= 0


def test_r2_a_run_that_succeeded_is_taken_and_nothing_is_made(runs: Runs) -> None:
    resource = runs.wanted([task("a")])
    runs.apply(resource)
    before = runs.all()
    preview, change = runs.plan(resource)
    assert (preview.effect, change) == (PreviewEffect.NONE, None)
    assert preview.outputs["state"] == "succeeded"
    assert runs.all() == before


def test_r2_of_two_clients_at_once_one_makes_the_run_and_both_wait_for_it(runs: Runs) -> None:
    """R14: the name is the key; exactly one run, whoever was first."""
    change = runs.change(runs.wanted([task("a")]))
    with ThreadPoolExecutor(4) as pool:
        ends = [end_of(one) for one in pool.map(lambda _: runs.carry_out(change), range(4))]
    assert {one.result for one in ends} <= {ChangeResult.DONE, ChangeResult.UNCHANGED}, ends
    assert len(runs.all()) == 1


def test_r2_another_spec_under_the_name_is_blocked_and_names_rerun(runs: Runs) -> None:
    old = runs.change(runs.wanted([task("a")]))
    runs.apply(runs.wanted([task("b")]))
    preview, change = runs.plan(runs.wanted([task("a")]))
    assert change is None and "another spec" in preview.blocked and "--rerun" in preview.remedy
    ended = end_of(runs.carry_out(old))
    assert ended.result is ChangeResult.STALE and "--rerun" in ended.remedy, ended
    assert len(runs.all()) == 1


def test_r2_a_run_that_somebody_made_by_hand_is_taken_when_all_that_is_asked_for_stands_in_it(runs: Runs) -> None:
    """What Tekton writes otherwise than it was sent is the same: empty lists, the long form of durations."""
    resource = runs.wanted([task("a", timeout="90s")], run={"timeouts": {"pipeline": "20m"}})
    manifest = resource.manifest["spec"]["manifest"]
    path = f"/apis/tekton.dev/v1/namespaces/{runs.namespace}/pipelineruns"
    runs.api.create(path, manifest)
    runs.apply(resource) if runs.plan(resource)[1] else None
    preview = runs.plan(resource)[0]
    assert preview.effect is PreviewEffect.NONE, preview.blocked
    assert "another spec" in runs.plan(runs.wanted([task("a"), task("b")]))[0].blocked


def test_r2_a_failed_run_stops_and_rerun_replaces_that_very_run(runs: Runs, tekton: Tekton) -> None:
    """R16: the plan names the run that is deleted, by its uid."""
    tekton.programs[runs.namespace] = {"a": lambda _step: Outcome(exit_code=1)}
    resource = runs.wanted([task("a")])
    assert end_of(runs.apply(resource)).result is ChangeResult.FAILED
    preview, change = runs.plan(resource)
    assert change is None and "failed" in preview.blocked and "--rerun" in preview.remedy
    tekton.programs[runs.namespace] = {}
    failed = runs.live()["metadata"]["uid"]
    again = runs.change(runs.wanted([task("a")], rerun=True))
    assert failed in str(again.fields[0].before)
    result = runs.carry_out(again)
    assert end_of(result).result is ChangeResult.DONE, end_of(result)
    assert outputs_of(result)["uid"] != failed and len(runs.all()) == 1
    ended = end_of(runs.carry_out(again))  # resumed: what it made is not deleted
    assert ended.result is ChangeResult.UNCHANGED and runs.live()["metadata"]["uid"] == outputs_of(result)["uid"], ended
    assert runs.plan(runs.wanted([task("a")], rerun=True))[0].effect is PreviewEffect.NONE


def test_r3_a_run_that_was_replaced_meanwhile_is_not_waited_for(runs: Runs, tekton: Tekton) -> None:
    tekton.programs[runs.namespace] = {"a": hang}
    path = f"/apis/tekton.dev/v1/namespaces/{runs.namespace}/pipelineruns"
    replaced: list[str] = []

    def replace_it(event: Event) -> bool:
        if isinstance(event, ChangeWaiting) and not replaced:
            replaced.append(runs.live()["metadata"]["uid"])
            runs.api.delete(f"{path}/run")
            tekton.programs[runs.namespace] = {}
            while runs.api.find(f"{path}/run"):
                pass
            runs.api.create(path, runs.wanted([task("a")]).manifest["spec"]["manifest"])
        return False

    ended = end_of(runs.apply(runs.wanted([task("a")]), until=replace_it))
    assert ended.result is ChangeResult.FAILED and "replaced" in ended.message, ended


def test_r4_a_wait_that_runs_out_is_pending_and_the_next_one_attaches(runs: Runs, tekton: Tekton) -> None:
    """R15: the run goes on, and the next command begins by reading."""
    gate = threading.Event()
    tekton.programs[runs.namespace] = {"a": _held(gate)}
    resource = runs.wanted([task("a")])
    result = runs.apply(resource, wait=3.0)
    assert end_of(result).result is ChangeResult.PENDING and "running since" in end_of(result).message
    preview, _ = runs.plan(resource)
    assert preview.effect is PreviewEffect.RUN and "Running" in preview.evidence
    change = runs.change(resource)  # planned while it runs: afterwards there is nothing to do
    gate.set()
    assert end_of(runs.carry_out(change)).result in (ChangeResult.DONE, ChangeResult.UNCHANGED)
    assert len(runs.all()) == 1


def test_r10_success_without_a_required_taskrun_is_a_cache_hit_that_is_forbidden(runs: Runs) -> None:
    skipped = task("build-web", when=[{"input": "a", "operator": "in", "values": ["b"]}])
    resource = runs.wanted([task("build-api"), skipped], evidence={"taskRuns": ["build-api", "build-web"]})
    ended = end_of(runs.apply(resource))
    assert ended.result is ChangeResult.FAILED and "cache-hit-forbidden: no TaskRun of build-web" in ended.message
    assert "cache-hit-forbidden" in runs.plan(resource)[0].blocked


def test_r12_a_run_over_its_budget_warns_although_it_succeeded(runs: Runs, tekton: Tekton) -> None:
    def slow(step: Step) -> Outcome:
        step.over.wait(3)
        return succeed(step)

    tekton.programs[runs.namespace] = {"a": slow}
    result = runs.apply(runs.wanted([task("a")], budget="1s"))
    assert end_of(result).result is ChangeResult.DONE
    assert any("pipeline-run-over-budget" in text for _, text in result.warnings), result.warnings


def test_a_wait_costs_at_most_a_request_a_second_and_says_what_it_waits_for(
    runs: Runs, tekton: Tekton, cluster: TestCluster
) -> None:
    """R13: what is awaited, the last observed value, since when; and the TaskRun that runs."""
    tekton.programs[runs.namespace] = {"build-api": hang}
    since, said = audit.mark(cluster), Heard()
    ended = end_of(runs.apply(runs.wanted([task("build-api")]), wait=8.0, until=said))
    assert ended.result is ChangeResult.PENDING
    asked = audit.requests(cluster, since, user_agent="hwplan/")
    reads = [one for one in asked if one.verb == "get" and one.namespace == runs.namespace]
    assert len(reads) <= 8 + 4, reads  # planning and applying read as well
    assert any("running since 20" in text and "build-api: Running" in text for text in said.waits), said.waits


def test_a_wait_survives_an_api_server_that_goes_away(runs: Runs, tekton: Tekton, cluster: TestCluster) -> None:
    gate = threading.Event()
    tekton.programs[runs.namespace] = {"a": _held(gate)}
    said: list[str] = []
    with FaultProxy.before(cluster.server) as proxy:

        def break_it(event: Event) -> bool:
            if isinstance(event, ChangeWaiting):
                said.append(event.message)
                if len(said) == 1:
                    proxy.faults = Faults(refuse=True)
                    proxy.drop_connections()
                elif "cannot be looked at now" in event.message:
                    proxy.faults = Faults()
                    gate.set()
            return False

        provider = runs.provider(cluster.through(proxy.port))
        ended = end_of(runs.apply(runs.wanted([task("a")]), until=break_it, provider=provider, wait=90.0))
    assert ended.result is ChangeResult.DONE, (ended, said)
    assert any("cannot be looked at now" in text for text in said)
