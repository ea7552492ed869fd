"""Custom kinds with every way of merging that a CRD can ask for, and two in the style of real products."""

from __future__ import annotations

from typing import Any

GROUP = "fidelity.hwplan.dev"

_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}
_PORT = {
    "type": "object",
    "required": ["port"],
    "properties": {
        "port": {"type": "integer"},
        "protocol": {"type": "string", "default": "TCP"},
        "name": _STRING,
        "tags": {**_STRINGS, "x-kubernetes-list-type": "set"},
    },
}
_PART = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": _STRING,
        "size": {"type": "integer", "minimum": 0, "default": 3},
        "labels": {"type": "object", "additionalProperties": _STRING},
        "inner": {
            "type": "object",
            "properties": {"a": _STRING, "b": {"type": "boolean"}, "c": _STRINGS},
        },
    },
}
_WIDGET_SPEC: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": _STRING,
        "count": {"type": "integer", "maximum": 99},
        "ratio": {"type": "number"},
        "flag": {"type": "boolean", "default": True},
        "either": {"x-kubernetes-int-or-string": True},
        "letters": {**_STRINGS, "x-kubernetes-list-type": "set"},
        "parts": {
            "type": "array",
            "items": _PART,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "ports": {
            "type": "array",
            "items": _PORT,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
        },
        "steps": {"type": "array", "items": _PART},
        "plain": {"type": "object", "additionalProperties": _STRING},
        "nested": {
            "type": "object",
            "additionalProperties": {"type": "object", "properties": {"x": _STRING, "y": {"type": "integer"}}},
        },
        "whole": {
            "type": "object",
            "x-kubernetes-map-type": "atomic",
            "properties": {"a": _STRING, "b": _STRING, "c": {"type": "string", "default": "z"}},
        },
        "struct": {
            "type": "object",
            "default": {},
            "properties": {"a": _STRING, "b": {"type": "string", "default": "dee"}, "deep": _PART},
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "mixed": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"known": {"type": "object", "properties": {"a": _STRING}}, "list": _STRINGS},
        },
        "manifest": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "maybe": {"type": "string", "nullable": True},
    },
}
_STATUS = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

_TASK = {
    "type": "object",
    "properties": {
        "name": _STRING,
        "runAfter": {**_STRINGS, "x-kubernetes-list-type": "atomic"},
        "taskRef": {"type": "object", "properties": {"name": _STRING, "kind": _STRING}},
        "params": {
            "type": "array",
            "x-kubernetes-list-type": "atomic",
            "items": {
                "type": "object",
                "properties": {"name": _STRING, "value": {"x-kubernetes-preserve-unknown-fields": True}},
            },
        },
        "taskSpec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
_PIPELINE_SPEC = {
    "type": "object",
    "properties": {
        "description": _STRING,
        "params": {
            "type": "array",
            "x-kubernetes-list-type": "atomic",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": _STRING,
                    "type": _STRING,
                    "default": {"x-kubernetes-preserve-unknown-fields": True},
                },
            },
        },
        "tasks": {"type": "array", "x-kubernetes-list-type": "atomic", "items": _TASK},
        "timeouts": {"type": "object", "properties": {"pipeline": _STRING, "tasks": _STRING}},
    },
}
_APP_SPEC = {
    "type": "object",
    "required": ["project"],
    "properties": {
        "project": _STRING,
        "destination": {"type": "object", "properties": {"server": _STRING, "namespace": _STRING}},
        "source": {
            "type": "object",
            "properties": {
                "repoURL": _STRING,
                "path": _STRING,
                "targetRevision": _STRING,
                "helm": {"type": "object", "properties": {"valuesObject": {**_STATUS}, "valueFiles": _STRINGS}},
            },
        },
        "syncPolicy": {
            "type": "object",
            "properties": {
                "automated": {
                    "type": "object",
                    "properties": {"prune": {"type": "boolean"}, "selfHeal": {"type": "boolean"}},
                },
                "syncOptions": _STRINGS,
            },
        },
        "ignoreDifferences": {
            "type": "array",
            "items": {"type": "object", "properties": {"kind": _STRING, "jsonPointers": _STRINGS}},
        },
        "revisionHistoryLimit": {"type": "integer", "format": "int64"},
    },
}


def _crd(kind: str, spec: dict[str, Any], *, status: bool, versions: tuple[str, ...] = ("v1",)) -> dict[str, Any]:
    plural = kind.lower() + "s"
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": _STATUS}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == versions[0],
                    "schema": schema,
                    **({"subresources": {"status": {}}} if status else {}),
                }
                for version in versions
            ],
        },
    }


CRDS = (
    _crd("Widget", _WIDGET_SPEC, status=True, versions=("v1", "v1beta1")),
    _crd("Flow", _PIPELINE_SPEC, status=False),
    _crd("Delivery", _APP_SPEC, status=False),
)
