"""Registries that lie: other bytes, other digests, absence that is none, a tag that moved."""

import hashlib
from contextlib import nullcontext
from pathlib import Path

import pytest

from planner.errors import PermanentError, PreconditionError
from planner.ports import Unreadable
from providers.images.copying import Place, copy
from providers.images.manifest import Descriptor
from providers.images.provider import ImageProvider
from providers.images.reference import parse_reference
from providers.images.registry import Registry
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
    provider = ImageProvider(tmp_path)
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
    image = parse_reference(f"{hostile.host}/a/b:1")
    with pytest.raises(PermanentError, match="not what its digest says"):
        client(hostile, tmp_path).manifest(image.by_digest(digest))


def test_a_404_of_something_else_is_not_absence(hostile: HostileRegistry, tmp_path: Path) -> None:
    image = parse_reference(f"{hostile.host}/a/b:1")
    assert client(hostile, tmp_path).digest(image) == ""
    hostile.rules = [lambda _: Reply(404, {"Content-Type": "text/html"}, b"<h1>Not Found</h1>")]
    wanted = resource(source=f"{hostile.host}/a/c:1", target=str(image), platforms=["all"])
    seen = ImageProvider(tmp_path).read([wanted], (), ()).observations[ADDRESS]
    assert isinstance(seen, Unreadable)
    assert "not that of a registry" in seen.reason


def test_a_manifest_that_is_not_what_its_header_says(hostile: HostileRegistry, tmp_path: Path) -> None:
    tagged(hostile, "1", b"layer")
    media_type, data = hostile.manifests["1"]
    image = parse_reference(f"{hostile.host}/a/b:1")
    hostile.rules = [lambda _: Reply(200, {"Content-Type": media_type, "Docker-Content-Digest": OTHER}, data)]
    with pytest.raises(PermanentError, match="not what its digest says"):
        client(hostile, tmp_path).manifest(image)
    for odd in ("", "sha512:" + "0" * 128, "../../etc/passwd", OTHER.upper()):
        hostile.rules = [
            lambda _, odd=odd: Reply(200, {"Content-Type": media_type, "Docker-Content-Digest": odd}, data)
        ]
        assert client(hostile, tmp_path).digest(image) == "sha256:" + hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("where", ["/blobs/uploads/", "/manifests/"])
def test_a_registry_that_stored_something_else(
    hostile: HostileRegistry, source: ImageRegistry, tmp_path: Path, where: str
) -> None:
    put_big(source, "hostile/stored:1")
    origin = Place(Registry(source.host), parse_reference(f"{source.host}/hostile/stored:1"))
    root = origin.store.manifest(origin.image)
    assert root is not None

    def lie(seen: Seen) -> Reply | None:
        lies = seen.method == "PUT" and where in seen.path
        return Reply(201, {"Docker-Content-Digest": OTHER}) if lies else None

    hostile.rules = [lie]
    with pytest.raises(PermanentError, match="stored something else"):
        copy(origin, root, Place(client(hostile, tmp_path), parse_reference(f"{hostile.host}/a/b:1")), lambda _: None)
    assert "1" not in hostile.manifests


def test_a_tag_that_says_something_else_when_read_back(
    hostile: HostileRegistry, source: ImageRegistry, tmp_path: Path
) -> None:
    put_big(source, "hostile/back:1")
    origin = Place(Registry(source.host), parse_reference(f"{source.host}/hostile/back:1"))
    root = origin.store.manifest(origin.image)
    assert root is not None

    def moved(seen: Seen) -> Reply | None:
        there = seen.method == "HEAD" and seen.path.endswith("/manifests/1") and "1" in hostile.manifests
        return Reply(200, {"Docker-Content-Digest": OTHER}) if there else None

    hostile.rules = [moved]
    with pytest.raises(PreconditionError, match="somebody else moved the tag"):
        copy(origin, root, Place(client(hostile, tmp_path), parse_reference(f"{hostile.host}/a/b:1")), lambda _: None)


def test_a_mount_that_is_not_granted_becomes_an_upload(hostile: HostileRegistry, tmp_path: Path) -> None:
    """202 in place of 201: also the real registry answers so when the other repository lacks the blob."""
    tagged(hostile, "1", b"layer")
    store = client(hostile, tmp_path)
    image = parse_reference(f"{hostile.host}/a/b:1")
    root = store.manifest(image)
    assert root is not None
    blobs, gone = dict(hostile.blobs), {"HEAD": Reply(404)}
    hostile.rules = [lambda seen: gone.get(seen.method) if "/blobs/" in seen.path else None]
    copy(Place(store, image), root, Place(store, parse_reference(f"{hostile.host}/other/c:2")), lambda _: None)
    posts = [seen.path for seen in hostile.seen if seen.method == "POST"]
    assert posts and all("mount=sha256%3A" in path and "from=a%2Fb" in path for path in posts)
    assert hostile.manifests["2"] == hostile.manifests["1"]
    assert hostile.blobs == blobs


def test_the_real_registry_does_not_mount_what_is_not_there(source: ImageRegistry) -> None:
    data = b"not in that repository"
    blob = Descriptor("text/plain", "sha256:" + hashlib.sha256(data).hexdigest(), len(data))
    store, image = Registry(source.host), parse_reference(f"{source.host}/mounted/absent:1")
    since = len(source.requests())
    store.write_blob(image, blob, lambda: nullcontext([data]), "no/such")
    assert [status for method, _, status in source.requests(since) if method == "POST"] == [202]
    assert store.has_blob(image, blob)
