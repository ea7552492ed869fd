"""Blobs: nothing is taken for complete before its digest is right; credentials come from docker's file only."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from planner.errors import PermanentError, ProviderError, TemporaryError
from providers.images.docker_config_credentials import DockerConfigFileCredentials
from providers.images.image_manifest import ImageDescriptor
from providers.images.image_store import verify_while_reading

DATA = b"0123456789" * 10
BLOB = ImageDescriptor("text/plain", "sha256:" + hashlib.sha256(DATA).hexdigest(), len(DATA))


def in_pieces(data: bytes) -> list[bytes]:
    return [data[start : start + 30] for start in range(0, len(data), 30)]


def test_a_good_blob_comes_through_whole() -> None:
    assert b"".join(verify_while_reading(in_pieces(DATA), BLOB)) == DATA
    empty = ImageDescriptor("text/plain", "sha256:" + hashlib.sha256(b"").hexdigest(), 0)
    assert list(verify_while_reading([], empty)) == []


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (DATA[:-1] + b"X", PermanentError),
        (b"X" + DATA[1:], PermanentError),
        (DATA + b"X", PermanentError),
        (DATA[:-1], TemporaryError),
        (b"", TemporaryError),
    ],
)
def test_a_bad_blob_never_comes_through_whole(data: bytes, error: type[ProviderError]) -> None:
    passed = 0
    with pytest.raises(error):
        for piece in verify_while_reading(in_pieces(data), BLOB):
            passed += len(piece)
    assert passed < BLOB.size


@pytest.mark.parametrize(
    ("entry", "pair"),
    [
        ({"auth": base64.b64encode(b"robot:word").decode()}, b"robot:word"),
        ({"username": "robot", "password": "a:b"}, b"robot:a:b"),
        ({"auth": ""}, b""),
        ({"auth": "!!!"}, b""),
        ({"auth": base64.b64encode(b"no colon").decode()}, b""),
        ({"identitytoken": "x"}, b""),
        ({"username": "robot", "password": 5}, b""),
        ("text", b""),
    ],
)
def test_docker_credentials(tmp_path: Path, entry: object, pair: bytes) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"auths": {"registry.example:5000": entry}}))
    header = DockerConfigFileCredentials(file).basic("registry.example:5000")
    assert header == ("Basic " + base64.b64encode(pair).decode() if pair else "")
    assert DockerConfigFileCredentials(file).basic("registry.example") == ""


def test_a_file_that_is_missing_or_odd(tmp_path: Path) -> None:
    assert DockerConfigFileCredentials(tmp_path / "none").basic("a.example") == ""
    for text in ("", "[]", "{", '{"auths": []}', "[" * 100_000):
        (tmp_path / "config.json").write_text(text)
        assert DockerConfigFileCredentials(tmp_path / "config.json").basic("a.example") == ""
