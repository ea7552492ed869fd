"""The scenarios of spec 06, "Speed": each gives rows of the table, with its goal beside what was measured."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import objects
from bench.timing import Figure, Run, in_turn, run
from tests.testbed import audit
from tests.testbed.cluster import TestCluster
from tests.testbed.proxy import FaultProxy, Faults

ROUNDS = 5
PYTHON = sys.executable
KAPP = shutil.which("kapp")  # a peer takes part where it is on the PATH


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `holds` is None where there is no goal to hold."""

    scenario: str
    measured: str
    goal: str = ""
    holds: bool | None = None


@dataclass(frozen=True, slots=True)
class Rig:
    """The cluster and a folder of one bench."""

    cluster: TestCluster
    folder: Path
    rounds: int = ROUNDS
    names: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def namespace(self) -> str:
        """A new namespace."""
        name = f"bench-{next(self.names)}"
        self.cluster.api().create("/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def manifest(self, count: int, namespace: str) -> Path:
        """A file with `count` objects for `namespace`."""
        path = self.folder / f"{namespace}-{count}.yaml"
        objects.write(path, count, namespace)
        return path

    def hwplan(self, *words: str, state: str, kubeconfig: Path | None = None, ok: tuple[int, ...] = (0,)) -> Run:
        """One hwplan process."""
        where = ["--kubeconfig", str(kubeconfig or self.cluster.kubeconfig), "--state", str(self.folder / state)]
        return run([PYTHON, "-m", "planner", *words, *where], ok=ok)

    def kubectl(self, *words: str, ok: tuple[int, ...] = (0,)) -> Run:
        """One kubectl process."""
        cache = f"--cache-dir={self.folder / 'kubectl'}"
        return run([str(self.cluster.kubectl), f"--kubeconfig={self.cluster.kubeconfig}", cache, *words], ok=ok)

    def kapp(self, *words: str) -> Run:
        """One kapp process."""
        return run([KAPP or "kapp", f"--kubeconfig={self.cluster.kubeconfig}", *words])

    def loop(self, manifest: Path) -> Run:
        """The bare loop on 16 connections."""
        return run([PYTHON, "-m", "bench.loop", str(manifest), self.cluster.server, str(self.cluster.ca),
                    self.cluster.token])  # fmt: skip


@contextmanager
def rig(cluster: TestCluster, rounds: int = ROUNDS) -> Iterator[Rig]:
    """A rig with a folder that goes away."""
    folder = Path(tempfile.mkdtemp(prefix="hwplan-bench-"))
    try:
        yield Rig(cluster, folder, rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def unchanged(rig: Rig, count: int = 1000) -> list[Row]:
    """Plan with nothing to do, against `kubectl diff --server-side` (and kapp, where it is on the PATH)."""
    namespace = rig.namespace()
    manifest = str(rig.manifest(count, namespace))
    rig.hwplan("apply", "-f", manifest, "--name", namespace, "--confirm", "--no-wait", "-q", state=namespace)
    mark = audit.mark(rig.cluster)
    rig.hwplan("plan", "-f", manifest, "--name", namespace, "--detailed-exitcode", state=namespace)
    asked = audit.requests(rig.cluster, mark, user_agent="hwplan/")
    lists = [request for request in asked if request.verb == "list"]
    contenders: dict[str, Callable[[], Run]] = {
        "hwplan": lambda: rig.hwplan("plan", "-f", manifest, "--name", namespace, state=namespace),
        "kubectl diff": lambda: rig.kubectl("diff", "--server-side", "-f", manifest, "--force-conflicts", ok=(0, 1)),
    }
    kinds = "deployments.apps,services,configmaps,secrets"
    contenders["kubectl get"] = lambda: rig.kubectl("get", kinds, "-n", namespace, "-o", "json")
    if KAPP:  # in a namespace of its own: it owns what it deploys
        theirs = rig.namespace()
        app = ("-a", theirs, "-n", theirs, "-f", str(rig.manifest(count, theirs)))
        rig.kapp("deploy", *app, "--yes", "--wait=false")
        contenders["kapp"] = lambda: rig.kapp("deploy", *app, "--diff-run")
    found = in_turn(contenders, rig.rounds)
    ours, kubectl = found["hwplan"], found["kubectl diff"]
    faster = kubectl.seconds / ours.seconds
    rows = [
        Row(f"plan, {count} objects, nothing to do", f"{ours.seconds:.2f} s, {ours.megabytes:.0f} MB"),
        Row("  kubectl diff --server-side", f"{kubectl.seconds:.2f} s: {faster:.1f}x", "10x", faster >= 10),
        Row("  kubectl get -o json of the same lists, the floor",
            f"{found['kubectl get'].seconds:.2f} s: {ours.seconds / found['kubectl get'].seconds:.1f}x of it"),
        Row("  requests", f"{len(asked)} ({len(lists)} lists)", "lists + 5", len(asked) <= len(lists) + 5),
    ]  # fmt: skip
    if "kapp" in found:
        times = found["kapp"].seconds / ours.seconds
        rows.append(Row("  kapp deploy --diff-run", f"{found['kapp'].seconds:.2f} s: {times:.1f}x", "3x", times >= 3))
    return rows


def larger(rig: Rig) -> list[Row]:
    """Ten times as many objects."""
    times: dict[int, Figure] = {}
    for count in (1000, 10_000):
        namespace = rig.namespace()
        manifest = str(rig.manifest(count, namespace))
        rig.hwplan("apply", "-f", manifest, "--name", namespace, "--confirm", "--no-wait", "-q", state=namespace)
        plan = lambda m=manifest, n=namespace: rig.hwplan("plan", "-f", m, "--name", n, state=n)  # noqa: E731
        times[count] = in_turn({"plan": plan}, 3)["plan"]
    ratio = times[10_000].seconds / times[1000].seconds
    return [
        Row("plan, 10,000 objects, nothing to do", f"{times[10_000].seconds:.2f} s"),
        Row("  against 1,000", f"{ratio:.1f}x", "12x", ratio < 12),
        Row("  peak memory", f"{times[10_000].megabytes:.0f} MB", "600 MB", times[10_000].megabytes < 600),
    ]


def drifted(rig: Rig) -> list[Row]:
    """Ten objects changed by somebody else: one dry run each, no more."""
    namespace = rig.namespace()
    manifest = str(rig.manifest(1000, namespace))
    rig.hwplan("apply", "-f", manifest, "--name", namespace, "--confirm", "--no-wait", "-q", state=namespace)
    for n in range(10):
        patch = '{"data":{"key":"by-hand"}}'
        rig.kubectl("patch", "configmap", "-n", namespace, f"config-{n:05d}", "--type=merge", "-p", patch)
    mark = audit.mark(rig.cluster)
    took = rig.hwplan("plan", "-f", manifest, "--name", namespace, "--detailed-exitcode", state=namespace, ok=(2,))
    asked = audit.requests(rig.cluster, mark, user_agent="hwplan/")
    dry = sum(request.dry_run for request in asked)
    return [
        Row("plan, 1,000 objects, 10 drifted", f"{took.seconds:.2f} s"),
        Row("  dry runs", str(dry), "10", dry == 10),
    ]


def fresh(rig: Rig) -> list[Row]:
    """Apply 1,000 new objects, journal durable, against the bare loop and kubectl."""

    def anew(work: Callable[[Path, str], Run]) -> Callable[[], Run]:
        def once() -> Run:
            namespace = rig.namespace()
            return work(rig.manifest(1000, namespace), namespace)

        return once

    contenders = {
        "loop": anew(lambda manifest, _: rig.loop(manifest)),
        "hwplan": anew(
            lambda manifest, name: rig.hwplan(
                "apply", "-f", str(manifest), "--name", name, "--confirm", "--no-wait", "-q", state=name
            )
        ),
        "kubectl": anew(
            lambda manifest, _: rig.kubectl("apply", "--server-side", "--validate=false", "-f", str(manifest))
        ),
        "validating": anew(lambda manifest, _: rig.kubectl("apply", "--server-side", "-f", str(manifest))),
    }
    if KAPP:
        contenders["kapp"] = anew(
            lambda manifest, name: rig.kapp(
                "deploy", "-a", name, "-n", name, "-f", str(manifest), "--yes", "--wait=false"
            )
        )
    found = in_turn(contenders, min(3, rig.rounds))
    ours, loop, kubectl, validating = (found[name].seconds for name in ("hwplan", "loop", "kubectl", "validating"))
    rows = [
        Row("apply, 1,000 new objects", f"{ours:.2f} s"),
        Row("  bare loop, 16 connections", f"{loop:.2f} s: {ours / loop:.2f}x of it", "1.5x", ours <= 1.5 * loop),
        Row("  kubectl apply --server-side --validate=false", f"{kubectl:.2f} s: {kubectl / ours:.1f}x", "1x",
            kubectl > ours),
        Row("  kubectl apply --server-side", f"{validating:.2f} s: {validating / ours:.1f}x (the bare loop: "
            f"{validating / loop:.1f}x)"),
    ]  # fmt: skip
    if "kapp" in found:
        times = found["kapp"].seconds / ours
        bare = found["kapp"].seconds / loop
        rows.append(Row("  kapp deploy", f"{found['kapp'].seconds:.2f} s: {times:.1f}x (the bare loop: {bare:.1f}x)"))
    return rows


def far_away(rig: Rig) -> list[Row]:
    """The same plan over a link of 20 ms."""
    namespace = rig.namespace()
    manifest = str(rig.manifest(1000, namespace))
    rig.hwplan("apply", "-f", manifest, "--name", namespace, "--confirm", "--no-wait", "-q", state=namespace)
    plan = ("plan", "-f", manifest, "--name", namespace)
    with FaultProxy.before(rig.cluster.server, Faults(latency=0.010)) as proxy:
        distant = rig.cluster.through(proxy.port)
        found = in_turn(
            {
                "near": lambda: rig.hwplan(*plan, state=namespace),
                "far": lambda: rig.hwplan(*plan, state=namespace, kubeconfig=distant.kubeconfig),
            },
            rig.rounds,
        )
    near, far = found["near"].seconds, found["far"].seconds
    return [Row("the same at 20 ms round trip", f"{far:.2f} s", f"{1.5 * near + 0.2:.2f} s", far <= 1.5 * near + 0.2)]


def starting(rig: Rig) -> list[Row]:
    """Start-up: help and validation."""
    found = in_turn(
        {
            "click": lambda: run([PYTHON, "-c", "import click"]),
            "help": lambda: run([PYTHON, "-m", "planner", "--help"]),
            "validate": lambda: run([PYTHON, "-m", "planner", "validate"]),
        },
        max(9, rig.rounds),
    )
    ratio = found["help"].seconds / found["click"].seconds
    validate = found["validate"].seconds
    return [
        Row("hwplan --help against `import click`", f"{ratio:.2f}x", "2.5x", ratio < 2.5),
        Row("hwplan validate, shipped config", f"{validate:.2f} s", "1 s", validate < 1),
    ]
