"""Adopting what lives: after any drift of a rendered field either the configuration renders the live value, and every
other byte as before, or the refusal names the line of the template."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from planner.drift_adoption import DriftAdoption, FieldToAdopt
from planner.field_path import FieldPath
from planner.loading.config import Config, load_config
from planner.loading.drift_adoption.adopt_fields import RenderingCache, adopt_live_fields
from planner.loading.product_stack import load_product_stack
from planner.plan import Selection
from planner.resource import APPLIED, Resource
from planner.values import value_leaves
from tests.unit.loading.fakes import KeyedFingerprinter

CONFIG = Path(__file__).parent.parent.parent.parent / "config"
COUNT = int(os.environ.get("HWPLAN_ADOPTED_DRIFTS", "200"))


@cache
def configuration() -> Config:
    return load_config(CONFIG)


@cache
def places() -> tuple[tuple[str, str, str], ...]:
    """Every product, node and lane."""
    return tuple((one.product, one.node, one.name) for one in configuration().lanes)


def selection(product: str, node: str, lanes: tuple[str, ...]) -> Selection:
    scopes = tuple(scope.name for scope in configuration().products[product].spec.scopes)
    return Selection(product, "", (node,), lanes, scopes)


def declared(config: Config, product: str, node: str, lanes: tuple[str, ...]) -> dict[str, Resource]:
    """Lane by lane: some are never planned together, because they start the same run."""
    found = [
        one
        for lane in lanes
        for one in load_product_stack(config, selection(product, node, (lane,)), KeyedFingerprinter()).resources
    ]
    return {f"{one.owned_by} {one.address}": one for one in found}


@cache
def before(product: str, node: str) -> dict[str, Resource]:
    """Everything of a product on a node, as the files are."""
    return declared(configuration(), product, node, lanes_of(product, node))


def lanes_of(product: str, node: str) -> tuple[str, ...]:
    return tuple(lane.name for lane in configuration().lanes_of(product, node))


def plain(resource: Resource) -> Any:
    """Its document without our stamp."""
    annotations = {k: v for k, v in resource.manifest["metadata"].get("annotations", {}).items() if k != APPLIED}
    return {**resource.manifest, "metadata": {**resource.manifest["metadata"], "annotations": annotations}}


def fields(resource: Resource) -> list[tuple[FieldPath, Any]]:
    """The scalars of a document that somebody could change by hand."""
    identity = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}
    found: list[tuple[FieldPath, Any]] = []
    for path, value in value_leaves(plain(resource)):
        marks = any(str(part).startswith("hwplan.dev/") for part in path)
        if path not in identity and not marks and isinstance(value, str | int) and value != "":
            found.append((path, value))
    return found


def changed(value: Any, dice: random.Random) -> Any:
    """Another value of the same type, as somebody would write it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + dice.randint(1, 9)
    at = dice.randrange(len(value))
    choices = [
        value + dice.choice(["x", "-2", "9"]),
        value[:at] + dice.choice("7ab") + value[at:],
        dice.choice(["debug", "2Gi", "http://10.0.0.9:3128", "a b: c #d", "yes", "0123", "é"]),
    ]
    return dice.choice([one for one in choices if one != value])


def drifts(count: int, seed: int) -> Iterator[tuple[tuple[str, str, str], Resource, FieldPath, Any]]:
    dice = random.Random(seed)
    while count:
        product, node, lane = place = dice.choice(places())
        resource = dice.choice(sorted(before(product, node).values(), key=lambda one: one.address))
        of_lane = resource.owned_by in (f"{product}.{node}", f"{product}.{node}.{lane}")
        if resource.api_version.startswith("hwplan.dev/") or not of_lane or not fields(resource):
            continue
        path, value = dice.choice(fields(resource))
        yield place, resource, path, changed(value, dice)
        count -= 1


@pytest.mark.timeout(120 + COUNT)
def test_any_drift_is_adopted_alone_or_refused_with_its_line() -> None:
    adopted = refused = 0
    known = RenderingCache()
    for (product, node, lane), resource, path, live in drifts(COUNT, seed=COUNT):
        wanted = FieldToAdopt(resource.address, path, live, source=resource.source)
        found = adopt_live_fields(configuration(), selection(product, node, (lane,)), [wanted], known)
        if found.refused:
            (one,) = found.refused
            assert one.reason and one.source.file.startswith("templates/") and one.source.line, (resource, path, one)
            assert not found.patch.after
            refused += 1
            continue
        only_this_changed(found, product, resource, path, live)
        adopted += 1
    print(f"{adopted} adopted, {refused} refused")
    assert adopted >= COUNT // 30, "hardly anything is adopted: then this test shows little"


def test_fields_of_several_products_are_one_patch() -> None:
    """`--product all`: each field is looked for in the product that declares it."""
    wanted = []
    for product, address, path, live in (
        ("hwlab", "ResourceQuota/hwlab-v03/bounds", ("spec", "hard", "persistentvolumeclaims"), "12"),
        ("agentrun", "Application.argoproj.io/argocd/agentrun-v02",
         ("spec", "syncPolicy", "automated", "selfHeal"), False),
    ):  # fmt: skip
        (one,) = [one for one in before(product, "D601").values() if one.address.local == address]
        wanted.append(FieldToAdopt(one.address, path, live, source=one.source))
    both = Selection("all", "", ("D601",), ("v02", "v03"))
    found = adopt_live_fields(configuration(), both, wanted)
    assert not found.refused and {file.name for file in found.patch.after} == {"hwlab-node-lanes.yaml", "agentrun.yaml"}


def only_this_changed(found: DriftAdoption, product: str, resource: Resource, path: FieldPath, live: Any) -> None:
    """Read everything of the product anew from the patched files."""
    after = load_config(CONFIG, instead=found.patch.after)
    reached = {one.node for one in after.lanes if one.product == product}
    for node in sorted(reached):
        if facts(after, product, node) == facts(configuration(), product, node):
            continue
        old, new = before(product, node), declared(after, product, node, lanes_of(product, node))
        assert old.keys() == new.keys()
        for address, one in old.items():
            if one.address == resource.address and one.owned_by == resource.owned_by:
                leaves: dict[FieldPath, Any] = dict(value_leaves(plain(one)))
                assert dict(value_leaves(plain(new[address]))) == leaves | {path: live}, (address, path, live)
            else:
                assert plain(one) == plain(new[address]), (address, path, live)


def facts(config: Config, product: str, node: str) -> Any:
    """Everything that the templates of a node can depend on."""
    lanes = [(one.name, one.spec) for one in config.lanes_of(product, node)]
    return config.nodes[node].spec, lanes, config.products[product].spec
