"""Random objects of the custom kinds of crds.py."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.fidelity.pods import LETTERS, Doc, flat, flat_labels, optional, some, text


def part(rng: Random, name: str) -> Doc:
    inner = {"a": text, "b": lambda r: r.random() < 0.5, "c": lambda r: some(r, LETTERS)}
    return {
        "name": name,
        **optional(rng, {"size": lambda r: r.randint(0, 3), "labels": flat, "inner": lambda r: optional(r, inner)}),
    }


def anything(rng: Random, depth: int = 2) -> Any:
    if depth and rng.random() < 0.6:
        return {name: anything(rng, depth - 1) for name in some(rng, LETTERS[:3])}
    return rng.choice((text(rng), rng.randint(0, 2), True, [], {}, some(rng, LETTERS), [{"a": text(rng)}], None))


def custom_ports(rng: Random) -> list[Doc]:
    out: list[Doc] = []
    for number in some(rng, (1, 2)):
        protocol = rng.choice(("TCP", "UDP", None))
        extra = optional(rng, {"name": text, "tags": lambda r: some(r, LETTERS)})
        out.append({"port": number, **({"protocol": protocol} if protocol else {}), **extra})
    return out


def widget(rng: Random) -> Doc:
    spec = optional(
        rng,
        {
            "text": text,
            "count": lambda r: r.randint(0, 5),
            "ratio": lambda r: r.choice((0.5, 1, 2.0)),
            "flag": lambda r: r.random() < 0.5,
            "either": lambda r: r.choice((1, "x")),
            "letters": lambda r: some(r, LETTERS),
            "parts": lambda r: [part(r, name) for name in some(r, LETTERS)],
            "ports": custom_ports,
            "steps": lambda r: [part(r, name) for name in some(r, LETTERS[:2])],
            "plain": flat,
            "nested": lambda r: {n: optional(r, {"x": text, "y": lambda q: q.randint(0, 2)}) for n in some(r, LETTERS)},
            "whole": lambda r: optional(r, {"a": text, "b": text}),
            "struct": lambda r: optional(r, {"a": text, "b": text, "deep": lambda q: part(q, "d")}),
            "free": lambda r: {name: anything(r) for name in some(r, LETTERS)},
            "mixed": lambda r: {**optional(r, {"known": lambda q: optional(q, {"a": text})}), "other": anything(r)},
            "manifest": lambda r: {
                "apiVersion": "v1",
                "kind": "X",
                "metadata": {"name": "n", **optional(r, {"labels": flat_labels})},
                "data": flat(r),
            },
            "maybe": lambda r: r.choice((text(r), None)),
        },
        0.35,
    )
    return {"spec": spec} if spec or rng.random() < 0.5 else {}


def flow(rng: Random) -> Doc:
    names = some(rng, ("fetch", "build", "push"))
    tasks = [
        {
            "name": name,
            **optional(
                rng,
                {
                    "runAfter": lambda r: some(r, ("fetch", "build")),
                    "taskRef": lambda r: {"name": r.choice(LETTERS)},
                    "params": lambda r: [
                        {"name": n, "value": r.choice(("x", ["y"], {"z": "w"}))} for n in some(r, LETTERS)
                    ],
                    "taskSpec": lambda r: {"steps": [{"name": "s", "script": text(r)}], "x": anything(r)},
                },
            ),
        }
        for name in names
    ]
    params = [
        {"name": n, **optional(rng, {"type": lambda _: "string", "default": lambda r: r.choice(("d", ["e"]))})}
        for n in some(rng, LETTERS)
    ]
    extra = {
        "description": text,
        "params": lambda _: params,
        "timeouts": lambda r: optional(r, {"pipeline": lambda _: "1h0m0s", "tasks": lambda _: "30m"}),
    }
    return {"spec": {"tasks": tasks, **optional(rng, extra)}}


def delivery(rng: Random) -> Doc:
    helm = {"valuesObject": anything, "valueFiles": lambda r: some(r, LETTERS)}
    source = {"repoURL": text, "path": text, "targetRevision": text, "helm": lambda r: optional(r, helm)}
    policy = {
        "automated": lambda r: optional(r, {"prune": lambda _: True, "selfHeal": lambda q: q.random() < 0.5}),
        "syncOptions": lambda r: some(r, LETTERS),
    }
    extra = {
        "destination": lambda r: optional(r, {"server": text, "namespace": text}),
        "source": lambda r: optional(r, source, 0.6),
        "syncPolicy": lambda r: optional(r, policy, 0.6),
        "ignoreDifferences": lambda r: [{"kind": n, "jsonPointers": some(r, LETTERS)} for n in some(r, LETTERS[:2])],
        "revisionHistoryLimit": lambda r: r.choice((0, 3)),
    }
    out: Doc = {"spec": {"project": rng.choice(LETTERS), **optional(rng, extra, 0.5)}}
    values = out["spec"].get("source", {}).get("helm", {})
    if "valuesObject" in values and not isinstance(values["valuesObject"], dict):
        values["valuesObject"] = {"v": values["valuesObject"]}
    return out
