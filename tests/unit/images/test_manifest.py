"""Manifests: exact bytes, confusion, platforms."""

import hashlib
import json
from typing import Any

import pytest

from planner.errors import PermanentError
from providers.images.image_manifest import (
    DOCKER_INDEX,
    OCI_INDEX,
    OCI_MANIFEST,
    child_for_single_wanted_platform,
    digest_of_selected_manifest,
    parse_image_manifest,
    select_wanted_platforms,
    with_image_annotation,
)


def part(name: str, platform: str = "", **more: Any) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(name.encode()).hexdigest()
    found: dict[str, Any] = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 7, **more}
    if platform:
        found["platform"] = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
    return found


def index(*parts: dict[str, Any]) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(parts)}, indent=2).encode()


IMAGE = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": part("config"), "layers": [part("layer")]}
PLATFORMS = (
    part("amd", "linux/amd64"),
    part("v7", "linux/arm/v7"),
    part("v8", "linux/arm64/v8"),
    part("v6", "linux/arm/v6"),
    part("attestation", "unknown/unknown"),
)


def test_the_digest_is_that_of_the_bytes() -> None:
    data = index(*PLATFORMS)
    found = parse_image_manifest(data)
    assert found.digest == "sha256:" + hashlib.sha256(data).hexdigest()
    assert found.data is data
    with pytest.raises(PermanentError, match="not what its digest says"):
        parse_image_manifest(data + b" ", expected=found.digest)


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        ({**IMAGE, "manifests": []}, ""),
        ({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "manifests": []}, ""),
        ({"schemaVersion": 2, "mediaType": OCI_INDEX, "layers": []}, ""),
        (IMAGE, OCI_INDEX),
        (IMAGE, DOCKER_INDEX),
        ({**IMAGE, "mediaType": "application/vnd.docker.distribution.manifest.v1+json"}, ""),
        ({**IMAGE, "mediaType": ["x"]}, ""),
        ({**IMAGE, "layers": "x"}, ""),
        ({**IMAGE, "layers": [part("x", size=-1)]}, ""),
        ({**IMAGE, "layers": [part("x", digest="sha256:../../x")]}, ""),
        ({**IMAGE, "layers": [part("x", size="7")]}, ""),
        ({**IMAGE, "config": None}, ""),
        ({**IMAGE, "layers": [part("x")] * 1001}, ""),
        ([], ""),
        (7, ""),
    ],
)
def test_confused_manifests_are_refused(document: Any, media_type: str) -> None:
    with pytest.raises(PermanentError):
        parse_image_manifest(json.dumps(document).encode(), media_type)


@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"[" * 100_000])
def test_what_is_no_json(data: bytes) -> None:
    with pytest.raises(PermanentError):
        parse_image_manifest(data)


def test_all_and_an_image_without_an_index_are_taken_as_they_are() -> None:
    whole = parse_image_manifest(index(*PLATFORMS))
    assert select_wanted_platforms(whole, ("all",)) is whole
    image = parse_image_manifest(json.dumps(IMAGE).encode())
    assert select_wanted_platforms(image, ("linux/amd64",)) is image
    assert child_for_single_wanted_platform(image, ("linux/amd64",)) is None


@pytest.mark.parametrize(
    ("platform", "name"),
    [("linux/amd64", "amd"), ("linux/arm64", "v8"), ("linux/arm/v6", "v6"), ("linux/arm64/v8", "v8")],
)
def test_one_platform_is_its_child(platform: str, name: str) -> None:
    assert digest_of_selected_manifest(parse_image_manifest(index(*PLATFORMS)), (platform,)) == part(name)["digest"]


@pytest.mark.parametrize("platform", ["linux/riscv64", "linux/arm", "windows/amd64"])
def test_a_platform_that_is_not_there_or_not_one(platform: str) -> None:
    with pytest.raises(PermanentError, match=platform) as caught:
        digest_of_selected_manifest(parse_image_manifest(index(*PLATFORMS)), (platform,))
    assert "linux/amd64" in caught.value.remedy


def test_a_subset_is_the_same_whatever_the_order_of_the_platforms() -> None:
    whole = parse_image_manifest(index(*PLATFORMS))
    one = select_wanted_platforms(whole, ("linux/arm64", "linux/amd64"))
    other = select_wanted_platforms(whole, ("linux/amd64", "linux/arm64"))
    assert one == other
    assert [entry.platform for entry in one.parts] == ["linux/amd64", "linux/arm64/v8"]
    assert one.digest != whole.digest


def test_an_annotation_more() -> None:
    image = with_image_annotation(
        parse_image_manifest(json.dumps({**IMAGE, "annotations": {"a": "b"}}).encode()), "k", "v"
    )
    assert dict(image.annotations) == {"a": "b", "k": "v"}
    assert image.parts == parse_image_manifest(json.dumps(IMAGE).encode()).parts
