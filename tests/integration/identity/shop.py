"""A small application in a simulated cluster, and the plan of any version of it: read, predicted, decided for real."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from planner.address import Address
from planner.graph import build_graph
from planner.loading.manifests.plain_manifests import load_plain_manifests
from planner.plan import Plan, Selection
from planner.planning import PlanInputs, make_plan
from planner.values import JsonObject, Vault
from providers.kubernetes.provider import KubernetesProvider
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.unit.kubernetes.world import PRINTS, config, deployment, namespace

NAME = "shop"
CONFIGS, DEPLOYMENTS = 6, 3
Documents = list[JsonObject]


def documents() -> Documents:
    """What was applied first."""
    found = [namespace("demo")]
    found += [config(f"settings-{at}", {"level": "info", "size": str(at)}) for at in range(CONFIGS)]
    found += [deployment(f"web-{at}") for at in range(DEPLOYMENTS)]
    password = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "demo"}}
    return [*found, {**password, "stringData": {"password": "hunter2-canary"}}]


def edited(rng: Random) -> Documents:
    """The next version: three of the settings, one workload, the secret and a new object; the rest stays."""
    found = documents()
    for at in rng.sample(range(CONFIGS), 3):
        found[1 + at]["data"]["level"] = rng.choice(["debug", "warn"])
    found[1 + CONFIGS]["spec"]["replicas"] = rng.randint(3, 9)
    found[-1]["stringData"]["password"] = f"value-{rng.random()}"
    return [*found, config("added", {"a": str(rng.random())})]


def as_yaml(parts: Sequence[JsonObject], *, by_key: bool = False) -> str:
    """The documents as YAML text, keys as they come or sorted."""
    return str(yaml.dump_all(parts, Dumper=_DUMPER, default_flow_style=False, sort_keys=by_key))


_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def write(folder: Path, parts: Sequence[JsonObject]) -> str:
    """The documents as one file; its path."""
    path = folder / "app.yaml"
    path.write_text(as_yaml(parts))
    return str(path)


@dataclass(frozen=True)
class Shop:
    """The simulated cluster in `box` and a folder for manifests."""

    box: Path
    folder: Path

    def copied(self, to: Path) -> Shop:
        """The same cluster, to be changed without a trace."""
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.box, to)
        return Shop(to, self.folder)

    def vault(self, *files: str) -> Vault:
        """The secret values in `files`."""
        return load_plain_manifests(
            files, stdin=None, name=NAME, fingerprinter=PRINTS, cache=self.folder / "cache"
        ).vault

    def plan(self, *files: str, **selection: Any) -> Plan:
        """Load `files`, look, predict, decide."""
        loaded = load_plain_manifests(files, stdin=None, name=NAME, fingerprinter=PRINTS, cache=self.folder / "cache")
        cluster = open_snapshot(self.box)
        provider = KubernetesProvider(cluster, fingerprinter=PRINTS)
        read = provider.read(loaded.resources, {NAME}, [])
        previews = provider.preview([(one, read.observations[one.address]) for one in loaded.resources])
        resources = {one.address: one for one in loaded.resources}
        return make_plan(
            PlanInputs(
                Selection(**{"name": NAME, "files": files, **selection}),
                cluster.identity(),
                loaded.digest,
                build_graph(loaded.resources),
                resources,
                read.observations,
                previews,
                strays=read.strays,
                warnings=(*loaded.warnings, *read.warnings),
            )
        )


def first_applied(root: Path) -> Shop:
    """A cluster in which the first version lives, applied by hwplan."""
    box, folder = root / "box", root / "files"
    folder.mkdir(parents=True)
    create_empty_snapshot(box, name="sandbox", namespaces=[])
    shop = Shop(box, folder)
    path = write(folder, documents())
    provider = KubernetesProvider(open_snapshot(box), fingerprinter=PRINTS)
    for change in shop.plan(path).changes:
        provider.apply(change, shop.vault(path))
    assert not shop.plan(path).applyable
    return shop


def address_of(document: JsonObject) -> Address:
    """The address of one of the documents."""
    kind = f"{document['kind']}.apps" if document["kind"] == "Deployment" else document["kind"]
    inside = f"{document['metadata'].get('namespace', '')}/".lstrip("/")
    return Address.parse(f"{kind}/{inside}{document['metadata']['name']}")


def same(parts: Documents) -> Documents:
    """A copy that may be edited."""
    return copy.deepcopy(parts)
