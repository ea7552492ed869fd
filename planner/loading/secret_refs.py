"""Fields of plug-ins that take a value of a Secret (`SecretKeyRef`): a sealed leaf is put beside the reference.

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
from planner.values import Json, JsonObject, Sealed

_Leaf: TypeAlias = Callable[[JsonObject], Sealed]


def bind_secret_refs(intake: Intake) -> None:
    """Put the leaves into every resource of a plug-in's kind that has been taken in. Reads no value."""
    for address, resource in intake.resources.items():
        if not is_own_kind(resource.api_version):
            continue
        from planner.plugins import plugin_of

        if (installed := plugin_of(address.kind)) is not None:
            model = installed.plugin.model.model_validate(resource.manifest)
            manifest = _walked(resource.manifest, model, partial(_leaf, place=address.place, intake=intake))
            intake.resources[address] = replace(resource, manifest=manifest)


def _walked(value: Json, model: Any, leaf: _Leaf) -> Json:
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
