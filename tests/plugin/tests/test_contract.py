"""The provider of Note, judged by hwplan's contract suite over a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from hwplan_note import note
from hwplan_note.provider import NoteProvider
from planner.address import address_of_document
from planner.contract.contract_case import SECRET, StateCase, folder_digest
from planner.contract.suite import ProviderContract
from planner.ports import PreviewEffect, Provider
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, SealedSecret, SecretValue, Vault

REF, PRINT = "manifest:Secret/demo/pen#data.KEY", "hmac-sha256:0123456789abcdef"
VAULT: Vault = {REF: SecretValue(SECRET)}


class Notes:
    """Three notes, one of them signed."""

    vault = VAULT
    effect = PreviewEffect.CREATE
    refused_as_a_whole = False

    def __init__(self, folder: Path) -> None:
        self.shelf = folder / "notes"

    def provider(self) -> Provider:
        return NoteProvider(self.shelf, lambda leaf, vault: vault[leaf.ref].reveal())

    def wanted(self) -> Sequence[Resource]:
        signature = {"secret": "demo/pen", "key": "KEY"}
        plain = [_note(f"n{n}", {"text": f"text {n}"}) for n in range(3)]
        leaf = {"signature": {**signature, "value": SealedSecret(REF, PRINT)}}
        return [*plain, _note("signed", {"text": "mine", "signature": signature}, leaf)]

    def holds(self, resource: Resource) -> bool:
        spec, path = resource.manifest["spec"], self._path(resource)
        held = json.loads(path.read_text()) if path.is_file() else {}
        return held.get("text") == spec["text"] and bool(held["mac"]) is ("signature" in spec)

    def state(self) -> object:
        return folder_digest(self.shelf)

    def meddle(self, resource: Resource) -> None:
        self.shelf.mkdir(exist_ok=True)
        self._path(resource).write_text(json.dumps({"text": "theirs", "color": "blue", "fingerprint": ""}))

    def break_it(self) -> None:
        self.shelf.write_text("no folder")

    def _path(self, resource: Resource) -> Path:
        return self.shelf / f"{resource.address.name}.json"


def _note(name: str, spec: JsonObject, more: JsonObject | None = None) -> Resource:
    document: JsonObject = {"apiVersion": "hwplan.dev/v1", "kind": "Note", "metadata": {"name": name}, "spec": spec}
    note.model.model_validate(document)
    document["spec"] = {**spec, **(more or {})}
    return Resource(
        address_of_document(document), "hwplan.dev/v1", document, "demo.D1.v1", "infra", SourceRef("t.yaml")
    )


class TestNotes(ProviderContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> StateCase:
        return Notes(tmp_path)
