"""What the API server refuses in a CustomResourceDefinition: names, versions, and schemas that are not structural.

Not judged: CEL rules, the values of defaults beyond their type, the JSON paths of columns. Pure. Source: the validation
of apiextensions-apiserver 1.36 (`apis/apiextensions/validation`, `apiserver/schema`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from planner.field_path import FieldPath
from planner.values import JsonObject, JsonValue
from providers.kubernetes.ssa import re2_pattern_matching
from providers.kubernetes.ssa.builtin_value_formats import is_dns_subdomain, is_service_name
from providers.kubernetes.ssa.crd_cel_validation import cel_rule_definition_errors
from providers.kubernetes.ssa.pod_validation_rules import Problem, Rule, maps_in_list

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int, float),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
_COLUMNS = ("boolean", "date", "integer", "number", "string")
_ANY_TYPE = ("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")
_UNSUPPORTED = ("$ref", "definitions", "dependencies", "patternProperties", "additionalItems")


def _definition(value: JsonObject) -> Iterator[Problem]:
    spec = value.get("spec") or {}
    names, group = spec.get("names") or {}, str(spec.get("group") or "")
    if value["metadata"].get("name") != f"{names.get('plural')}.{group}":
        yield ("metadata", "name"), "must be spec.names.plural+'.'+spec.group"
    if not is_dns_subdomain(group) or "." not in group:
        yield ("spec", "group"), "should be a domain with at least one dot"
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        yield ("spec", "scope"), "Unsupported value: supported values: 'Cluster', 'Namespaced'"
    conversion = spec.get("conversion") or {}
    if conversion.get("strategy") == "Webhook" and not conversion.get("webhook"):
        yield ("spec", "conversion", "webhook"), "Required value: required when strategy is set to Webhook"
    versions = maps_in_list(spec, "versions")
    if sum(version.get("storage") is True for version in versions) != 1:
        yield ("spec", "versions"), "must have exactly one version marked as storage version"
    called = [version.get("name") for version in versions]
    if len(set(map(str, called))) != len(called):
        yield ("spec", "versions"), "must contain unique version names"


def _version(value: JsonObject) -> Iterator[Problem]:
    if not is_service_name(str(value.get("name") or "-")):
        yield ("name",), "a DNS-1035 label must consist of lower case alphanumeric characters or '-'"
    for index, column in enumerate(maps_in_list(value, "additionalPrinterColumns")):
        if column.get("type") not in _COLUMNS:
            yield ("additionalPrinterColumns", index, "type"), f"must be one of {', '.join(_COLUMNS)}"
    schema = (value.get("schema") or {}).get("openAPIV3Schema")
    here: FieldPath = ("schema", "openAPIV3Schema")
    if not isinstance(schema, dict):
        yield here, "Required value"
        return
    if schema.get("type") != "object":
        yield (*here, "type"), "must be object at the root"
    yield from cel_rule_definition_errors(schema, here, correlatable=True, root=True)
    yield from _schema(schema, here, correlatable=True)


def _schema(value: JsonObject, path: FieldPath, *, correlatable: bool) -> Iterator[Problem]:
    """A schema and all below it that describe values, each with its type. What stands in allOf only restricts."""
    yield from _node(value, path)
    for name, item in sorted((value.get("properties") or {}).items()):
        yield from _typed(item, (*path, "properties", name), "object fields", correlatable)
    keyed = correlatable and value.get("x-kubernetes-list-type") == "map"
    yield from _typed(value.get("items"), (*path, "items"), "array items", keyed)
    more = value.get("additionalProperties")
    yield from _typed(more, (*path, "additionalProperties"), "object fields", correlatable)


def _typed(value: JsonValue, path: FieldPath, what: str, correlatable: bool) -> Iterator[Problem]:
    if not isinstance(value, dict):
        return
    if not value.get("type") and not any(value.get(name) for name in _ANY_TYPE):
        yield (*path, "type"), f"Required value: must not be empty for specified {what}"
    yield from cel_rule_definition_errors(value, path, correlatable=correlatable, root=False)
    yield from _schema(value, path, correlatable=correlatable)


def _node(value: JsonObject, path: FieldPath) -> Iterator[Problem]:
    kind = value.get("type")
    if kind and kind not in _TYPES:
        yield (*path, "type"), f"Unsupported value: supported values: {', '.join(_TYPES)}"
    if kind == "array" and value.get("items") is None:
        yield (*path, "items"), "Required value: must be specified"
    for name in _UNSUPPORTED:
        if value.get(name):
            yield (*path, name), f"Forbidden: {name} is not supported"
    if value.get("uniqueItems") is True:
        yield (*path, "uniqueItems"), "Forbidden: uniqueItems cannot be set to true"
    if value.get("properties") and isinstance(value.get("additionalProperties"), dict):
        yield (*path, "additionalProperties"), "Forbidden: additionalProperties and properties are mutual exclusive"
    pattern = value.get("pattern")
    if isinstance(pattern, str) and pattern and not re2_pattern_matching.is_valid_re2_pattern(pattern):
        yield (*path, "pattern"), "must be a valid regular expression of RE2"
    default = value.get("default")
    if default is not None and kind in _TYPES and not _is_of(default, str(kind)):
        yield (*path, "default"), f"must be of type {kind}"
    yield from _list_map(value, path)


def _is_of(value: JsonValue, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind]) and (kind != "integer" or not isinstance(value, float) or value.is_integer())


def _list_map(value: JsonObject, path: FieldPath) -> Iterator[Problem]:
    if value.get("x-kubernetes-list-type") != "map":
        return
    keys, items = value.get("x-kubernetes-list-map-keys") or [], value.get("items")
    if not keys:
        yield (
            (*path, "x-kubernetes-list-map-keys"),
            "Required value: must not be empty if x-kubernetes-list-type is map",
        )
    if not isinstance(items, dict):
        return
    properties = items.get("properties") or {}
    for key in keys:
        found = properties.get(key)
        if found is None:
            yield (*path, "x-kubernetes-list-map-keys"), "entries must all be names of item properties"
        elif found.get("default") is None and key not in (items.get("required") or ()):
            words = "Required value: a key of x-kubernetes-list-map-keys must have a default or be required"
            yield (*path, "items", "properties", str(key), "default"), words


_MODEL = "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
DEFINITION_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {_MODEL: (_definition,), f"{_MODEL}Version": (_version,)}
