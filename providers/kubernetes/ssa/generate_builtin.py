"""Makes `builtin.json`, the merge types of the built-in kinds, from a running API server and the Go API sources.

    python -m providers.kubernetes.ssa.generate_builtin --server URL --token T --go-modules DIR --release v0.36.3

The server's OpenAPI v3 documents carry fields, list types, defaults and enums. What they do not carry is whether a
field is a pointer in Go (`replicas: 0` is retained, `minReadySeconds: 0` is dropped when stored); that comes from the
structs of the `k8s.io/*` modules of the same release, as the Go module cache holds them. A tool of the developers:
nothing imports it at run time.
"""

from __future__ import annotations

import argparse
import json
import re
import ssl
import sys
import urllib.request
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("builtin.json")

_STRUCT = re.compile(r"^type (\w+) struct \{$(.*?)^\}", re.M | re.S)
_FIELD = re.compile(r'^\s+(?:(\w+)\s+)?([\w.*\[\]]+)\s+`[^`]*json:"([^"]*)"', re.M)
_SCALARS = {"integer": "i", "number": "n", "boolean": "b"}
_FORMATS = {"": "s", "byte": "y", "date-time": "t", "int-or-string": "o"}
_NAMED = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "o",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "t",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "w",
}

Raw = Any  # one entry of the table; its forms are reported in merge_types.py


class GoStructFieldFlags:
    """How the Go structs of the API write their fields; per model: JSON field name -> "p" (pointer), "a" (always
    written), both, "" (dropped when zero)."""

    def __init__(self, modules: Path, release: str) -> None:
        self._root = modules / "k8s.io"
        self._release = release
        self._packages: dict[str, dict[str, str]] = {}

    def flags(self, model: str) -> dict[str, str]:
        """Flags of one OpenAPI model (`io.k8s.api.core.v1.Container`); empty when its source is not there."""
        package, _, name = model.removeprefix("io.k8s.").rpartition(".")
        return self._struct(package.replace(".", "/"), name)

    def _struct(self, package: str, name: str) -> dict[str, str]:
        body = self._package(package).get(name, "")
        out: dict[str, str] = {}
        for field, go_type, tag in _FIELD.findall(body):
            json_name, _, options = tag.partition(",")
            if not field or "inline" in options:
                out |= self._inlined(package, go_type.lstrip("*"))
            elif json_name != "-":
                omitted = "omitempty" in options or "omitzero" in options
                out[json_name] = "p" * go_type.startswith("*") + "a" * (not omitted)
                if "omitzero" in options:
                    out[json_name] += "o"
        return out

    def _inlined(self, package: str, go_type: str) -> dict[str, str]:
        prefix, dot, name = go_type.rpartition(".")
        if not dot:
            return self._struct(package, go_type)
        if prefix == "metav1":
            return self._struct("apimachinery/pkg/apis/meta/v1", name)
        return self._struct("api/core/v1", name) if prefix in ("v1", "corev1") else {}

    def _package(self, package: str) -> dict[str, str]:
        if package not in self._packages:
            module, _, folder = package.partition("/")
            where = self._root / f"{module}@{self._release}" / folder
            text = "\n".join(path.read_text() for path in sorted(where.glob("*.go")) if _is_source(path))
            self._packages[package] = dict(_STRUCT.findall(text))
        return self._packages[package]


def _is_source(path: Path) -> bool:
    return not path.name.endswith("_test.go") and not path.name.startswith(("zz_", "generated"))


def schema_as_type_reference(schema: Raw) -> Raw:
    """How the table refers to the type of one schema: a scalar letter, `#Model`, or an inline list or map."""
    target = schema.get("$ref") or next((part["$ref"] for part in schema.get("allOf", ()) if "$ref" in part), "")
    if target:
        model = target.rsplit("/", 1)[1]
        if model in _NAMED:
            return _NAMED[model]
        relation = schema.get("x-kubernetes-map-type")
        return {"#": short_model_name(model), "m": relation} if relation else f"#{short_model_name(model)}"
    kind = schema.get("type", "")
    if kind == "array":
        return _list(schema)
    if kind == "object":
        return schema_as_struct_type(schema, {})
    if kind == "string":
        return _FORMATS.get(schema.get("format", ""), "s")
    if kind == "integer" and schema.get("format") == "int32":
        return "h"
    return _SCALARS.get(kind, "o" if schema.get("format") == "int-or-string" else "u")


def _list(schema: Raw) -> Raw:
    kind, keys = schema.get("x-kubernetes-list-type", ""), schema.get("x-kubernetes-list-map-keys", [])
    if not kind:
        merged = str(schema.get("x-kubernetes-patch-strategy", "")).startswith("merge")
        key = schema.get("x-kubernetes-patch-merge-key")
        kind, keys = ("map" if key else "set", [key] if key else []) if merged else ("atomic", [])
    out: dict[str, Raw] = {"l": kind, "i": schema_as_type_reference(schema.get("items", {}))}
    return out | {"k": keys} if kind == "map" else out


def schema_as_struct_type(schema: Raw, flags: dict[str, str]) -> Raw:
    """An object schema as a struct (`f`) and/or a map (`v`) of the table."""
    out: dict[str, Raw] = {}
    for name, member in sorted(schema.get("properties", {}).items()):
        default = member.get("default")
        field = [
            schema_as_type_reference(member),
            flags.get(name, ""),
            default if isinstance(default, (str, int, bool)) else None,
        ]
        while len(field) > 1 and not field[-1]:
            field.pop()
        out.setdefault("f", {})[name] = field if len(field) > 1 else field[0]
    if schema.get("required"):
        out["r"] = sorted(schema["required"])
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        out["v"] = schema_as_type_reference(extra)
    elif extra or not schema.get("properties"):
        out["v"] = "x"
    if schema.get("x-kubernetes-map-type"):
        out["m"] = schema["x-kubernetes-map-type"]
    return out


def schema_as_type_definition(schema: Raw, flags: dict[str, str]) -> Raw:
    """The type that a named OpenAPI model defines: mostly a struct; a scalar such as a duration; or anything, where the
    schema says nothing."""
    kind = schema.get("type", "")
    if kind == "object":
        return schema_as_struct_type(schema, flags)
    return (
        {"s": schema_as_type_reference(schema)}
        if kind
        else {"s": "u", "l": "atomic", "i": "w", **schema_as_struct_type(schema, flags)}
    )


def short_model_name(model: str) -> str:
    """The name of an OpenAPI model without the beginning that all have."""
    return model.removeprefix("io.k8s.").removeprefix("api.").replace("apimachinery.pkg.apis.", "")


def build_type_table(documents: list[Raw], structs: GoStructFieldFlags, version: str) -> Raw:
    """The whole type table from all OpenAPI documents of a server."""
    kinds: dict[str, str] = {}
    types: dict[str, Raw] = {}
    defaults: dict[str, Raw] = {}
    for document in documents:
        for model, schema in document.get("components", {}).get("schemas", {}).items():
            if model in _NAMED or not model.startswith("io.k8s."):
                continue  # custom kinds that happen to be installed
            types[short_model_name(model)] = schema_as_type_definition(schema, structs.flags(model))
            members = schema.get("properties", {}).items()
            defaults[f"#{short_model_name(model)}"] = {n: m["default"] for n, m in members if "default" in m}
            for served in schema.get("x-kubernetes-group-version-kind", ()) if "." in model else ():
                group = f"{served['group']}/" if served["group"] else ""
                if "metadata" in schema.get("properties", {}) and not model.endswith("List"):
                    kinds[f"{group}{served['version']}/{served['kind']}"] = short_model_name(model)
    _add_key_defaults(types, defaults)
    resources: dict[str, bool] = {}
    for document in documents:
        resources |= kinds_with_status(document)
    return {"version": version, "kinds": kinds, "status": sorted(resources.keys() & kinds.keys()), "types": types}


def _add_key_defaults(types: dict[str, Raw], defaults: dict[str, Raw]) -> None:
    """What stands for a key field that an item of a list leaves out: its default, an empty one too."""
    for model in types.values():
        for field in model.get("f", {}).values():
            kind = field[0] if isinstance(field, list) else field
            if isinstance(kind, dict) and kind.get("l") == "map" and isinstance(kind["i"], str):
                given = defaults.get(kind["i"], {})
                if found := {name: given[name] for name in kind["k"] if name in given}:
                    kind["d"] = found


def kinds_with_status(document: Raw) -> dict[str, bool]:
    """Kinds (`apps/v1/Deployment`) that have a status subresource."""
    out = {}
    for path, item in document.get("paths", {}).items():
        for verb, operation in item.items():
            served = isinstance(operation, dict) and operation.get("x-kubernetes-group-version-kind")
            if served and verb == "patch" and path.endswith("/status"):
                group = f"{served['group']}/" if served["group"] else ""
                out[f"{group}{served['version']}/{served['kind']}"] = True
    return out


def fetch_openapi(server: str, token: str) -> tuple[list[Raw], str]:
    """Every OpenAPI v3 document of the server, and its version."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def get(path: str) -> Raw:
        request = urllib.request.Request(server + path, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    paths = get("/openapi/v3")["paths"]
    wanted = sorted(
        path for path in paths if re.fullmatch(r"api/v1|apis/[^/]+/v1(alpha\d|beta\d)?|apis/[^/]+/v\d", path)
    )
    return [get(paths[path]["serverRelativeURL"]) for path in wanted], get("/version")["gitVersion"]


def main(argv: list[str] | None = None) -> int:
    """The command line: makes the type table from a server and Go sources. Writes builtin.json beside this module; the
    same server and sources give the same bytes."""
    parser = argparse.ArgumentParser(prog="generate")
    parser.add_argument("--server", required=True, help="base URL of the API server")
    parser.add_argument("--token", default="", help="bearer token that may read /openapi/v3")
    parser.add_argument("--go-modules", type=Path, required=True, help="Go module cache (`go env GOMODCACHE`)")
    parser.add_argument("--release", required=True, help="version of the k8s.io modules there, such as v0.36.3")
    arguments = parser.parse_args(argv)
    documents, version = fetch_openapi(arguments.server.rstrip("/"), arguments.token)
    made = build_type_table(documents, GoStructFieldFlags(arguments.go_modules, arguments.release), version)
    TABLE.write_text(json.dumps(made, sort_keys=True, separators=(",", ":")) + "\n")
    sys.stdout.write(f"{TABLE.name}: {len(made['kinds'])} kinds, {len(made['types'])} types of {version}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
