"""Credentials that may only read: predicted locally and said so; any other refusal is the server's answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.address import Address
from planner.field_path import render_path
from planner.plan import VerifiedBy
from planner.ports import PreviewEffect
from planner.resource import Resource
from planner.values import JsonObject
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.errors import Forbidden, WebhookDown
from providers.kubernetes.provider import KubernetesProvider
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster, open_snapshot
from tests.unit.kubernetes.world import PRINTS, World, config, declare, deployment

RBAC = 'User "cron" cannot patch resource "configmaps" in API group "" in the namespace "demo"'
QUOTA = "forbidden: exceeded quota: small, requested: count/configmaps=1"


class Refusing(SnapshotCluster):
    """A cluster whose dry runs fail. It counts itself as live, so that nothing is softened for a simulation."""

    simulated = False
    error: Exception = Forbidden(RBAC)

    def apply(
        self, kind: ServedKubernetesKind, body: JsonObject, *, force: bool = False, dry_run: bool = False
    ) -> JsonObject:
        if dry_run:
            raise self.error
        return super().apply(kind, body, force=force)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A cluster with three objects, two of which somebody changed, and whose dry runs are refused."""
    create_empty_snapshot(tmp_path, name="box", namespaces=["demo"])
    World(open_snapshot(tmp_path)).apply(wanted()[:3])
    change_as_foreign_manager(tmp_path, Address.parse("ConfigMap/demo/one"), {"data.a": "theirs"}, "night-shift")
    change_as_foreign_manager(tmp_path, Address.parse("ConfigMap/demo/two"), {"data.a": "theirs"}, "night-shift")
    opened = open_snapshot(tmp_path)
    return World(Refusing(opened._store))


def wanted() -> list[Resource]:
    return [
        declare(config("one", {"a": "1"})),
        declare(config("two", {"a": "1"})),
        declare(deployment("api")),
        declare(config("three", {"a": "1"})),
    ]


def test_changes_and_creates_are_predicted_locally(world: World) -> None:
    look = world.look(wanted())
    assert look.effects == {
        "ConfigMap/demo/one": "update",
        "ConfigMap/demo/two": "update",
        "Deployment.apps/demo/api": "none",
        "ConfigMap/demo/three": "create",
    }
    one = look.preview("ConfigMap/demo/one")
    assert one.verified is VerifiedBy.SCHEMA and not one.blocked and one.drifted
    (field,) = one.fields
    assert (render_path(field.path), field.before, field.after, field.manager) == (
        "data.a",
        "theirs",
        "1",
        "night-shift",
    )


def test_the_warning_is_told_once_with_how_many_more(world: World) -> None:
    previews = world.look(wanted()).previews
    assert {a.local: p.warnings for a, p in previews.items() if p.warnings} == {
        "ConfigMap/demo/one": (f"not asked of the server: {RBAC}; predicted locally (and 2 more)",)
    }


@pytest.mark.parametrize("error", [Forbidden(QUOTA), WebhookDown("webhook w does not answer", webhook="w")])
def test_other_refusals_block_their_object_and_nothing_else(world: World, error: Exception) -> None:
    assert isinstance(world.cluster, Refusing)
    world.cluster.error = error
    previews = world.look(wanted()).previews
    blocked = {address.local: preview.blocked for address, preview in previews.items() if preview.blocked}
    assert set(blocked) == {"ConfigMap/demo/one", "ConfigMap/demo/two", "ConfigMap/demo/three"}
    assert set(blocked.values()) == {str(error)}


def test_before_a_straight_apply_it_is_a_refusal(world: World) -> None:
    world.provider = KubernetesProvider(world.cluster, fingerprinter=PRINTS, dry_creates=False)
    preview = world.look(wanted()).preview("ConfigMap/demo/one")
    assert preview.blocked == RBAC and preview.effect is PreviewEffect.UPDATE
