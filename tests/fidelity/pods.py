"""Random pod templates and the workloads around them, and the small draws that every kind uses."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

Doc: TypeAlias = dict[str, Any]
LETTERS = ("a", "b", "c", "d")


def some(rng: Random, pool: Any, least: int = 0) -> list[Any]:
    """A random part of a pool in random order."""
    items = list(pool)
    rng.shuffle(items)
    return items[: rng.randint(least, len(items))]


def text(rng: Random) -> str:
    return rng.choice(("one", "two", "three", ""))


def flat(rng: Random) -> dict[str, str]:
    return {name: text(rng) for name in some(rng, LETTERS)}


def flat_labels(rng: Random) -> dict[str, str]:
    return {k: v or "x" for k, v in flat(rng).items()}


def optional(rng: Random, fields: dict[str, Callable[[Random], Any]], chance: float = 0.4) -> Doc:
    """Each field with a chance."""
    return {name: make(rng) for name, make in fields.items() if rng.random() < chance}


def metadata(rng: Random) -> Doc:
    owner = {"apiVersion": "v1", "kind": "ConfigMap"}
    out = optional(
        rng,
        {
            "labels": lambda r: {k: v or "x" for k, v in flat(r).items()},
            "annotations": flat,
            "finalizers": lambda r: [f"x.io/{name}" for name in some(r, LETTERS[:3])],
            "ownerReferences": lambda r: [
                {**owner, "name": name, "uid": f"0-{name}", **optional(r, {"controller": lambda _: False})}
                for name in some(r, LETTERS[:2])
            ],
        },
    )
    if rng.random() < 0.9:
        out.pop("ownerReferences", None)
    if rng.random() < 0.7:
        out.pop("finalizers", None)
    return out


def amount(rng: Random) -> Any:
    return rng.choice(("1", "100m", "1000m", "0.5", "2Gi", "1024Mi", "1500Mi", "1e3", "2k", 1, 0.25))


def resources(rng: Random) -> Doc:
    cpu = ("100m", "0.1", "1", "1000m", 1)
    return optional(
        rng,
        {
            "limits": lambda r: {"cpu": r.choice(("2", "2000m", 2)), "memory": r.choice(("2Gi", "2048Mi"))},
            "requests": lambda r: {name: r.choice(cpu) for name in some(r, ("cpu",))},
        },
    )


def env(rng: Random) -> list[Doc]:
    out = []
    for name in some(rng, ("A", "B", "C", "D")):
        if rng.random() < 0.2:
            ref = rng.choice(
                (
                    {"fieldRef": {"fieldPath": "metadata.name"}},
                    {"configMapKeyRef": {"name": "m", "key": "k"}},
                    {"secretKeyRef": {"name": "s", "key": "k", "optional": rng.random() < 0.5}},
                    {"resourceFieldRef": {"resource": "limits.cpu"}},
                )
            )
            out.append({"name": name, "valueFrom": ref})
        else:
            out.append({"name": name, **optional(rng, {"value": text}, 0.9)})
    return out


def ports(rng: Random) -> list[Doc]:
    out: list[Doc] = []
    for number in some(rng, (80, 443, 53)):
        for protocol in some(rng, ("TCP", "UDP", None), 1)[:2]:
            port = {"containerPort": number, **optional(rng, {"name": lambda r: "p" + r.choice(LETTERS)}, 0.2)}
            if protocol:
                port["protocol"] = protocol
            if not any(p["containerPort"] == number and p.get("protocol", "TCP") == (protocol or "TCP") for p in out):
                out.append(port)
    return out


def probe(rng: Random) -> Doc:
    action: Doc = rng.choice(
        ({"httpGet": {"port": 80}}, {"httpGet": {"port": "http", "path": "/x"}}, {"tcpSocket": {"port": 80}})
    )
    action = rng.choice((action, {"exec": {"command": ["true"]}}))
    return {**action, **optional(rng, {"periodSeconds": lambda r: r.randint(1, 3), "initialDelaySeconds": lambda r: 0})}


def container(rng: Random, name: str) -> Doc:
    image = rng.choice(("nginx", "nginx:1.2", "r.io:5000/x:latest", "x@sha256:" + "a" * 64))
    return {
        "name": name,
        "image": image,
        **optional(
            rng,
            {
                "env": env,
                "ports": ports,
                "resources": resources,
                "args": lambda r: some(r, LETTERS),
                "command": lambda r: some(r, LETTERS, 1),
                "livenessProbe": probe,
                "readinessProbe": probe,
                "volumeMounts": lambda r: [
                    {"name": "v", "mountPath": f"/{name}", **optional(r, {"readOnly": lambda q: q.random() < 0.5})}
                    for name in some(r, LETTERS[:3])
                ],
                "imagePullPolicy": lambda r: r.choice(("Always", "IfNotPresent")),
                "securityContext": lambda r: optional(r, {"runAsUser": lambda _: 0, "privileged": lambda _: False}),
                "envFrom": lambda r: [{"configMapRef": {"name": name}} for name in some(r, LETTERS[:2])],
                "lifecycle": lambda r: {"preStop": {"exec": {"command": ["x"]}}},
                "tty": lambda r: r.random() < 0.5,
                "workingDir": text,
            },
            0.25,
        ),
    }


VOLUMES: tuple[Doc, ...] = (
    {"name": "e"},
    {"name": "m", "configMap": {"name": "m", "items": [{"key": "a", "path": "b"}]}},
    {"name": "s", "secret": {"secretName": "s", "optional": True}},
    {"name": "p", "persistentVolumeClaim": {"claimName": "c"}},
    {"name": "d", "downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    {"name": "j", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"configMap": {"name": "q"}}]}},
    {"name": "h", "hostPath": {"path": "/x"}},
    {"name": "t", "emptyDir": {"sizeLimit": "1024Mi"}},
)


def pod_spec(rng: Random, restart: str = "") -> Doc:
    return {
        "containers": [container(rng, name) for name in some(rng, ("main", "side", "log"), 1)],
        "volumes": [{"name": "v", "emptyDir": {}}, *some(rng, rng.sample(VOLUMES, 3))],
        **({"restartPolicy": restart} if restart else {}),
        **optional(
            rng,
            {
                "initContainers": lambda r: [container(r, name) for name in some(r, ("init", "prep"), 1)],
                "serviceAccountName": lambda r: r.choice(("sa", "sb")),
                "nodeSelector": lambda r: {k: v or "x" for k, v in flat(r).items()},
                "tolerations": lambda r: [{"key": name, "operator": "Exists"} for name in some(r, LETTERS[:2])],
                "imagePullSecrets": lambda r: [{"name": name} for name in some(r, LETTERS[:3])],
                "hostAliases": lambda r: [{"ip": f"1.2.3.{n}", "hostnames": ["h"]} for n in some(r, (1, 2, 3))],
                "terminationGracePeriodSeconds": lambda r: r.choice((0, 30, 5)),
                "securityContext": lambda r: optional(r, {"fsGroup": lambda _: 0, "runAsNonRoot": lambda _: False}),
                "topologySpreadConstraints": lambda r: [
                    {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": {"matchLabels": {}}}
                    for key, when in some(r, (("zone", "DoNotSchedule"), ("host", "ScheduleAnyway")))
                ],
                "affinity": lambda r: {"podAntiAffinity": {}},
                "priorityClassName": lambda r: "",
                "automountServiceAccountToken": lambda r: False,
                "enableServiceLinks": lambda r: False,
            },
            0.2,
        ),
    }


def template(rng: Random, restart: str = "") -> Doc:
    labels = {"app": "x", **dict.fromkeys(some(rng, LETTERS[:2]), "y")}
    extra = optional(rng, {"annotations": flat}, 0.3)
    return {"metadata": {"labels": labels, **extra}, "spec": pod_spec(rng, restart)}


def workload(rng: Random, extra: dict[str, Callable[[Random], Any]]) -> Doc:
    return {"spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template(rng), **optional(rng, extra)}}


def deployment(rng: Random) -> Doc:
    rolling = {"maxSurge": lambda r: r.choice((1, "50%")), "maxUnavailable": lambda r: r.choice((0, "10%", 2))}
    return workload(
        rng,
        {
            "replicas": lambda r: r.randint(0, 3),
            "strategy": lambda r: r.choice(
                ({"type": "Recreate"}, {"type": "RollingUpdate"}, {"rollingUpdate": optional(r, rolling)})
            ),
            "minReadySeconds": lambda r: r.choice((0, 5)),
            "paused": lambda r: r.random() < 0.5,
            "revisionHistoryLimit": lambda r: r.choice((0, 10)),
            "progressDeadlineSeconds": lambda r: 600,
        },
    )


def stateful_set(rng: Random) -> Doc:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    out = workload(
        rng,
        {
            "replicas": lambda r: r.randint(0, 3),
            "updateStrategy": lambda r: r.choice(({"type": "OnDelete"}, {"rollingUpdate": {"partition": 1}}, {})),
            "persistentVolumeClaimRetentionPolicy": lambda r: optional(r, {"whenDeleted": lambda _: "Delete"}),
            "minReadySeconds": lambda r: 1,
        },
    )
    out["spec"]["serviceName"] = "svc"
    if rng.random() < 0.5:
        out["spec"]["volumeClaimTemplates"] = [claim]
    return out


def daemon_set(rng: Random) -> Doc:
    return workload(
        rng,
        {
            "updateStrategy": lambda r: r.choice(
                ({"type": "OnDelete"}, {"rollingUpdate": {"maxUnavailable": "10%"}}, {})
            ),
            "minReadySeconds": lambda r: r.choice((0, 1)),
        },
    )


def job_spec(rng: Random) -> Doc:
    made = template(rng, rng.choice(("Never", "OnFailure")))
    return {
        "template": made,
        **optional(
            rng,
            {
                "backoffLimit": lambda r: r.choice((0, 6)),
                "parallelism": lambda r: 1,
                "ttlSecondsAfterFinished": lambda r: 0,
                "activeDeadlineSeconds": lambda r: 5,
                "suspend": lambda r: r.random() < 0.5,
            },
            0.3,
        ),
    }
