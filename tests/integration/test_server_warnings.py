"""What a sandbox warns of, and which kinds it serves, held against a real API server."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.errors import ProviderError
from providers.kubernetes.snapshot.builtin_kinds import builtin_kind_infos
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster, open_snapshot
from tests.fidelity.__main__ import wait_served
from tests.fidelity.server import APPLY, Answer, Server
from tests.fidelity.warned_objects import WARNED, deprecated_definition, deprecated_objects
from tests.testbed.cluster import TestCluster

Doc = dict[str, Any]


@pytest.fixture
def server(api_server: TestCluster) -> Iterator[Server]:
    with Server(api_server.server, api_server.token, api_server.ca) as client:
        yield client


@pytest.fixture
def sandbox(tmp_path: Path) -> SnapshotCluster:
    create_empty_snapshot(tmp_path, name="sandbox")
    return open_snapshot(tmp_path)


def _applied(
    server: Server, sandbox: SnapshotCluster, document: Doc, dry: bool = True
) -> tuple[Answer, list[str], str]:
    """The answer of the server, the warnings of the sandbox, and why that refuses it ("" when it does not)."""
    info = sandbox.kind(document["apiVersion"], document["kind"])
    assert info is not None, document["kind"]
    place = {"namespace": "default"} if info.namespaced else {}
    document = {**document, "metadata": {**document["metadata"], **place}}
    root = "/apis/" if "/" in info.api_version else "/api/"
    name = document["metadata"]["name"]
    path = f"{root}{info.api_version}{'/namespaces/default' * info.namespaced}/{info.plural}/{name}"
    query = f"?fieldManager=hwplan&force=true&fieldValidation=Strict{'&dryRun=All' * dry}"
    answer = server.request("PATCH", path + query, document, APPLY)
    group = f".{info.api_version.rpartition('/')[0]}" if "/" in info.api_version else ""
    local = f"{info.kind}{group}{'/default' * info.namespaced}/{name}"
    try:
        sandbox.apply(info, document, force=True, dry_run=dry)
    except ProviderError as error:
        return answer, [], str(error)
    return answer, list(sandbox.drain_warnings(local)), ""


def test_a_sandbox_warns_as_the_server_does(server: Server, sandbox: SnapshotCluster) -> None:
    wrong = []
    for document in WARNED:
        answer, warnings, refused = _applied(server, sandbox, document)
        if not answer.ok or refused or sorted(set(answer.warnings)) != warnings or not warnings:
            theirs = answer.warnings if answer.ok else answer.body.get("message")
            wrong.append(f"{document}\n  server:  {theirs}\n  sandbox: {refused or warnings}")
    assert not wrong, f"{len(wrong)} of {len(WARNED)}\n" + "\n".join(wrong)


def test_an_update_is_warned_of_where_it_changes_what_the_warning_is_about(
    server: Server, sandbox: SnapshotCluster
) -> None:
    document = copy.deepcopy(next(one for one in WARNED if one["kind"] == "Deployment"))
    document["metadata"]["name"] = "updated"
    steps = [document, document, {**document, "metadata": {"name": "updated", "labels": {"a": "b"}}}]
    steps.append({**document, "spec": {**document["spec"], "replicas": 3}})
    heard = []
    for step in steps:
        answer, warnings, refused = _applied(server, sandbox, step, dry=False)
        assert answer.ok and not refused
        assert sorted(set(answer.warnings)) == warnings
        heard.append(bool(warnings))
    assert heard == [True, False, False, True]


def test_versions_of_a_custom_kind_that_are_deprecated(server: Server, sandbox: SnapshotCluster) -> None:
    definition = deprecated_definition()
    _applied(server, sandbox, definition, dry=False)
    for version in definition["spec"]["versions"]:
        wait_served(server, f"warned.hwplan.dev/{version['name']}", "olds")
    for document in deprecated_objects():
        answer, warnings, refused = _applied(server, sandbox, document)
        assert answer.ok and not refused
        assert warnings == sorted(set(answer.warnings))


def test_a_sandbox_serves_the_kinds_of_the_server(server: Server) -> None:
    groups = server.request("GET", "/apis").body["groups"]
    paths = ["/api/v1", *(f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"])]
    lists = [server.request("GET", path).body for path in paths]
    definitions = server.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions").body["items"]
    custom = {one["spec"]["group"] for one in definitions}  # other tests use the same server
    theirs = {
        (one["groupVersion"], kind["kind"], kind["name"], kind["namespaced"])
        for one in lists
        for kind in one["resources"]
        if "/" not in kind["name"]
        and {"list", "patch"} <= set(kind["verbs"])
        and one["groupVersion"].partition("/")[0] not in custom
    }
    assert theirs == {(one.api_version, one.kind, one.plural, one.namespaced) for one in builtin_kind_infos()}
