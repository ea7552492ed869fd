"""Resources of hwplan's kinds, and the vault, for the worlds of the contract suite."""

from __future__ import annotations

from typing import Any

from planner.address import address_of
from planner.resource import Resource
from planner.source import SourceRef
from planner.values import JsonObject, SecretValue, Vault
from tests.contract.case import SECRET

VAULT: Vault = {"file:a#P": SecretValue(SECRET)}


def own(kind: str, name: str, spec: dict[str, Any]) -> Resource:
    """A resource of a hwplan kind."""
    document: JsonObject = {"apiVersion": "hwplan.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return Resource(address_of(document), "hwplan.dev/v1", document, "demo.D1.v1", "infra", SourceRef("t.yaml"))
