"""The engine alone, with no cluster: the graph of very many resources, a run against its critical path, memory."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections.abc import Iterator, Mapping

from bench.scenarios import Rig, Row
from planner.address import address_of_document
from planner.executor import ExecutionOptions
from planner.graph import build_graph
from planner.plan import Plan
from planner.resource import Resource
from planner.resource import ResourceOptions as ResourceOptions
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from tests.unit.executor.executor_fakes import FakeProvider, change, plan_of, run

_PER_APPLICATION = 4  # documents of `_application`


def graph(_: Rig) -> list[Row]:
    """Edges and order of 100,000 resources, and of half of them: fewer fit into the caches and say nothing."""
    seconds: dict[int, float] = {}
    edges = 0
    for count in (50_000, 100_000):
        resources = _resources(count)
        gc.collect()
        began = time.process_time()  # pure computing: other processes do not count
        edges = len(build_graph(resources).edges)
        seconds[count] = time.process_time() - began
    ratio = seconds[100_000] / seconds[50_000]
    return [
        Row(f"graph and order, 100,000 resources, {edges:,} edges", f"{seconds[100_000]:.2f} s", "10 s",
            seconds[100_000] < 10),
        Row("  against 50,000", f"{ratio:.1f}x", "linear (2.4x)", ratio < 2.4),
    ]  # fmt: skip


def makespan(_: Rig, nodes: int = 300, plans: int = 5) -> list[Row]:
    """Random graphs whose nodes get ready after 50 to 500 ms: the whole run against its longest path."""
    worst, path = 0.0, 0.0
    for seed in range(plans):
        plan, delays = _random_plan(random.Random(seed), nodes)
        shortest = _critical_path(plan, delays)
        began = time.perf_counter()
        run(plan, FakeProvider(ready_after=dict(delays)), ExecutionOptions(parallelism=16))
        ratio = (time.perf_counter() - began) / shortest
        if ratio > worst:
            worst, path = ratio, shortest
    return [
        Row(f"apply, {plans} random graphs of {nodes} nodes with waits",
            f"{worst:.2f}x of the longest path, {path:.2f} s", "1.1x", worst <= 1.1),
    ]  # fmt: skip


def memory(_: Rig) -> list[Row]:
    """Memory of graph and plan per resource, as their number grows."""
    kilobytes = {count: _kilobytes_each(count) for count in (2_000, 20_000)}
    growth = kilobytes[20_000] / kilobytes[2_000]
    return [
        Row("memory per resource, 2,000 and 20,000", " and ".join(f"{one:.1f} KB" for one in kilobytes.values()),
            "flat (1.1x)", growth <= 1.1),
    ]  # fmt: skip


def _kilobytes_each(count: int) -> float:
    tracemalloc.start()
    resources = _resources(count)
    ordered = build_graph(resources)
    plan = plan_of(
        [change(address.name, [need.name for need in ordered.needs(address)]) for address in ordered.order()]
    )
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(plan.changes) == len(resources)
    return used / count / 1024


def _resources(count: int) -> list[Resource]:
    return [_resource(document) for n in range(count // _PER_APPLICATION) for document in _application(n)]


def _resource(document: JsonObject) -> Resource:
    source = SourceRef("bench.yaml", 1)
    return Resource(
        address_of_document(document),
        str(document["apiVersion"]),
        document,
        "bench",
        "runtime",
        source,
        ResourceOptions(),
    )


def _application(n: int) -> Iterator[JsonObject]:
    """A workload with what it names; all share a few hundred namespaces."""
    at = {"namespace": f"ns-{n % 300}"}
    yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"config-{n}", **at}, "data": {"key": "x"}}
    yield {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"secret-{n}", **at}, "data": {}}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": f"account-{n}", **at}}
    container = {
        "name": "main",
        "image": "registry.example/app:1",
        "envFrom": [{"configMapRef": {"name": f"config-{n}"}}, {"secretRef": {"name": f"secret-{n}"}}],
    }
    pod = {"serviceAccountName": f"account-{n}", "containers": [container]}
    spec = {"selector": {"matchLabels": {"app": f"a-{n}"}}, "template": {"spec": pod}}
    yield {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"app-{n}", **at}, "spec": spec}


def _random_plan(dice: random.Random, nodes: int) -> tuple[Plan, Mapping[str, float]]:
    names = [f"n{n:04d}" for n in range(nodes)]
    needs = {
        name: [names[at] for at in dice.sample(range(max(0, n - 40), n), min(n, dice.randint(0, 3)))]
        for n, name in enumerate(names)
    }
    return plan_of(needs), {name: dice.uniform(0.05, 0.5) for name in names}


def _critical_path(plan: Plan, delays: Mapping[str, float]) -> float:
    ends: dict[str, float] = {}
    for one in plan.changes:
        begin = max((ends[need.name] for need in one.needs), default=0.0)
        ends[one.address.name] = begin + delays[one.address.name]
    return max(ends.values())
