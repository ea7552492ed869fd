"""Registries that lie: other bytes, other digests, absence that is none, a tag that moved."""

import hashlib
import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from planner.errors import PermanentError, PreconditionError
from planner.ports import UnreadableObject
from providers.images.copy_image import ImageLocation, copy_image
from providers.images.image_manifest import MAX_MANIFEST, OCI_INDEX, OCI_MANIFEST, ImageDescriptor, parse_image_manifest
from providers.images.image_reference import parse_image_reference
from providers.images.provider import RegistryImageProvider
from providers.images.registry_client import RegistryClient
from tests.integration.images.making import ADDRESS, change_of, plan, put_big, resource, stored
from tests.integration.images.rules import (
    OTHER,
    client,
    tagged,
)
from tests.testbed.image_registry import HostileRegistry, ImageRegistry, Reply, Seen


def test_a_blob_with_wrong_bytes_is_refused_and_nothing_is_tagged(
    hostile: HostileRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    manifest = tagged(hostile, "1", b"layer bytes")
    hostile.blobs[manifest["layers"][0]["digest"]] = b"LAYER bytes"
    wanted = resource(source=f"{hostile.host}/a/b:1", target=f"{target.host}/hostile/flip:1", platforms=["all"])
    provider = RegistryImageProvider(tmp_path)
    change = change_of(wanted, *plan(provider, wanted))
    with pytest.raises(PermanentError, match="not what its digest says"):
        provider.apply(change, {})
    assert stored(target, "hostile/flip:1") == ""
    assert not [path for method, path, _ in target.requests() if method == "PUT" and "flip/manifests" in path]


def test_a_manifest_with_wrong_bytes_is_refused(hostile: HostileRegistry, tmp_path: Path) -> None:
    tagged(hostile, "1", b"layer")
    digest = next(name for name in hostile.manifests if name.startswith("sha256:"))
    media_type, data = hostile.manifests["1"]
    hostile.manifests[digest] = (media_type, data + b" ")
    image = parse_image_reference(f"{hostile.host}/a/b:1")
    with pytest.raises(PermanentError, match="not what its digest says"):
        client(hostile, tmp_path).manifest(image.by_digest(digest))


def test_a_404_of_something_else_is_not_absence(hostile: HostileRegistry, tmp_path: Path) -> None:
    image = parse_image_reference(f"{hostile.host}/a/b:1")
    assert client(hostile, tmp_path).digest(image) == ""
    hostile.rules = [lambda _: Reply(404, {"Content-Type": "text/html"}, b"<h1>Not Found</h1>")]
    wanted = resource(source=f"{hostile.host}/a/c:1", target=str(image), platforms=["all"])
    seen = RegistryImageProvider(tmp_path).read([wanted], (), ()).observations[ADDRESS]
    assert isinstance(seen, UnreadableObject)
    assert "not that of a registry" in seen.reason


def test_a_manifest_that_is_not_what_its_header_says(hostile: HostileRegistry, tmp_path: Path) -> None:
    tagged(hostile, "1", b"layer")
    media_type, data = hostile.manifests["1"]
    image = parse_image_reference(f"{hostile.host}/a/b:1")
    headers = {"Content-Type": media_type, "Docker-Content-Digest": OTHER}

    def answer(_: Seen) -> Reply | None:
        return Reply(200, headers, data)

    hostile.rules = [answer]
    with pytest.raises(PermanentError, match="not what its digest says"):
        client(hostile, tmp_path).manifest(image)
    for odd in ("", "sha512:" + "0" * 128, "../../etc/passwd", OTHER.upper()):
        headers["Docker-Content-Digest"] = odd
        assert client(hostile, tmp_path).digest(image) == "sha256:" + hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("where", ["/blobs/uploads/", "/manifests/"])
def test_a_registry_that_stored_something_else(
    hostile: HostileRegistry, source: ImageRegistry, tmp_path: Path, where: str
) -> None:
    put_big(source, "hostile/stored:1")
    origin = ImageLocation(RegistryClient(source.host), parse_image_reference(f"{source.host}/hostile/stored:1"))
    root = origin.store.manifest(origin.image)
    assert root is not None

    def lie(seen: Seen) -> Reply | None:
        lies = seen.method == "PUT" and where in seen.path
        return Reply(201, {"Docker-Content-Digest": OTHER}) if lies else None

    hostile.rules = [lie]
    with pytest.raises(PermanentError, match="stored something else"):
        copy_image(
            origin,
            root,
            ImageLocation(client(hostile, tmp_path), parse_image_reference(f"{hostile.host}/a/b:1")),
            lambda _: None,
        )
    assert "1" not in hostile.manifests


def test_a_tag_that_says_something_else_when_read_back(
    hostile: HostileRegistry, source: ImageRegistry, tmp_path: Path
) -> None:
    put_big(source, "hostile/back:1")
    origin = ImageLocation(RegistryClient(source.host), parse_image_reference(f"{source.host}/hostile/back:1"))
    root = origin.store.manifest(origin.image)
    assert root is not None

    def moved(seen: Seen) -> Reply | None:
        there = seen.method == "HEAD" and seen.path.endswith("/manifests/1") and "1" in hostile.manifests
        return Reply(200, {"Docker-Content-Digest": OTHER}) if there else None

    hostile.rules = [moved]
    with pytest.raises(PreconditionError, match="somebody else moved the tag"):
        copy_image(
            origin,
            root,
            ImageLocation(client(hostile, tmp_path), parse_image_reference(f"{hostile.host}/a/b:1")),
            lambda _: None,
        )


def test_a_mount_that_is_not_granted_becomes_an_upload(hostile: HostileRegistry, tmp_path: Path) -> None:
    """202 in place of 201: also the real registry answers so when the other repository lacks the blob."""
    tagged(hostile, "1", b"layer")
    store = client(hostile, tmp_path)
    image = parse_image_reference(f"{hostile.host}/a/b:1")
    root = store.manifest(image)
    assert root is not None
    blobs, gone = dict(hostile.blobs), {"HEAD": Reply(404)}
    hostile.rules = [lambda seen: gone.get(seen.method) if "/blobs/" in seen.path else None]
    copy_image(
        ImageLocation(store, image),
        root,
        ImageLocation(store, parse_image_reference(f"{hostile.host}/other/c:2")),
        lambda _: None,
    )
    posts = [seen.path for seen in hostile.seen if seen.method == "POST"]
    assert posts and all("mount=sha256%3A" in path and "from=a%2Fb" in path for path in posts)
    assert hostile.manifests["2"] == hostile.manifests["1"]
    assert hostile.blobs == blobs


def test_the_real_registry_does_not_mount_what_is_not_there(source: ImageRegistry) -> None:
    data = b"not in that repository"
    blob = ImageDescriptor("text/plain", "sha256:" + hashlib.sha256(data).hexdigest(), len(data))
    store, image = RegistryClient(source.host), parse_image_reference(f"{source.host}/mounted/absent:1")
    since = len(source.requests())
    store.write_blob(image, blob, lambda: nullcontext([data]), "no/such")
    assert [status for method, _, status in source.requests(since) if method == "POST"] == [202]
    assert store.has_blob(image, blob)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b" " * (MAX_MANIFEST + 1), "larger than"),
        (b"[" * 100_000, "no JSON"),
        (b'{"a":' * 50_000, "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"null", "neither an image nor an index"),
        (b'{"schemaVersion": 1, "fsLayers": []}', "no proper list"),
        (b'{"schemaVersion": 2, "manifests": [], "layers": []}', "neither an image nor an index"),
        (b'{"mediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws"}', "media type"),
    ],
)
def test_manifests_that_are_none(hostile: HostileRegistry, tmp_path: Path, body: bytes, message: str) -> None:
    hostile.add_manifest("1", "application/json", body)
    with pytest.raises(PermanentError, match=message):
        client(hostile, tmp_path).manifest(parse_image_reference(f"{hostile.host}/a/b:1"))


def nested(hostile: HostileRegistry, child: bytes, media_type: str = OCI_INDEX, wide: int = 1) -> bytes:
    """An index of `wide` entries, the first of which is `child`, stored under its digest; the index is not stored."""
    digest = hostile.add_manifest("child", media_type, child)
    entry = {"mediaType": media_type, "digest": digest, "size": len(child)}
    others = [{**entry, "digest": f"sha256:{number:064x}"} for number in range(wide - 1)]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry, *others]}).encode()


def test_indexes_too_deep_too_wide_and_wrongly_named(
    hostile: HostileRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    tagged(hostile, "1", b"layer")
    image = hostile.manifests["1"][1]
    store = client(hostile, tmp_path)
    origin = ImageLocation(store, parse_image_reference(f"{hostile.host}/a/b:1"))
    aim = ImageLocation(RegistryClient(target.host), parse_image_reference(f"{target.host}/hostile/deep:1"))
    flat = nested(hostile, image, OCI_MANIFEST)
    deep = nested(hostile, nested(hostile, nested(hostile, flat)))
    for data, error, message in (
        (deep, PermanentError, "deeper than hwplan follows"),
        (nested(hostile, image, OCI_MANIFEST, wide=3), PreconditionError, "lacks a manifest"),
        (flat.replace(b'"size": ', b'"size": 1'), PermanentError, "another type or size"),
    ):
        with pytest.raises(error, match=message):
            copy_image(origin, parse_image_manifest(data), aim, lambda _: None)
    with pytest.raises(PermanentError, match="no proper list"):
        parse_image_manifest(nested(hostile, image, OCI_MANIFEST, wide=1001))
    assert stored(target, "hostile/deep:1") == ""
    copy_image(origin, parse_image_manifest(flat), aim, lambda _: None)
    with pytest.raises(PermanentError, match="media type"):
        other = ImageLocation(RegistryClient(target.host), parse_image_reference(f"{target.host}/hostile/type:1"))
        copy_image(origin, parse_image_manifest(nested(hostile, image, OCI_INDEX)), other, lambda _: None)


def test_an_index_that_names_a_hundred_times_the_same_costs_one_request(
    hostile: HostileRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    tagged(hostile, "1", b"repeated")
    document = json.loads(nested(hostile, hostile.manifests["1"][1], OCI_MANIFEST))
    data = json.dumps({**document, "manifests": document["manifests"] * 100}).encode()
    aim = ImageLocation(RegistryClient(target.host), parse_image_reference(f"{target.host}/hostile/same:1"))
    origin = ImageLocation(client(hostile, tmp_path), parse_image_reference(f"{hostile.host}/a/b:1"))
    copy_image(origin, parse_image_manifest(data), aim, lambda _: None)
    assert len([seen for seen in hostile.seen if "/manifests/" in seen.path]) == 1
