"""Helm hooks of an installation: before or after the others of their set, by weight, and never against another rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.graph import build_graph
from planner.resource import HelmHookPhase, Resource
from tests.unit.graph.stacks import edge_lines, resources

RULE = "helm hook  metadata.annotations[helm.sh/hook]"


def hook(name: str, weight: str = "", *, needs: str = "") -> str:
    """A hook; `needs` is an address that it comes after by another rule."""
    written = [f'helm.sh/hook-weight: "{weight}"'] if weight else []
    written += [f"hwplan.dev/depends-on: {needs}"] if needs else []
    metadata = f"{{name: {name}, namespace: n, annotations: {{{', '.join(written)}}}}}"
    return f"---\n{{apiVersion: batch/v1, kind: Job, metadata: {metadata}}}\n"


def settings(name: str, needs: str = "") -> str:
    annotations = f", annotations: {{hwplan.dev/depends-on: {needs}}}" if needs else ""
    return f"---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: n{annotations}}}}}\n"


def stack(text: str, phases: dict[str, HelmHookPhase], sets: dict[str, str] | None = None) -> list[Resource]:
    found = []
    for one in resources(text):
        options = replace(one.options, hook=phases.get(one.address.name))
        found.append(replace(one, options=options, owned_by=(sets or {}).get(one.address.name, one.owned_by)))
    return found


def drawn(text: str, phases: dict[str, HelmHookPhase], sets: dict[str, str] | None = None) -> list[str]:
    lines = edge_lines(build_graph(stack(text, phases, sets)).edges)
    return [line.removesuffix(RULE).strip() for line in lines if line.endswith(RULE)]


BEFORE, AFTER = HelmHookPhase.BEFORE, HelmHookPhase.AFTER
JOB_A, JOB_B, MAP = "Job.batch/n/a", "Job.batch/n/b", "ConfigMap/n/c"
CRD = (
    "---\n{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: t.e},"
    " spec: {group: e, names: {kind: T}}}\n"
)


@pytest.mark.parametrize(
    ("text", "phases", "expected"),
    [
        (hook("a") + settings("c"), {"a": BEFORE}, [f"{JOB_A} -> {MAP}"]),
        (hook("a") + settings("c"), {"a": AFTER}, [f"{MAP} -> {JOB_A}"]),
        (hook("a") + settings("c"), {}, []),
        (hook("a", needs="ConfigMap/n/c") + settings("c"), {"a": BEFORE}, []),  # what it needs stands before it
        (settings("c", needs="Job.batch/n/a") + hook("a"), {"a": AFTER}, []),  # what needs it stands behind it
        (hook("a") + CRD, {"a": BEFORE}, []),  # definitions first
        (hook("a", "-5") + hook("b", "3"), {"a": BEFORE, "b": BEFORE}, [f"{JOB_A} -> {JOB_B}"]),
        (hook("a", "3") + hook("b", "-5"), {"a": AFTER, "b": AFTER}, [f"{JOB_B} -> {JOB_A}"]),
        (hook("a", "none") + hook("b", "1"), {"a": AFTER, "b": AFTER}, [f"{JOB_A} -> {JOB_B}"]),  # no number is 0
        (hook("a") + hook("b"), {"a": BEFORE, "b": AFTER}, []),  # hooks of two phases: through the others
        (hook("a", "1", needs=JOB_B) + hook("b", "2"), {"a": BEFORE, "b": BEFORE}, []),  # its own order wins
    ],
)  # fmt: skip
def test_where_a_hook_stands(text: str, phases: dict[str, HelmHookPhase], expected: list[str]) -> None:
    assert drawn(text, phases) == expected


def test_a_hook_orders_its_own_set_only() -> None:
    assert drawn(hook("a") + settings("c"), {"a": BEFORE}, {"c": "another"}) == []
    assert drawn(hook("a", "1") + hook("b", "2"), {"a": BEFORE, "b": BEFORE}, {"b": "another"}) == []
