"""Many objects without a cluster, and large ones: a sandbox, a snapshot of it, definitions of hundreds of kinds."""

from __future__ import annotations

import json
from pathlib import Path

from bench.scenarios import Rig, Row
from bench.timing import in_turn
from tests.testbed.definitions import definition_of


def sandboxes(rig: Rig, count: int = 10_000) -> list[Row]:
    """A plan with nothing to do: in a sandbox and from a snapshot file, against the same plan of a live cluster."""
    namespace = rig.namespace()
    manifest = str(rig.manifest(count, namespace))
    rig.hwplan("apply", "-f", manifest, "--name", namespace, "--confirm", "--no-wait", "-q", state=namespace)
    saved, folder = str(rig.folder / f"{namespace}.json"), str(rig.folder / f"{namespace}-folder")
    for target in (saved, folder):
        rig.hwplan("snapshot", target, "-f", manifest, "--name", namespace, state=namespace)
    plan = ("plan", "-f", manifest, "--name", namespace, "--detailed-exitcode")
    found = in_turn(
        {
            "live": lambda: rig.hwplan(*plan, state=namespace),
            "sandbox": lambda: rig.hwplan(*plan, "--live", folder, state=namespace),
            "snapshot file": lambda: rig.hwplan(*plan, "--live", saved, state=namespace),
        },
        3,
    )
    live = found["live"].cpu
    rows = [Row(f"plan, {count:,} objects, nothing to do, live", f"{live:.2f} CPU s")]
    for name in ("sandbox", "snapshot file"):
        ratio = found[name].cpu / live
        rows.append(Row(f"  {name}", f"{found[name].cpu:.2f} CPU s: {ratio:.1f}x", "3x", ratio <= 3))
    return rows


def definitions(rig: Rig, count: int = 300) -> list[Row]:
    """A first plan of large CustomResourceDefinitions, against what kubectl needs to ask for the same."""
    manifest = rig.folder / "definitions.yaml"
    size = _write(manifest, count)
    found = in_turn(
        {
            "hwplan": lambda: rig.hwplan("plan", "-f", str(manifest), "--name", "crds", state="crds"),
            "kubectl": lambda: rig.kubectl("apply", "--server-side", "--dry-run=server", "-f", str(manifest)),
        },
        3,
    )
    ours, theirs = found["hwplan"], found["kubectl"]
    more = ours.megabytes / theirs.megabytes
    return [
        Row(f"plan, {count} new definitions, {size / 2**20:.0f} MB", f"{ours.cpu:.2f} CPU s, {ours.megabytes:.0f} MB"),
        Row("  kubectl apply --server-side --dry-run=server", f"{theirs.cpu:.2f} CPU s, {theirs.megabytes:.0f} MB",
            "its CPU", ours.cpu <= theirs.cpu),
        Row("  memory", f"{more:.2f}x", "1.5x", more <= 1.5),
    ]  # fmt: skip


def _write(path: Path, count: int) -> int:
    """Definitions of about 20 KB each; the bytes written."""
    documents = [json.dumps(_definition(n), indent=1) for n in range(count)]
    return path.write_text("\n---\n".join(documents))


def _definition(number: int) -> dict[str, object]:
    group, text = f"bench{number}.example.org", {"type": "string", "description": "What this field says. " * 4}
    part = {"type": "object", "properties": {f"field{n}": text for n in range(20)}}
    fields = {f"part{n}": part for n in range(8)}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
    return definition_of(group, "Bench", "benches", schema)
