"""The content digest changes with what somebody wrote, never with what servers and controllers count by themselves."""

from __future__ import annotations

import base64
import copy
import hmac
import json
from typing import Any

import pytest

from planner.values import SealedSecret
from providers.kubernetes.object_content_digest import LAST_APPLIED, VOLATILE_ANNOTATIONS, object_content_digest


class Keyed:
    """A fingerprinter that remembers what it was asked for."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def fingerprint(self, value: bytes) -> str:
        self.seen.append(value)
        return "hmac-sha256:" + hmac.new(b"key", value, "sha256").hexdigest()[:16]


def digest(live: dict[str, Any]) -> str:
    return object_content_digest(live, Keyed())


def deployment() -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "api",
            "namespace": "demo",
            "uid": "3f0c51ab",
            "resourceVersion": "7",
            "generation": 2,
            "creationTimestamp": "2026-11-20T09:02:00Z",
            "labels": {"app": "api"},
            "annotations": {"team": "a", "deployment.kubernetes.io/revision": "3"},
            "managedFields": [{"manager": "hwplan", "time": "2026-11-20T09:02:00Z"}],
        },
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "c", "image": "i:1"}]}}},
        "status": {"replicas": 2, "conditions": [{"type": "Available", "lastUpdateTime": "x"}]},
    }


def lease() -> dict[str, Any]:
    spec = {"holderIdentity": "a", "renewTime": "1", "leaseDurationSeconds": 15}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": spec}


def application() -> dict[str, Any]:
    spec = {"project": "default", "source": {"path": "p"}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}, "spec": spec}


def secret(value: str = "hunter2", **metadata: Any) -> dict[str, Any]:
    data = {"password": base64.b64encode(value.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", **metadata}, "data": data}


def changed(live: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with one field set, or taken away (value `...`)."""
    out = copy.deepcopy(live)
    *parents, last = path.split("|")
    place = out
    for part in parents:
        place = place.setdefault(part, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return out


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status|replicas", 1),
        ("status", ...),
        ("metadata|resourceVersion", "8"),
        ("metadata|generation", 3),
        ("metadata|managedFields", []),
        ("metadata|selfLink", "/x"),
        ("metadata|uid", "other"),
        ("metadata|creationTimestamp", "2026-11-21T00:00:00Z"),
        ("metadata|annotations|deployment.kubernetes.io/revision", "4"),
        ("metadata|annotations|deployment.kubernetes.io/revision", ...),
    ],
)
def test_bookkeeping_does_not_count(path: str, value: object) -> None:
    assert digest(changed(deployment(), path, value)) == digest(deployment())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec|replicas", 3),
        ("spec|replicas", 2.0),
        ("spec|replicas", "2"),
        ("spec|paused", False),
        ("metadata|labels|app", "b"),
        ("metadata|labels|new", ""),
        ("metadata|annotations|team", "b"),
        ("metadata|annotations|team", ...),
        ("metadata|finalizers", ["x"]),
        ("metadata|ownerReferences", [{"uid": "x"}]),
        ("metadata|deletionTimestamp", "2026-11-21T00:00:00Z"),
        ("metadata|namespace", "other"),
        ("apiVersion", "apps/v2"),
        ("data|x", "y"),
    ],
)
def test_what_was_written_counts(path: str, value: object) -> None:
    assert digest(changed(deployment(), path, value)) != digest(deployment())


@pytest.mark.parametrize("annotation", sorted(VOLATILE_ANNOTATIONS))
def test_volatile_annotations_do_not_count_even_as_the_only_ones(annotation: str) -> None:
    bare = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    assert digest(changed(bare, f"metadata|annotations|{annotation}", "x")) == digest(bare)


def test_order_of_lists_counts_and_of_maps_does_not() -> None:
    one = {"kind": "X", "metadata": {}, "spec": {"a": [1, 2], "b": 1}}
    assert digest({"spec": {"b": 1, "a": [1, 2]}, "metadata": {}, "kind": "X"}) == digest(one)
    assert digest(changed(one, "spec|a", [2, 1])) != digest(one)


def test_a_lease_is_renewed_without_changing() -> None:
    assert digest(changed(lease(), "spec|renewTime", "2")) == digest(lease())
    assert digest(changed(lease(), "spec|holderIdentity", "b")) != digest(lease())


def test_an_application_is_synced_without_changing() -> None:
    assert digest(changed(application(), "operation", {"sync": {}})) == digest(application())
    assert digest(changed(application(), "spec|project", "b")) != digest(application())
    other = {**application(), "apiVersion": "example.com/v1"}
    assert digest(changed(other, "operation", {"sync": {}})) != digest(other)


def test_secret_values_enter_as_fingerprints_of_their_bytes() -> None:
    keyed = Keyed()
    object_content_digest(secret(), keyed)
    assert keyed.seen == [b"hunter2"]
    assert digest(secret("hunter2")) == digest(secret("hunter2"))
    assert digest(secret("hunter2")) != digest(secret("hunter3"))


def test_no_bare_hash_of_a_secret_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    from providers.kubernetes import object_content_digest as digest_module

    real = digest_module._ENCODER.encode

    class Watching:
        def encode(self, document: object) -> str:
            hashed.append(real(document))
            return hashed[-1]

    monkeypatch.setattr(digest_module, "_ENCODER", Watching())
    original = secret("hunter2", annotations={LAST_APPLIED: json.dumps(secret("hunter2"))})
    original["stringData"] = {"other": "hunter2"}
    before = copy.deepcopy(original)
    object_content_digest(original, Keyed())
    assert original == before
    encoded = base64.b64encode(b"hunter2").decode()
    assert hashed and not any(word in text for text in hashed for word in ("hunter2", encoded))


def test_sealed_and_fingerprinted_values_stay_as_they_are() -> None:
    keyed = Keyed()
    live = {
        **secret(),
        "data": {"a": "hmac-sha256:0123456789abcdef", "b": SealedSecret("file:x#y", "hmac-sha256:01"), "c": None},
    }
    assert object_content_digest(live, keyed) and keyed.seen == []


def test_values_that_are_not_base64_are_fingerprinted_too() -> None:
    assert object_content_digest({**secret(), "data": {"a": "not base64!"}}, keyed := Keyed())
    assert keyed.seen == [b"not base64!"]


def test_the_secret_of_another_group_is_no_secret() -> None:
    live = {**secret(), "apiVersion": "example.com/v1"}
    object_content_digest(live, keyed := Keyed())
    assert keyed.seen == []


@pytest.mark.parametrize("live", [{}, {"metadata": None}, {"metadata": {"annotations": None}}, {"kind": "Secret"}])
def test_odd_objects(live: dict[str, Any]) -> None:
    assert digest(live).startswith("sha256:")
