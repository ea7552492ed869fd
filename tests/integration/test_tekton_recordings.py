"""The stand-in for Tekton does what the real one was recorded doing: every run, and every answer of admission."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.integration.tekton_replay import (
    NAMESPACE,
    Observed,
    Recording,
    Script,
    constant,
    data_folder,
    first,
    last,
    replay,
)
from tests.testbed import cluster as clusters
from tests.testbed import processes, tekton
from tests.testbed.api import Api
from tests.testbed.fixtures import part
from tests.testbed.tekton_controller import PATHS
from tests.testbed.tekton_tasks import condition_of

FOLDER = data_folder() or Path()
RECORDINGS = {path.stem: Recording.read(path) for path in sorted((FOLDER / "recordings").glob("*.jsonl"))}
ANSWERS: list[dict[str, Any]] = json.loads((FOLDER / "admission.json").read_text())
_DEADLINE = 120.0


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tekton.Tekton]:
    """The stand-in with the published CRDs, on a cluster where nobody else acts on pods."""
    with pytest.MonkeyPatch.context() as patch, part(), clusters.running(controllers=False) as running:
        patch.setenv("HWPLAN_TEKTON_CRDS", str(FOLDER / "crds"))
        with tekton.running(running.value, tmp_path_factory.mktemp("tekton"), plays=False) as value:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
            value.api.create("/api/v1/namespaces", body)
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
            value.api.create(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", account)
            value.enable(NAMESPACE)
            yield value


@pytest.fixture(scope="module")
def replayed(stand_in: tekton.Tekton) -> Iterator[Mapping[str, Recording]]:
    """All recordings: those in which time runs out alone, so that it runs out where it did; the others at once."""
    api = stand_in.api
    observed = Observed(api, PATHS)
    script = Script(api, observed)
    observed.start()
    script.start()
    try:
        timed = [one for name, one in RECORDINGS.items() if name.endswith("timeout")]
        found = [replay(api, observed, script, one, _DEADLINE) for one in timed]
        others = [one for one in RECORDINGS.values() if one not in timed]
        with ThreadPoolExecutor(len(others)) as pool:
            found += pool.map(lambda one: replay(api, observed, script, one, _DEADLINE), others)
        yield {one.name: one for one in found}
    finally:
        script.stop()
        observed.stop()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", RECORDINGS)
def test_a_run_goes_as_it_was_recorded(name: str, replayed: Mapping[str, Recording], stand_in: tekton.Tekton) -> None:
    recorded, seen = RECORDINGS[name], replayed[name]
    wanted, found = recorded.histories(), seen.histories()
    endless = name == "pod-deleted"  # the recording was broken off while it went on
    for key, history in wanted.items():
        got = found.get(key, [])[: len(history)] if endless else found.get(key, [])
        assert got == history, (key, stand_in.failures)
        for what in ("labels", "owner"):
            assert constant(last(seen, key) or {}, what) == constant(last(recorded, key) or {}, what), (key, what)
        if key[0] != "Pod":
            spec = constant(first(recorded, key) or {}, "spec")
            assert constant(first(seen, key) or {}, "spec") == spec, key
    assert set(found) == set(wanted)
    assert not stand_in.failures


@pytest.mark.timeout(120)
def test_a_run_that_is_cancelled_while_its_pod_is_pending_says_so(stand_in: tekton.Tekton) -> None:
    """No recording has it; the real one does so too where this runs against it. No step is said to have ended."""
    api, space = stand_in.api, "pending"
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    api.create(f"/api/v1/namespaces/{space}/serviceaccounts", account)
    stand_in.enable(space)
    task = {"name": "a", "taskSpec": {"steps": [{"name": "run", "image": "x", "script": "true"}]}}
    run = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": "r"}}
    path = f"/apis/tekton.dev/v1/namespaces/{space}"
    api.create(f"{path}/pipelineruns", {**run, "spec": {"pipelineSpec": {"tasks": [task]}}})

    def reached(reason: str) -> Any:
        found = api.find(f"{path}/taskruns/r-a") or {}
        return found["status"] if condition_of(found).get("reason") == reason else None

    processes.wait_until("the pod is pending", lambda: reached("Pending"), deadline=60)
    api.merge(f"{path}/pipelineruns/r", {"spec": {"status": "Cancelled"}})
    status = processes.wait_until("the end", lambda: reached("TaskRunCancelled"), deadline=60)
    assert condition_of({"status": status})["message"] == (
        'TaskRun "r-a" was cancelled. TaskRun cancelled as the PipelineRun it belongs to has been cancelled.\n'
        "Previous status: [Pending] Pending"
    )
    assert [set(one) - {"provenance"} for one in status["steps"]] == [{"name"}]


@pytest.mark.timeout(300)
def test_admission_answers_as_it_was_recorded(stand_in: tekton.Tekton, replayed: Mapping[str, Recording]) -> None:
    """In their order: some follow from those before, some need the run of a recording."""
    for case in ANSWERS:
        code, answer = _send(stand_in.api, case["request"])
        wanted = case.get("answer") or {}
        said = {key: answer.get(key) for key in wanted}
        assert (code, said) == (case["code"], wanted), case["case"]
        if case.get("result"):
            assert _stored(answer) == case["result"], case["case"]
        if case.get("managers"):
            assert _managers(answer) == case["managers"], case["case"]


def _send(api: Api, request: Mapping[str, Any]) -> tuple[int, Any]:
    path = request["path"].replace("NS", NAMESPACE)
    if "fieldManager" not in path and request["contentType"].startswith("application/apply"):
        path += "?" + urllib.parse.urlencode({"fieldManager": "hwplan"})
    body = None if request["body"] is None else json.dumps(request["body"]).encode()
    code, text = api.raw(request["method"], path, body, request["contentType"])
    return code, json.loads(text)


def _stored(answer: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: answer["metadata"][key] for key in ("name", "namespace", "labels") if key in answer["metadata"]}
    return {**{key: answer[key] for key in ("apiVersion", "kind", "spec")}, "metadata": metadata}


def _managers(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = answer["metadata"]["managedFields"]
    keys = ("manager", "operation", "subresource", "fieldsV1")
    return [{key: one.get(key) for key in keys} for one in entries if one["manager"] == "hwplan"]
