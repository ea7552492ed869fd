"""Fields of hwplan kinds that take a value of a Secret: a sealed leaf is put where the provider looks for it.

A Secret of the same load gives its own leaf: the value then comes from where the Secret gets it, and its fingerprint is
known before the Secret lives. Of any other one, and of values that are made at apply, the live Secret is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from planner.address import Address, is_own_kind
from planner.loading.intake import Intake
from planner.loading.rest_secrets import bound
from planner.resource import Resource
from planner.values import Json, JsonObject, Sealed

Leaf: TypeAlias = Callable[[JsonObject], Sealed]


def bind_secret_refs(intake: Intake) -> None:
    """Put the leaves into every RestObject, and every kind of a plug-in, that has been taken in. Reads no value."""
    for address, resource in intake.resources.items():
        if is_own_kind(resource.api_version):
            leaf = partial(_leaf, place=address.place, intake=intake)
            intake.resources[address] = (
                bound(resource, leaf) if address.kind == "RestObject" else _plugged(resource, leaf)
            )


def _plugged(resource: Resource, leaf: Leaf) -> Resource:
    """The resource of a plug-in with `value: <leaf>` beside every `SecretKeyRef`; any other as it is."""
    from planner.plugins import plugin_of

    if (installed := plugin_of(resource.address.kind)) is None:
        return resource
    model = installed.plugin.model.model_validate(resource.manifest)
    return replace(resource, manifest=_walked(resource.manifest, model, leaf))


def _walked(value: Json, model: Any, leaf: Leaf) -> Json:
    """A copy of `value`, which `model` was read from, with `value: <leaf>` added to every reference."""
    from pydantic import BaseModel

    from planner.spec.kinds.envelope import SecretKeyRef

    match model:
        case SecretKeyRef():
            return {**value, "value": leaf(value)}
        case BaseModel():
            names = {info.alias or name: name for name, info in type(model).model_fields.items()}
            return {key: _walked(item, getattr(model, names[key]), leaf) for key, item in value.items()}
        case dict():
            return {key: _walked(item, model.get(key), leaf) for key, item in value.items()}
        case list() | tuple() if isinstance(value, list) and len(value) == len(model):
            return [_walked(item, inner, leaf) for item, inner in zip(value, model, strict=True)]
        case _:
            return value


def _leaf(ref: JsonObject, place: str, intake: Intake) -> Sealed:
    namespace, _, name = str(ref["secret"]).partition("/")
    declared = intake.resources.get(Address(place, "Secret", "", namespace, name))
    leaf = (declared.manifest.get("data") or {}).get(ref["key"]) if declared else None
    if isinstance(leaf, Sealed) and leaf.fingerprint:
        return leaf
    return Sealed(f"kubernetes:{namespace}/{name}#{ref['key']}", "")
