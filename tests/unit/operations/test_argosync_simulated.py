"""ArgoSync in a sandbox: the simulated Argo CD carries an operation out at once, and it stays on record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from planner.contract.plan_and_apply import apply_changes_until_stopped, change_of_preview
from planner.events import ChangeResult
from planner.plan import Change
from planner.ports import PreviewEffect
from planner.resource import Resource
from providers import argo_sync_provider_with_git
from providers.cluster_interface import Cluster
from providers.kubernetes.operations.argo_state import parse_argo_application
from providers.kubernetes.operations.argosync import ArgoSyncProvider
from providers.kubernetes.snapshot import permissive_crds
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from providers.provider_tools import ProviderTools
from tests.contract.declared import own
from tests.testbed.git_fixtures import BareRepository
from tests.unit.kubernetes.world import World, declare

X, Y = "a" * 40, "b" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_empty_snapshot(tmp_path, name="sandbox", namespaces=["argocd"])
    spec = {"project": "default", "source": {"repoURL": "https://git.example/x", "targetRevision": "main"}}
    metadata = {"name": "shop", "namespace": "argocd", "annotations": {"mine": "stays"}}
    app = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}
    permissive_crds.add_permissive_crds(tmp_path, [app])
    World(open_snapshot(tmp_path)).apply([declare(app)])
    return tmp_path


@pytest.mark.parametrize("revision", [X, None])
def test_a_sync_is_carried_out_and_then_there_is_nothing_to_do(folder: Path, revision: str | None) -> None:
    wanted = own("ArgoSync", "shop", {"application": "shop"} | ({"revision": revision} if revision else {}))
    provider = ArgoSyncProvider(open_snapshot(folder))
    seen = provider.read([wanted], (), ()).observations[wanted.address]
    change = change_of_preview(wanted, seen, provider.preview([(wanted, seen)])[wanted.address])
    assert change is not None
    (ended,) = apply_changes_until_stopped([change], provider, {}).outcomes.values()
    assert ended.result is ChangeResult.DONE, ended
    cluster = open_snapshot(folder)
    kind = cluster.kind("argoproj.io/v1alpha1", "Application")
    assert kind is not None
    live = cluster.get(kind, "argocd", "shop")
    assert live is not None and "operation" not in live
    assert (
        "argocd.argoproj.io/refresh" not in live["metadata"]["annotations"]
        and "mine" in live["metadata"]["annotations"]
    )
    again = ArgoSyncProvider(cluster)
    seen = again.read([wanted], (), ()).observations[wanted.address]
    effect = again.preview([(wanted, seen)])[wanted.address].effect
    assert effect is (PreviewEffect.NONE if revision else PreviewEffect.RUN)  # nobody knows the tip without asking


def test_another_revision_is_planned_and_done(folder: Path) -> None:
    for revision in (X, Y):
        wanted = own("ArgoSync", "shop", {"application": "shop", "revision": revision})
        provider = ArgoSyncProvider(open_snapshot(folder))
        seen = provider.read([wanted], (), ()).observations[wanted.address]
        change = change_of_preview(wanted, seen, provider.preview([(wanted, seen)])[wanted.address])
        assert change is not None
        result = apply_changes_until_stopped([change], provider, {})
        (outputs,) = result.outputs.values()
        assert (outputs["revision"], outputs["sync"], outputs["health"]) == (revision, "Synced", "Healthy")


@pytest.mark.parametrize("planned_first", [False, True])
@pytest.mark.parametrize(("later", "ends_well"), [("child", True), ("stranger", False)])
def test_r3_a_later_revision_that_contains_the_wanted_one_counts(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: str, ends_well: bool, planned_first: bool
) -> None:
    """R3: it is there already, or comes while ours is planned: the older one is not brought back over it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    repository = BareRepository.create(tmp_path / "gitops.git")
    wanted_commit = repository.grow("refs/heads/main", "wanted")
    other = repository.commit(later, *([wanted_commit] if later == "child" else []))
    repository.put("refs/heads/main", other)
    history = {"remote": repository.url, "branch": "main"}
    wanted = own("ArgoSync", "shop", {"application": "shop", "revision": wanted_commit, "history": history})
    cluster = open_snapshot(folder)
    provider = argo_sync_provider_with_git.create_argo_sync_provider(cast(ProviderTools, _Tools(cluster, tmp_path)))
    change = _change(provider, wanted) if planned_first else None
    bring = own("ArgoSync", "shop", {"application": "shop", "revision": other})
    first = _change(ArgoSyncProvider(cluster), bring)
    assert first is not None
    apply_changes_until_stopped([first], ArgoSyncProvider(cluster), {})
    change = change or _change(provider, wanted)
    if not planned_first:
        assert (change is None) == ends_well
    if change is None:
        return
    (outputs,) = apply_changes_until_stopped([change], provider, {}).outputs.values()
    assert outputs["revision"] == (other if ends_well else wanted_commit)


def _change(provider: ArgoSyncProvider, wanted: Resource) -> Change | None:
    seen = provider.read([wanted], (), ()).observations[wanted.address]
    return change_of_preview(wanted, seen, provider.preview([(wanted, seen)])[wanted.address])


def test_r3_what_git_cannot_compare_is_blocked(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is at a later revision cannot be determined: no older one is brought back."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cluster = open_snapshot(folder)
    first = _change(ArgoSyncProvider(cluster), own("ArgoSync", "shop", {"application": "shop", "revision": Y}))
    assert first is not None
    apply_changes_until_stopped([first], ArgoSyncProvider(cluster), {})
    history = {"remote": f"file://{tmp_path}/nothing.git", "branch": "main"}
    wanted = own("ArgoSync", "shop", {"application": "shop", "revision": X, "history": history})
    provider = argo_sync_provider_with_git.create_argo_sync_provider(cast(ProviderTools, _Tools(cluster, tmp_path)))
    seen = provider.read([wanted], (), ()).observations[wanted.address]
    assert "cannot be determined" in provider.preview([(wanted, seen)])[wanted.address].blocked


@dataclass(frozen=True)
class _Tools:
    """What the factory takes of its tools."""

    api: Cluster
    folder: Path
    sandbox: Path | None = None


@pytest.mark.parametrize("live", ["", "v0.3-gitops", "1.4.2", "abc1234"])
def test_of_what_is_no_commit_nobody_is_asked_whether_it_contains_one(live: str) -> None:
    """A new Application, a chart, a branch: it is not at the wanted revision, and git could not say so."""

    def contains(_ancestor: str, _descendant: str) -> bool:
        raise AssertionError("git was asked")

    status = {"sync": {"status": "Synced", "revision": live}, "health": {"status": "Healthy"}}
    seen = parse_argo_application({"metadata": {"uid": "u", "resourceVersion": "1"}, "status": status})
    assert not seen.is_at("a" * 40, contains) and seen.is_at(live, contains)
