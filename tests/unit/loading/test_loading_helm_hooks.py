"""Hooks in the output of `helm template`: which are planned, and between what they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.graph import build_graph
from planner.loading import LoadResult
from planner.loading.manifests.plain_manifests import load_plain_manifests
from tests.unit.loading.fakes import KeyedFingerprinter

JOB = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\n  annotations: {{helm.sh/hook: '{events}'{more}}}\n"
ACCOUNT = "spec: {{template: {{spec: {{serviceAccountName: {0}, containers: [{{name: a, image: a}}]}}}}}}\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\n"


def hook(name: str, events: str, more: str = "") -> str:
    return JOB.format(name=name, events=events, more=more)


def load(*documents: str, as_objects: bool = False) -> LoadResult:
    text = "---\n".join(documents).encode()
    prints = KeyedFingerprinter()
    return load_plain_manifests(["-"], stdin=text, name="x", fingerprinter=prints, hooks_as_objects=as_objects)


def order(loaded: LoadResult) -> list[str]:
    return [address.name for address in build_graph(loaded.resources).order()]


@pytest.mark.parametrize(
    "events", ["pre-delete", "post-delete", "pre-rollback", "post-rollback", "test", "test-success", "pre-delete, test"]
)
def test_hooks_of_other_events_are_left_out(events: str) -> None:
    loaded = load(MAP, hook("wipe", events))
    assert order(loaded) == ["cm"]
    (warning,) = loaded.warnings
    assert "Job/wipe" in warning and "--helm-hooks as-objects" in warning
    assert len(load(MAP, hook("wipe", events), as_objects=True).resources) == 2


def test_hooks_of_an_installation_stand_around_the_rest() -> None:
    hooks = [
        hook("z-first", "pre-install,pre-delete", ", helm.sh/hook-weight: '-5'"),
        hook("a-second", "pre-upgrade", ", helm.sh/hook-weight: '3'"),
        hook("last", "post-upgrade,post-install"),
    ]
    for documents in ([MAP, *hooks], [*reversed(hooks), MAP]):
        assert order(load(*documents)) == ["z-first", "a-second", "cm", "last"]


def test_what_a_hook_needs_stands_before_it() -> None:
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n"
    migrate = hook("migrate", "pre-install") + ACCOUNT.format("sa")
    assert order(load(MAP, migrate, account)) == ["sa", "migrate", "cm"]


def test_as_objects_has_no_order_of_its_own() -> None:
    assert order(load(MAP, hook("z", "pre-install"), as_objects=True)) == ["cm", "z"]


def test_a_hundred_hooks_are_fast(tmp_path: Path) -> None:
    documents = [MAP.replace("cm", f"cm{number}") for number in range(300)]
    assert len(order(load(*documents, *(hook(f"h{number}", "pre-install") for number in range(30))))) == 330
