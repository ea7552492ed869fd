"""Whose number of replicas an autoscaler of the same set determines: there it is nobody's drift. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from planner.address import Address
from planner.field_path import FieldPath
from planner.graph.resource_index import map_or_empty, text_or_empty
from planner.plan import DriftedField
from planner.planning.plan_inputs import PlanInputs
from planner.resource import Resource
from planner.values import JsonObject

AUTOSCALER: Final = "HorizontalPodAutoscaler"
REPLICAS: Final[FieldPath] = ("spec", "replicas")


def mark_autoscaled_replicas_harmless(drift: tuple[DriftedField, ...], inputs: PlanInputs) -> tuple[DriftedField, ...]:
    """The drift, where undeclared replicas of an object that a HorizontalPodAutoscaler targets are harmless: whoever
    set them, the autoscaler sets them next."""
    if not any(_is_undeclared_scaling(one) for one in drift):
        return drift
    scalers = _autoscalers_by_target(inputs.resources)
    return tuple(
        replace(one, harmless=f"{scalers[one.address].local} sets it")
        if _is_undeclared_scaling(one) and one.address in scalers
        else one
        for one in drift
    )


def _is_undeclared_scaling(one: DriftedField) -> bool:
    return one.field.path == REPLICAS and not one.declared


def _autoscalers_by_target(resources: Mapping[Address, Resource]) -> dict[Address, Address]:
    found: dict[Address, Address] = {}
    for address, resource in resources.items():
        if (address.kind, address.group) == (AUTOSCALER, "autoscaling"):
            found[target_of_autoscaler(address, map_or_empty(resource.manifest.get("spec")))] = address
    return found


def target_of_autoscaler(address: Address, spec: JsonObject) -> Address:
    """What the autoscaler at `address` with this `spec` scales."""
    target = map_or_empty(spec.get("scaleTargetRef"))
    group = text_or_empty(target.get("apiVersion")).rpartition("/")[0]
    kind, name = text_or_empty(target.get("kind")), text_or_empty(target.get("name"))
    return Address(address.node_lane, kind, group, address.namespace, name)
