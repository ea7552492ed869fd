"""RestObject documents: what their model refuses, and where the values of their secrets are read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from planner.errors import ConfigError
from planner.values import SealedSecret
from tests.unit.loading.fakes import CANARY, ROOT, KeyedFingerprinter, manifests

_SPEC: dict[str, Any] = {"baseUrl": "https://api.example/v1", "path": "/groups", "key": "name", "body": {"name": "a"}}
_KEY = {"secret": "ns/s", "key": "k"}


def _document(**spec: Any) -> str:
    whole = {**_SPEC, **spec}
    return json.dumps({"apiVersion": "hwplan.dev/v1", "kind": "RestObject", "metadata": {"name": "o"}, "spec": whole})


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a base with a query": ({"baseUrl": "https://api.example/?a=b"}, "without `?` and `#`"),
    "a base with a password": ({"baseUrl": "https://me:secret@api.example"}, "credentials are named by a secret"),
    "a path with a query": ({"path": "/groups?all=1"}, "spec.path"),
    "a body without the key": ({"key": "id"}, "no value for the field that `key` names"),
    "a key that is an index": ({"key": "names[0]"}, "names of fields"),
    "a secret that stands in the body": (
        {"body": {"name": "a", "k": 1}, "secrets": {"k": _KEY}},
        "in the body as well",
    ),
    "a secret inside a text": ({"body": {"name": "a", "k": "x"}, "secrets": {"k.v": _KEY}}, "that is no mapping"),
    "secrets in each other": ({"secrets": {"k": _KEY, "k.v": _KEY}}, "lie in each other"),
    "an output of a secret": ({"secrets": {"k.v": _KEY}, "outputs": {"x": "k"}}, "names a secret field"),
    "a key that is secret": ({"secrets": {"id": _KEY}}, "names a secret field"),
    "a note without a secret": ({"fingerprints": "notes"}, "is of use only"),
    "a secret without a namespace": ({"auth": {"secret": "s"}}, "spec.auth.secret"),
    "a header that is none": ({"auth": {"secret": "ns/s", "header": "A\r\nB"}}, "spec.auth.header"),
    "an item path without an id": ({"item": "/groups/1"}, "spec.item"),
    "a PUT without a known path": ({"verbs": {"create": "PUT"}}, "one field"),
    "a cursor without a next": ({"list": {"pages": {"by": "cursor"}}}, "`next` belongs to"),
    "a verb that deletes": ({"verbs": {"delete": "DELETE"}}, 'unknown field "delete"'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_documents_that_are_refused(case: str, tmp_path: Path) -> None:
    spec, why = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        manifests(_document(**spec), tmp_path)
    assert any(why in problem.message for problem in caught.value.problems), caught.value.problems
    assert "me:secret" not in str(caught.value.problems)


def test_secrets_of_the_same_load_are_read_where_these_get_their_values(tmp_path: Path) -> None:
    secret = {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"},
        "stringData": {"k": CANARY, "token": CANARY},
    }  # fmt: skip
    named = {"a.b": _KEY, "c": {"secret": "ns/s", "key": "other"}, "d": {"secret": "ns/else", "key": "k"}}
    text = _document(auth={"secret": "ns/s"}, secrets=named) + "\n---\n" + json.dumps(secret)
    loaded = manifests(text, tmp_path)
    spec = next(one for one in loaded.resources if one.address.kind == "RestObject").manifest["spec"]
    print_ = KeyedFingerprinter().fingerprint(CANARY.encode())
    assert spec["body"] == {
        "name": "a",
        "a": {"b": SealedSecret("manifest:Secret/ns/s#data.k", print_)},
        "c": SealedSecret("kubernetes:ns/s#other", ""),
        "d": SealedSecret("kubernetes:ns/else#k", ""),
    }
    assert spec["auth"]["value"] == SealedSecret("manifest:Secret/ns/s#data.token", "")
    assert CANARY not in repr(spec) and "manifest:Secret/ns/s#data.token" in loaded.vault


def test_a_secret_that_is_made_at_apply_is_read_where_it_lives(tmp_path: Path) -> None:
    loaded = manifests(_document(auth={"secret": "ns/made", "key": "x"}, secrets={"k": _KEY}), tmp_path)
    spec = loaded.resources[0].manifest["spec"]
    assert (spec["auth"]["value"].ref, spec["body"]["k"].ref) == ("kubernetes:ns/made#x", "kubernetes:ns/s#k")


def test_the_example_of_the_documentation_is_in_order(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "rest-objects.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (resource,) = manifests(example, tmp_path).resources
    leaf = resource.manifest["spec"]["body"]["credentials"]["api_key"]
    assert leaf == SealedSecret("kubernetes:platform/sub2api-pool#OPENAI_API_KEY", "")
