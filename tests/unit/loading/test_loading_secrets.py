"""Secret sources: where values are found, what is sealed, and that no message holds a value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.errors import PermanentError
from planner.loading.secrets.secret_files import SecretFileRef, read_secret_file
from planner.loading.secrets.secret_reader import SecretReader
from planner.values import SecretValue
from tests.unit.loading.fakes import CANARY


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(
    ("name", "file_format", "text"),
    [
        ("a.env", "env", f"# comment\n\nexport OTHER=1\nKEY='{CANARY}'\n"),
        ("a.env", "env", f"KEY = {CANARY}\r\n"),
        ("a.yaml", "yaml", f"KEY: {CANARY}\n"),
        ("a.json", "json", json.dumps({"KEY": CANARY})),
        ("id", "raw", CANARY),
    ],
)
def test_formats_and_reading_again_by_reference(name: str, file_format: str, text: str, tmp_path: Path) -> None:
    write(tmp_path, f"deep/{name}", text)
    file = SecretFileRef("N1", f"deep/{name}", file_format, "KEY" if file_format == "raw" else "")
    found = read_secret_file(tmp_path, file)
    assert found.values["KEY"].reveal() == CANARY.encode()
    assert not found.shared
    reader = SecretReader({"N1": tmp_path})
    assert reader.value(file.ref("KEY")).reveal() == CANARY.encode()
    assert str(tmp_path) not in file.ref("KEY")


@pytest.mark.parametrize(
    ("file_format", "text", "message"),
    [
        ("env", f"A=1\n{CANARY}\n", "f:2 is not KEY=value"),
        ("env", f"A={CANARY}\nA=2\n", "f:2 sets a key a second time"),
        ("yaml", f"a: b: {CANARY}\n", "f:1 is not YAML that can be read here"),
        ("yaml", f"a: [{CANARY}]\n", "f: value 1 is not text: put it in quotes"),
        ("json", f'{{"a": "{CANARY}"', "f is not JSON"),
        ("json", f'["{CANARY}"]', "f is not one mapping of text to text"),
    ],
)
def test_a_broken_file_is_named_and_not_shown(file_format: str, text: str, message: str, tmp_path: Path) -> None:
    write(tmp_path, "f", text)
    with pytest.raises(PermanentError) as caught:
        read_secret_file(tmp_path, SecretFileRef("N1", "f", file_format))
    assert caught.value.message == message


def test_files_outside_of_the_folder_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, "outside.env", f"KEY={CANARY}\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.env").symlink_to(tmp_path / "outside.env")
    for path in ("../outside.env", "link.env"):
        with pytest.raises(PermanentError, match="leads out of the secrets folder"):
            read_secret_file(tmp_path / "in", SecretFileRef("N1", path))


def test_a_file_that_others_may_read_is_known(tmp_path: Path) -> None:
    write(tmp_path, "a.env", "A=1\n").chmod(0o644)
    assert read_secret_file(tmp_path, SecretFileRef("N1", "a.env")).shared


def test_other_references() -> None:
    secret = SecretValue(b"x")
    reader = SecretReader(
        {},
        environ={"TOKEN": CANARY},
        kubernetes=lambda namespace, name: {"k": secret} if (namespace, name) == ("a", "b") else None,
        vault={"manifest:Secret/a/b#data.k": secret},
    )
    assert reader.value("env:TOKEN").reveal() == CANARY.encode()
    assert reader.value("kubernetes:a/b#k") is secret
    assert reader.value("manifest:Secret/a/b#data.k") is secret
    for ref in (
        "env:NONE",
        "kubernetes:a/c#k",
        "kubernetes:a/b#x",
        "manifest:x",
        "file:N9/a#k",
        "nonsense",
        "missing:X",
        "generate:40",
    ):
        with pytest.raises(PermanentError):
            reader.value(ref)
    assert CANARY not in repr(reader)
