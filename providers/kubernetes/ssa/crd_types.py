"""Types of custom resources, from their CustomResourceDefinition. Owns the translation into the table form of
merge_types.py; validates nothing.

Rules (apiextensions, "structural schemas"): lists are atomic and maps granular unless `x-kubernetes-list-type` or
`-map-type` says otherwise; unknown fields are refused unless `x-kubernetes-preserve-unknown-fields`, which holds for
everything declared below it as well; `metadata` is the server's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from planner.dataclass import dataclass
from planner.values import JsonObject
from providers.kubernetes.ssa.schema_without_malformed_keywords import map_at, schema_without_malformed_keywords

Raw = Any

_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")
REPLICAS = "specReplicasPath"  # of the subresource `scale`; stands among the checks of the whole object
_META = {"apiVersion": "s", "kind": "s", "metadata": "#meta.v1.ObjectMeta"}
_SCALARS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}
_CHECKS = (
    "enum",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "nullable",
    "format",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "x-kubernetes-validations",
)


@dataclass(slots=True)
class ServedCrdVersion:
    """One served version of a CRD: its schema (translated when first used) and whether status is a subresource."""

    schema: JsonObject
    status: bool
    preserve: bool
    versions: frozenset[str]
    replicas: str = ""  # the path of the number of replicas, where the version can be scaled
    deprecation: str = ""  # what the server warns of with every use of the version
    _raw: Raw = field(default=None, repr=False)

    def raw(self) -> Raw:
        """The table form of the whole object."""
        if self._raw is None:
            schema = schema_without_malformed_keywords(self.schema)
            made: dict[str, Raw] = translate_crd_schema(schema, self.preserve) if schema else {"v": "x"}
            checks = {**made.get("c", {}), **({REPLICAS: self.replicas} if self.replicas else {})}
            self._raw = {**made, "f": {**made.get("f", {}), **_META}, **({"c": checks} if checks else {})}
        return self._raw


def served_crd_versions(crd: JsonObject) -> Mapping[str, ServedCrdVersion]:
    """Every served version of a CustomResourceDefinition (v1), by `group/version/Kind`. A version without a name is
    none."""
    spec = map_at(crd, "spec")
    group, kind = spec.get("group"), map_at(spec, "names").get("kind")
    versions = spec.get("versions")
    served = [
        version
        for version in (versions if isinstance(versions, list) else ())
        if isinstance(version, dict) and version.get("served", True) and version.get("name")
    ]
    trivial = map_at(spec, "conversion").get("strategy", "None") == "None"
    names = frozenset(f"{group}/{version['name']}" for version in served)
    out = {}
    for version in served:
        api_version = f"{group}/{version['name']}"
        out[f"{api_version}/{kind}"] = ServedCrdVersion(
            map_at(map_at(version, "schema"), "openAPIV3Schema"),
            "status" in map_at(version, "subresources"),
            bool(spec.get("preserveUnknownFields", False)),
            names if trivial else frozenset((api_version,)),
            str(map_at(map_at(version, "subresources"), "scale").get(REPLICAS) or ""),
            _deprecation(spec, version, served) if version.get("deprecated") else "",
        )
    return out


def _deprecation(spec: JsonObject, version: JsonObject, served: Sequence[JsonObject]) -> str:
    """The words of the definition, or those of the server: with the newest version that is newer and not deprecated."""
    if version.get("deprecationWarning") is not None:
        return str(version["deprecationWarning"])
    group, kind, name = spec.get("group"), map_at(spec, "names").get("kind"), str(version["name"])
    others = (str(one["name"]) for one in served if not one.get("deprecated"))
    newer = sorted((other for other in others if _age(other) > _age(name)), key=_age)
    said = f"{group}/{name} {kind} is deprecated"
    return f"{said}; use {group}/{newer[-1]} {kind}" if newer else said


def _age(version: str) -> tuple[int, int, int, str]:
    """The order of versions, oldest first: v1alpha1, v1beta1, v1, v2; other names come before, from z to a."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return (0, 0, 0, "".join(chr(0x10FFFF - ord(letter)) for letter in version))
    stage = {"alpha": 1, "beta": 2, None: 3}[found[2]]
    return (stage, int(found[1][:9]), int((found[3] or "0")[:9]), "")


def translate_crd_schema(schema: JsonObject, preserve: bool) -> Raw:
    """A CRD's JSON schema, as `schema_without_malformed_keywords` gives it, in the form of the type table. `preserve`:
    an ancestor keeps unknown fields."""
    preserve = preserve or bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    kind = schema.get("type", "")
    out: dict[str, Raw] = {}
    if kind in _SCALARS:
        out["s"] = _SCALARS[kind]
    elif schema.get("x-kubernetes-int-or-string"):
        out["s"] = "o"
    if kind == "array":
        out |= _list(schema, preserve)
    elif kind == "object":
        out |= _map(schema, preserve)
    elif not out:
        out |= {"s": "u", "l": "atomic", "i": "w"} | _map(schema, preserve)
    checks = {name: schema[name] for name in _CHECKS if name in schema}
    if checks:
        out["c"] = checks
    return out


def _list(schema: JsonObject, preserve: bool) -> Raw:
    items: Raw = translate_crd_schema(schema["items"], preserve) if "items" in schema else "w"
    out: dict[str, Raw] = {"l": schema.get("x-kubernetes-list-type", "atomic"), "i": items}
    if out["l"] == "map":
        out["k"] = schema.get("x-kubernetes-list-map-keys", [])
    return out


def _map(schema: JsonObject, preserve: bool) -> Raw:
    out: dict[str, Raw] = {}
    fields: dict[str, Raw] = {
        name: _field(member, preserve) for name, member in (schema.get("properties") or {}).items()
    }
    required = list(schema.get("required", ()))
    if schema.get("x-kubernetes-embedded-resource"):
        fields |= _META
        required += [name for name in ("apiVersion", "kind") if name not in required]
    if fields:
        out["f"] = fields
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        out["v"] = translate_crd_schema(extra, preserve)
    elif extra or (extra is None and (preserve or not fields)):
        out["v"] = "x"
    if required:
        out["r"] = required
    if "x-kubernetes-map-type" in schema:
        out["m"] = schema["x-kubernetes-map-type"]
    return out


def _field(member: JsonObject, preserve: bool) -> Raw:
    translated = translate_crd_schema(member, preserve)
    return [translated, "p", member["default"]] if "default" in member else translated
