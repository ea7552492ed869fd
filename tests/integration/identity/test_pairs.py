"""1,000 pairs of plans that differ in nothing that is done keep one id; 1,000 that differ in it never share one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import pytest

from planner import plan_document
from planner.address import Address
from planner.plan import Action, ClusterIdentity, Plan, Precondition
from planner.plan_bytes import dump_plan, load_plan
from planner.plan_id import plan_id
from planner.values import JsonObject
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager, delete_as_foreign_manager
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.integration.identity.shop import Documents, Shop, address_of, as_yaml, edited, first_applied, same, write
from tests.unit.kubernetes.world import config

BASES, EACH = 25, 40  # a thousand pairs


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return first_applied(tmp_path_factory.mktemp("shop"))


class Pair:
    """One version of the application, and what a variation may touch."""

    def __init__(self, shop: Shop, rng: Random, parts: Documents, plan: Plan) -> None:
        self.shop, self.rng, self.parts, self.plan = shop, rng, parts, plan
        self.changed = [one.address for one in plan.changes if one.action is Action.UPDATE]
        self.quiet = [address_of(one) for one in parts if address_of(one) not in {c.address for c in plan.changes}]

    @cached_property
    def scratch(self) -> Shop:
        """A copy of the cluster, made for those who write to it."""
        return self.shop.copied(self.shop.folder.parent / "scratch")

    def again(self, parts: Documents | None = None, **selection: Any) -> Plan:
        return self.shop.plan(write(self.shop.folder, parts or self.parts), **selection)

    def after(self, address: Address, values: Mapping[str, object], manager: str) -> Plan:
        """The plan after somebody else wrote to a live object."""
        change_as_foreign_manager(self.scratch.box, address, values, manager)
        return self.scratch.plan(write(self.shop.folder, self.parts))

    def some(self, addresses: list[Address], kind: str = "") -> Address:
        return self.rng.choice([one for one in addresses if not kind or one.kind == kind])

    def part(self, kind: str = "ConfigMap") -> tuple[Documents, JsonObject]:
        """A copy of the documents, and in it one that is changed by the plan."""
        parts, wanted = same(self.parts), self.some(self.changed, kind)
        return parts, next(one for one in parts if address_of(one) == wanted)


def pairs(shop: Shop, bases: range) -> Iterator[tuple[int, Pair]]:
    """The pairs of some of the bases, each with its number among all."""
    for base in bases:
        rng = Random(base)
        parts = edited(rng)
        plan = shop.plan(write(shop.folder, parts))
        for number in range(base * EACH, (base + 1) * EACH):
            yield number, Pair(shop, rng, parts, plan)


# Tests of their own, so that several workers share the thousand.
in_groups = pytest.mark.parametrize("bases", [range(at, at + 5) for at in range(0, BASES, 5)], ids=str)


Variation: TypeAlias = Callable[[Pair], Plan]

# --- nothing that is done -------------------------------------------------------------------------------------------


def _comments(pair: Pair) -> Plan:
    path = Path(write(pair.shop.folder, pair.parts))
    lines = path.read_text().splitlines()
    for _ in range(pair.rng.randint(1, 9)):
        lines.insert(pair.rng.randint(0, len(lines)), f"# {pair.rng.random()}")
    path.write_text("\n".join(lines) + "\n")
    return pair.shop.plan(str(path))


def _reformatted(pair: Pair) -> Plan:
    path = pair.shop.folder / "app.yaml"
    if pair.rng.random() < 0.5:
        path.write_text("\n---\n".join(json.dumps(one, indent=pair.rng.randint(1, 8)) for one in pair.parts))
    else:
        path.write_text(as_yaml(pair.parts, by_key=True))
    return pair.shop.plan(str(path))


def _moved(pair: Pair) -> Plan:
    folder = pair.shop.folder / f"moved-{pair.rng.random()}"
    folder.mkdir()
    for at, one in enumerate(pair.rng.sample(pair.parts, len(pair.parts))):
        (folder / f"{at}.yaml").write_text(as_yaml([one]))
    return pair.shop.plan(str(folder))


def _annotated(pair: Pair) -> Plan:
    """By somebody else: on what the plan leaves alone, or on what it changes."""
    address = pair.some(pair.rng.choice([pair.quiet, pair.changed]))
    return pair.after(address, {f"metadata.annotations[x/y-{pair.rng.randint(0, 9)}]": "1"}, "night-shift")


def _elsewhere(pair: Pair) -> Plan:
    """An object that is nobody's business."""
    cluster = open_snapshot(pair.scratch.box)
    cluster.add(config(f"other-{pair.rng.randint(0, 99)}", {"a": str(pair.rng.random())}), manager="helm")
    return pair.scratch.plan(write(pair.shop.folder, pair.parts))


def _drifted_elsewhere(pair: Pair) -> Plan:
    """A field that nobody declared, on an object that is as declared."""
    return pair.after(pair.some(pair.quiet, "ConfigMap"), {"data.more": str(pair.rng.random())}, "night-shift")


def _not_ready(pair: Pair) -> Plan:
    """Status of a workload, changed by the plan or not."""
    values = {"status.availableReplicas": pair.rng.randint(0, 1), "status.observedGeneration": pair.rng.randint(0, 1)}
    return pair.after(pair.some([*pair.quiet, *pair.changed], "Deployment"), values, "kube-controller-manager")


def _other_version(pair: Pair) -> Plan:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_document, "__version__", f"9.{pair.rng.randint(0, 99)}")
        return load_plan(dump_plan(pair.again()))


def _spelled(pair: Pair) -> Plan:
    return pair.again(exclude=("Job/*",), targets=("*",), scopes=("manifests",))


IRRELEVANT = (
    _comments, _reformatted, _moved, _annotated, _elsewhere, _drifted_elsewhere, _not_ready, _other_version, _spelled,
)  # fmt: skip


@in_groups
def test_what_changes_nothing_keeps_the_id(shop: Shop, bases: range) -> None:
    moved: list[str] = []
    for number, pair in pairs(shop, bases):
        vary = IRRELEVANT[number % len(IRRELEVANT)]
        if plan_id(vary(pair)) != plan_id(pair.plan):
            moved.append(vary.__name__)
    assert moved == []


# --- what is done -------------------------------------------------------------------------------------------------


def _field(pair: Pair) -> Plan:
    parts, one = pair.part()
    one["data"]["level"] = f"other-{pair.rng.random()}"
    return pair.again(parts)


def _secret(pair: Pair) -> Plan:
    parts, one = pair.part("Secret")
    one["stringData"]["password"] = f"other-{pair.rng.random()}"
    return pair.again(parts)


def _new_object(pair: Pair) -> Plan:
    return pair.again([*pair.parts, config(f"new-{pair.rng.randint(0, 99)}", {"a": "1"})])


def _gone_object(pair: Pair) -> Plan:
    gone = pair.some(pair.quiet, "ConfigMap")
    return pair.again([one for one in pair.parts if address_of(one) != gone])


def _annotation_of_ours(pair: Pair) -> Plan:
    parts, one = pair.part()
    one["metadata"]["annotations"] = {f"hwplan.dev/{pair.rng.choice(['wait', 'scope'])}": "none"}
    return pair.again(parts)


def _live_field(pair: Pair) -> Plan:
    """Somebody wrote to an object that is about to be changed: what was approved was seen otherwise."""
    place = pair.rng.choice(["data.more", "metadata.labels[x/y]"])
    return pair.after(pair.some(pair.changed, "ConfigMap"), {place: str(pair.rng.random())}, "night-shift")


def _taken_field(pair: Pair) -> Plan:
    """A declared field that somebody else owns now: it will be forced, or its object is changed once more."""
    return pair.after(pair.some([*pair.changed, *pair.quiet], "ConfigMap"), {"data.size": "77"}, "night-shift")


def _made_again(pair: Pair) -> Plan:
    address = pair.some(pair.changed, "ConfigMap")
    cluster = open_snapshot(pair.scratch.box)
    kind = cluster.kind("v1", "ConfigMap")
    assert kind is not None
    live = cluster.get(kind, address.namespace, address.name)
    delete_as_foreign_manager(pair.scratch.box, address)
    assert live is not None
    bare = {key: live["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    open_snapshot(pair.scratch.box).add({**live, "metadata": bare}, manager="hwplan")
    return pair.scratch.plan(write(pair.shop.folder, pair.parts))


def _edited_plan(pair: Pair) -> Plan:
    """What no manifest of this application can bring about, one part of one change at a time."""
    at = pair.rng.randrange(len(pair.plan.changes))
    one = pair.plan.changes[at]
    earlier = pair.plan.changes[0].address
    other = pair.rng.choice(
        [
            replace(one, needs=tuple({*one.needs} ^ {earlier})),
            replace(one, forced=(*one.forced, ("data", "taken"))),
            replace(one, migrate=not one.migrate),
            replace(one, take_over=("helm",)),
            replace(one, claims=(("data", "z"),)),
            replace(one, wait="none", wait_seconds=7.0),
            replace(one, precondition=Precondition(uid="another")),
            replace(one, action=Action.REPLACE),
            replace(one, api_version="v2"),
        ]
    )
    return replace(pair.plan, changes=(*pair.plan.changes[:at], other, *pair.plan.changes[at + 1 :]))


def _other_cluster(pair: Pair) -> Plan:
    return replace(pair.plan, cluster=ClusterIdentity(f"uid-{pair.rng.random()}", pair.plan.cluster.server))


RELEVANT = (
    _field, _secret, _new_object, _gone_object, _annotation_of_ours, _live_field, _taken_field, _made_again,
    _edited_plan, _other_cluster,
)  # fmt: skip


@in_groups
def test_what_changes_anything_moves_the_id(shop: Shop, bases: range) -> None:
    retained: list[str] = []
    for number, pair in pairs(shop, bases):
        vary = RELEVANT[number % len(RELEVANT)]
        if plan_id(vary(pair)) == plan_id(pair.plan):
            retained.append(vary.__name__)
    assert retained == []
