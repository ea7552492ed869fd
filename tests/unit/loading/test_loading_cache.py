"""The parse cache: equal to parsing, never with a Secret in it, and harmless when it is broken."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from planner.loading.yaml import parse_cache
from planner.loading.yaml.load_documents import MANIFEST, load_documents
from planner.loading.yaml.parse_cache import WORTH_IT, load_documents_cached
from tests.unit.loading.fakes import CANARY

PLAIN = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a%d, namespace: demo}\ndata: {a: !sub "x-${G/h#i}", b: ~}\n'
PADDING = "# " + "x" * 200 + "\n"
ENCODED = base64.b64encode(CANARY.encode()).decode()
SECRETS = [
    f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{password: {ENCODED}}}\n",
    f'{{"apiVersion": "v1", "kind":\n"Secret", "metadata": {{"name": "b"}}, "stringData": {{"p": "{CANARY}"}}}}\n',
    f'apiVersion: v1\nkind: "Secr\\u0065t"\nmetadata: {{name: c}}\nstringData: {{p: {CANARY}}}\n',
    f"kind: List\nitems: [{{apiVersion: v1, kind: Secret, metadata: {{name: d}}, data: {{p: {ENCODED}}}}}]\n",
    f"apiVersion: v1\nkind: &k Secret\nmetadata: {{name: e}}\nstringData: {{p: {CANARY}}}\n",
    f"apiVersion: v1\nkind: >-\n  Secret\nmetadata: {{name: f}}\nstringData: {{p: {CANARY}}}\n",
]


def text_of(*secrets: str) -> bytes:
    plain = [PLAIN % number + PADDING for number in range(200)]
    return "---\n".join([plain[0], *secrets, *plain[1:]]).encode()


def stored(folder: Path) -> bytes:
    return (
        b"".join(file.read_bytes() + file.name.encode() for file in sorted(folder.glob("*")))
        if folder.exists()
        else b""
    )


def test_the_cache_says_what_parsing_says(tmp_path: Path) -> None:
    data = text_of(SECRETS[0])
    first, second = (
        load_documents_cached(data, "f", MANIFEST, tmp_path),
        load_documents_cached(data, "f", MANIFEST, tmp_path),
    )
    assert first == second == load_documents(data, "f", MANIFEST)
    assert len(data) > WORTH_IT
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_byte_is_kept(secret: str, tmp_path: Path) -> None:
    data = text_of(secret)
    for _ in range(2):
        load_documents_cached(data, "f", MANIFEST, tmp_path)
    retained = stored(tmp_path)
    for form in (CANARY.encode(), ENCODED.encode(), ENCODED.encode().rstrip(b"=")):
        assert form not in retained


def test_the_key_tells_nothing_about_a_secret(tmp_path: Path) -> None:
    """Otherwise a short value could be guessed from a file name."""
    load_documents_cached(text_of(SECRETS[0]), "f", MANIFEST, tmp_path)
    before = stored(tmp_path)
    changed = load_documents_cached(text_of(SECRETS[0].replace(ENCODED, "b3RoZXI=")), "f", MANIFEST, tmp_path)
    assert stored(tmp_path) == before
    assert changed[1].value["data"]["password"] == "b3RoZXI="


def test_files_are_private_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse_cache, "_MOST_FILES", 3)
    folder = tmp_path / "deep" / "cache"
    for number in range(6):
        load_documents_cached(text_of() + b"# %d\n" % number, "f", MANIFEST, folder)
    files = list(folder.iterdir())
    assert len(files) <= 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


@pytest.mark.parametrize("broken", [b"", b"x\n[]", b"[]", b"\xff" * 100])
def test_a_broken_file_is_not_believed(broken: bytes, tmp_path: Path) -> None:
    data = text_of()
    expected = load_documents_cached(data, "f", MANIFEST, tmp_path)
    (file,) = tmp_path.iterdir()
    good = file.read_bytes()
    file.write_bytes(broken or good[:-1])
    assert load_documents_cached(data, "f", MANIFEST, tmp_path) == expected


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert load_documents_cached(text_of(), "f", MANIFEST, tmp_path / "file" / "cache")
