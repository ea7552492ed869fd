"""The shape of a plan as a JSON document: what each key holds (spec 05, "The plan as JSON")."""

from __future__ import annotations

from planner.json_shape import JsonShape

_PLACE = dict.fromkeys(("address", "kind", "group", "namespace", "name", "node", "lane"), str)
_SOURCE = {"file": str, "line": int, "column": int}
_FIELD = {"path": str, "op": str, "sensitive": bool, "manager": str, "time": str}
_NULL = type(None)

_CHANGE = {
    **_PLACE,
    **dict.fromkeys(("action", "apiVersion", "scope", "reason", "verified", "expects", "wait"), str),
    "order": int,
    "needs": [str],
    "precondition": {"absent": bool, "uid": str, "content": str},
    "source": _SOURCE,
    "fields": [_FIELD],
    "desired": (dict, _NULL),
    "forced": [str],
    "migrate": bool,
    "takeOver": [str],
    "claims": [str],
    "inClear": [str],
    "waitSeconds": (float, int, _NULL),
    "made": [{"path": str, "value": dict}],
}
PLAN_SHAPE: JsonShape = {
    "id": str,
    "checksum": str,
    "tool": dict,
    "selection": {
        **dict.fromkeys(("product", "name"), str),
        **{key: [str] for key in ("nodes", "lanes", "scopes", "targets", "exclude", "files")},
    },
    "cluster": {"uid": str, "server": str, "simulated": bool},
    "inputs": {"config": str, "live": str},
    "destroy": bool,
    "summary": {"noop": int},
    "changes": [_CHANGE],
    "blocked": [
        {**_PLACE, "action": str, "reason": str, "evidence": str, "remedy": str, "source": _SOURCE, "fields": [_FIELD]}
    ],
    "drift": [{**_PLACE, "declared": bool, "fields": [_FIELD], "harmless": str}],
    "warnings": [str],
    "effects": [{**_PLACE, "effect": str, "text": str}],
}
