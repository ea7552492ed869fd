"""What every case declares: an object of our own kinds, and a vault with the one secret that may come out nowhere."""

from __future__ import annotations

from typing import Any

from planner.address import address_of_document
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, SecretValue, Vault
from tests.contract.case import SECRET


def own(kind: str, name: str, spec: dict[str, Any]) -> Resource:
    document: JsonObject = {"apiVersion": "hwplan.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return Resource(
        address_of_document(document), "hwplan.dev/v1", document, "demo.D1.v1", "infra", SourceRef("t.yaml")
    )


VAULT: Vault = {"file:a#P": SecretValue(SECRET)}
