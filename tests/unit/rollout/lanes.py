"""A lane that is aligned, as evidence, and ways to make it otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from planner.rollout import lane_evidence as names
from planner.rollout.lane_evidence import EvidenceReading, LaneEvidence

COMMIT, NEWER, OTHER = "1" * 40, "2" * 40, "3" * 40
GITOPS, DESCENDANT = "a" * 40, "b" * 40
DIGEST, OLD_DIGEST = "sha256:" + "d" * 64, "sha256:" + "e" * 64
IMAGE = "127.0.0.1:5000/shop/api"
RUN = "shop-ci-poll-" + COMMIT[:12]
DEPLOYMENT = names.WORKLOAD + "Deployment/api"
AT = "2026-11-22T03:11:40.000Z"


def pod(name: str, digest: str, *, ready: bool = True, revision: str = "r1") -> dict[str, Any]:
    """A pod of the workload."""
    container = {"name": "api", "image": f"{IMAGE}@{digest}", "imageID": f"{IMAGE}@{digest}"}
    return {"name": name, "ready": ready, "revision": revision, "containers": [container]}


def workload(*pods: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workload that is complete."""
    return {
        "complete": True,
        "failed": False,
        "message": "",
        "generation": 2,
        "observedGeneration": 2,
        "images": {"api": f"{IMAGE}@{DIGEST}"},
        "pods": list(pods) or [pod("api-1", DIGEST)],
        **more,
    }


def contains(ancestor: str, descendant: str | None, holds: bool | None = True) -> dict[str, Any]:
    """An ancestor proof."""
    return {"ancestor": ancestor, "descendant": descendant, "holds": holds}


RUN_VALUE = {
    "name": RUN,
    "namespace": "shop-ci",
    "uid": "u-1",
    "specDigest": "sha256:" + "5" * 64,
    "state": "succeeded",
    "reason": "Succeeded",
    "commit": COMMIT,
    "gitopsRevision": GITOPS,
    "results": {"gitopsRevision": GITOPS},
    "startTime": "2026-11-22T03:00:00Z",
    "completionTime": "2026-11-22T03:01:24Z",
    "seconds": 84.0,
}
ARGO_VALUE = {
    "sync": "Synced",
    "health": "Healthy",
    "revision": GITOPS,
    "refreshing": False,
    "phase": "Succeeded",
    "operationRevision": GITOPS,
    "startedAt": "2026-11-22T03:01:30Z",
    "finishedAt": "2026-11-22T03:01:41Z",
    "unhealthy": [],
}
PROBE_VALUE = {
    "url": "https://shop.example/health",
    "role": "gate",
    "status": 200,
    "wrong": "",
    "provenance": {"commit": COMMIT},
}
VALUES: Mapping[str, Any] = {
    names.TIP: COMMIT,
    names.SNAPSHOT: COMMIT,
    names.CONTAINS_TIP: contains(COMMIT, COMMIT),
    names.RUN: RUN_VALUE,
    names.TASKS: [{"task": "build-api", "state": "succeeded", "seconds": 51.0}],
    names.IMAGE + "api": {"url": f"{IMAGE}:{COMMIT}", "digest": DIGEST, "reused": False},
    names.REGISTRY + "api": DIGEST,
    names.GITOPS: GITOPS,
    names.GITOPS_NAMES: {"commit": GITOPS, "digests": [DIGEST], "images": [f"{IMAGE}@{DIGEST}"]},
    names.ARGO + "shop": ARGO_VALUE,
    names.CONTAINS_ARGO + "shop": contains(GITOPS, GITOPS),
    DEPLOYMENT: workload(),
    names.PROBE + "gate": PROBE_VALUE,
    names.MIRROR + "flush": {"from": GITOPS, "to": GITOPS, "inSync": True},
}


def _source(name: str) -> str:
    return "ssh://git@host.example/shop.git#refs/heads/main" if name == names.TIP else f"source of {name}"


def lane(changes: Mapping[str, Any] | None = None, **how: Any) -> LaneEvidence:
    """The aligned lane with other values: `!text` makes a reading unreadable with this problem, `...` leaves it out."""
    readings = {name: EvidenceReading(value, _source(name), AT, f"v-{name}") for name, value in VALUES.items()}
    for name, value in (changes or {}).items():
        if value is ...:
            readings.pop(name, None)
        elif isinstance(value, str) and value.startswith("!"):
            readings[name] = EvidenceReading(None, _source(name), AT, "", value[1:])
        else:
            readings[name] = EvidenceReading(value, _source(name), AT, f"v2-{name}")
    return replace(LaneEvidence("D601/v03", COMMIT, readings), **how)
