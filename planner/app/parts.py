"""Parts of a selection by kind: what `hwplan mirror`, `image` and `secret` mean. Predicates over resources."""

from __future__ import annotations

from planner.address import Address, is_own_kind
from planner.resource import Resource


def is_git(resource: Resource) -> bool:
    """Everything about git refs."""
    return _is(resource, "GitHead", "GitRef")


def is_sync(resource: Resource) -> bool:
    """What brings upstream branches and snapshots into the mirror, and the heads that they take."""
    return _is(resource, "GitHead") or (_is(resource, "GitRef") and _mode(resource) != "fast-forward")


def is_flush(resource: Resource) -> bool:
    """What brings promoted branches back to the upstream, fast-forward only."""
    return _is(resource, "GitRef") and _mode(resource) == "fast-forward"


def is_image(resource: Resource) -> bool:
    """Every image."""
    return _is(resource, "RegistryImage")


def is_preload(resource: Resource) -> bool:
    """Images that are copied."""
    return is_image(resource) and "source" in resource.manifest["spec"]


def is_build(resource: Resource) -> bool:
    """Images that are built."""
    return is_image(resource) and "build" in resource.manifest["spec"]


def is_secret(resource: Resource) -> bool:
    """Every declared Secret, also those that come from a SecretSource."""
    return resource.api_version == "v1" and resource.address.kind == "Secret"


def nothing(resource: Resource) -> bool:
    """No declared resource at all: for verbs that only take away."""
    return False


def is_secret_address(address: Address) -> bool:
    """Secrets among what nobody declares any more."""
    return (address.kind, address.group) == ("Secret", "")


def _is(resource: Resource, *kinds: str) -> bool:
    return is_own_kind(resource.api_version) and resource.address.kind in kinds


def _mode(resource: Resource) -> str:
    return str(resource.manifest["spec"].get("mode", ""))
