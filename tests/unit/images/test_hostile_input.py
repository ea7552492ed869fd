"""Random and odd input: names, manifests, layouts. All of it ends in a value or in a PermanentError, at once."""

import copy
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.errors import PermanentError, ProviderError
from providers.http.retries import RetryLimits
from providers.images.docker_config_credentials import DockerConfigFileCredentials
from providers.images.image_manifest import (
    OCI_INDEX,
    OCI_MANIFEST,
    ImageDescriptor,
    ImageManifest,
    digest_of_selected_manifest,
    parse_image_manifest,
    select_wanted_platforms,
    with_image_annotation,
)
from providers.images.image_reference import ImageReference, parse_image_or_layout_reference, parse_image_reference
from providers.images.oci_layout import OciLayout, SingleImageLayout
from providers.images.registry_tokens import RegistryAuthorizer
from providers.simulated_images import write_simulated_images
from providers.web.bounded_http_client import BoundedHttpClient

CASES = int(os.environ.get("HWPLAN_FUZZ", "3000"))
DIGEST = "sha256:" + "a" * 64
NAME = parse_image_reference("127.0.0.1:5000/own/x:1")
ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**400, float("inf"), "", "x", "\ud800", "\x00", "../../etc/passwd", "a" * 5000, [],
    {}, [[]], {"x": 1}, DIGEST, DIGEST.upper(), OCI_INDEX, OCI_MANIFEST, "linux", ["linux"], {"os": "linux"},
]  # fmt: skip
ENTRY = {"mediaType": OCI_MANIFEST, "digest": DIGEST, "size": 7, "platform": {"os": "linux", "architecture": "amd64"}}
DOCUMENTS: list[Any] = [
    {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [ENTRY, {**ENTRY, "annotations": {"a": "b"}}]},
    {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": ENTRY,
        "layers": [ENTRY, ENTRY],
        "annotations": {"a": "b"},
    },
]


def changed(document: Any, chance: random.Random) -> Any:
    """The document with some odd values in odd places."""
    found = copy.deepcopy(document)
    for _ in range(chance.randint(1, 3)):
        holder, key = chance.choice([*places(found)])
        holder[key] = copy.deepcopy(chance.choice(ODD))
        if isinstance(holder, dict) and chance.random() < 0.2:
            holder[str(key).swapcase()] = holder.pop(key)
    return found


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in [*keys]:
        yield value, key
        yield from places(item)


def bytes_of(document: Any, chance: random.Random) -> bytes:
    data = bytearray(json.dumps(document).encode())
    for _ in range(chance.choice((0, 0, 0, 1, 4))):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data[: chance.randrange(1, len(data))] if chance.random() < 0.1 else data)


def test_manifests_are_read_or_refused() -> None:
    chance = random.Random(7)
    good = 0
    for _ in range(CASES):
        data = bytes_of(changed(chance.choice(DOCUMENTS), chance), chance)
        try:
            found = parse_image_manifest(data, chance.choice(("", OCI_INDEX, OCI_MANIFEST, "text/html; x", ";")))
            good += 1
            check(found)
            for platforms in (("all",), ("linux/amd64",), ("linux/amd64", "linux/arm64")):
                digest_of_selected_manifest(found, platforms)
                check(select_wanted_platforms(found, platforms))
            check(with_image_annotation(found, "key", "value"))
        except PermanentError as error:
            assert len(str(error)) < 1000
    assert good > CASES // 20, "hardly anything was read, so hardly anything was tried"


def check(found: ImageManifest) -> None:
    assert all(part.digest.startswith("sha256:") and len(part.digest) == 71 for part in found.parts)
    assert all(type(part.size) is int and 0 <= part.size < 1 << 62 for part in found.parts)


@pytest.mark.parametrize(
    "text",
    [
        '{"schemaVersion": 2, "manifests": [], "manifests": []}',
        '{"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": "@", "digest": "@", "size": 1}]}',
        '{"schemaVersion": 2, "manifests": [], "Layers": []}',
        '{"schemaVersion": 2, "manifests": [], "MediaType": "x"}',
        '{"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": "@", "Digest": "E", "size": 1}]}',
        '{"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": "@", "size": true}]}',
        '{"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": "@", "size": 1' + "0" * 400 + "}]}",
        '{"schemaVersion": 2, "manifests": [], "x": NaN}',
    ],
)
def test_what_two_readers_would_read_differently_is_refused(text: str) -> None:
    with pytest.raises(PermanentError):
        parse_image_manifest(text.replace("@", DIGEST).encode())


def test_names_are_read_or_refused() -> None:
    chance = random.Random(11)
    pieces = ["docker.io", "127.0.0.1:5000", "localhost", "/", "a", "b-c", "..", ".", ":", "1", "@", DIGEST, "sha256:",
              "oci:", "%2e", "?", "#", "\\", " ", "\n", "\x00", "\u202e", "A", "_", "a" * 300, "//"]  # fmt: skip
    good = 0
    for number in range(CASES):
        begin = ["docker.io/", "127.0.0.1:5000/a", "oci:a", ""][number % 4]
        text = begin + "".join(chance.choice(pieces) for _ in range(chance.randint(1, 6)))
        try:
            found = parse_image_or_layout_reference(text)
        except PermanentError as error:
            assert "\n" not in str(error)
            continue
        assert str(found) == text
        if isinstance(found, ImageReference):
            good += 1
            url = f"http://{found.host}/v2/{found.path}/manifests/{found.wanted}"
            assert url.isascii() and ".." not in found.path and not set(" ?#%\\\n\x00@") & set(found.path + found.tag)
    assert good > 5


def test_challenges_are_answered_or_refused(tmp_path: Path) -> None:
    """Whatever a registry says, nothing is sent but to its own host, which does not answer here."""
    chance = random.Random(13)
    pieces = ["Bearer", "Basic", "Digest", " ", ",", "=", '"', "realm", "service", "scope", "http://127.0.0.1:1/token",
              "https://elsewhere.example", "http://[", "\\", "\x7f", "a" * 3000, "repository:x:pull"]  # fmt: skip
    sent: list[str] = []

    class Watched(BoundedHttpClient):
        def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
            sent.append(url)
            return super().request(method, url, *args, **options)

    credentials = DockerConfigFileCredentials(tmp_path / "none")
    authorizer = RegistryAuthorizer(
        Watched(), "http://127.0.0.1:1", credentials=credentials, retries=RetryLimits(tries=1)
    )
    for number in range(CASES // 5):
        words = [chance.choice(pieces) for _ in range(chance.randint(0, 12))]
        text = "".join(words) if number % 2 else 'Bearer realm="' + "".join(words) + '"'
        with pytest.raises(ProviderError):
            authorizer.answer("a/b", text, write=False)
    assert all(url.strip().startswith("http://127.0.0.1:1") for url in sent)


def test_layouts_are_read_or_refused(tmp_path: Path) -> None:
    write_simulated_images(tmp_path / "layout", ["docker.io/library/alpine:3", "quay.io/a/b:1"])
    index = tmp_path / "layout" / "index.json"
    good = json.loads(index.read_bytes())
    chance = random.Random(17)
    for _ in range(CASES // 10):
        index.write_bytes(bytes_of(changed(good, chance), chance))
        for store in (
            OciLayout(tmp_path / "layout"),
            SingleImageLayout(tmp_path / "layout", "quay.io/a/b:1", "oci:layout"),
        ):
            try:
                store.digest(parse_image_reference("quay.io/a/b:1"))
            except PermanentError as error:
                assert str(tmp_path) not in f"{error} {error.where} {error.remedy}"


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"', "[" * 300 + "]" * 300])
def test_a_layout_is_read_as_strictly_as_an_answer(tmp_path: Path, value: str) -> None:
    write_simulated_images(tmp_path / "layout", ["quay.io/a/b:1"])
    index = tmp_path / "layout" / "index.json"
    index.write_text(index.read_text().removesuffix("}") + f', "x": {value}}}')
    with pytest.raises(PermanentError, match=r"no proper index\.json"):
        OciLayout(tmp_path / "layout").digest(parse_image_reference("quay.io/a/b:1"))


def test_nothing_outside_of_a_layout_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"schemaVersion": 2, "manifests": []}')
    write_simulated_images(tmp_path / "layout", [])
    blobs = tmp_path / "layout" / "blobs" / "sha256"
    (blobs / ("b" * 64)).symlink_to(secret)
    os.mkfifo(blobs / ("c" * 64))
    (blobs / ("d" * 64)).mkdir()
    for digest in ("../../../secret", "sha256:../../../secret", "sha256:" + "b" * 64, "sha256:" + "c" * 64,
                   "sha256:" + "d" * 64, "sha256:" + "e" * 64):  # fmt: skip
        entry = {"mediaType": OCI_INDEX, "digest": digest, "size": 37}
        (tmp_path / "layout" / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
        with pytest.raises(PermanentError):
            SingleImageLayout(tmp_path / "layout", "", "oci:layout").manifest(NAME)
    for name in "cde":
        layout, blob = OciLayout(tmp_path / "layout"), ImageDescriptor("x", "sha256:" + name * 64, 1)
        with pytest.raises(PermanentError, match="lacks a blob"), layout.open_blob(NAME, blob):
            pass
