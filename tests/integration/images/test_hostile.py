"""Copies from and to a hostile registry."""

import json
from pathlib import Path
from typing import Any

import pytest

from planner.errors import PermanentError, ProviderError, TemporaryError
from providers.images.copying import Place, copy
from providers.images.credentials import DockerCredentials
from providers.images.manifest import OCI_MANIFEST
from providers.images.provider import ImageProvider
from providers.images.reference import parse_reference
from providers.images.registry import Registry
from providers.web.retrying import Retries
from tests.integration.images.making import SOON, change_of, plan, put_big, resource, stored
from tests.testbed import image_registry
from tests.testbed.image_registry import HostileRegistry, ImageRegistry, Reply, Seen

TOKEN = "canary-token"


def client(registry: HostileRegistry, folder: Path, **options: Any) -> Registry:
    file = folder / "config.json"
    file.write_text(json.dumps({"auths": {registry.host: {"username": "robot", "password": TOKEN}}}))
    return Registry(registry.host, credentials=DockerCredentials(file), retries=SOON, **options)


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


def test_a_foreign_location_gets_nothing(
    hostile: HostileRegistry, elsewhere: HostileRegistry, source: ImageRegistry, tmp_path: Path
) -> None:
    hostile.rules = [demand_basic, upload_at(f"http://{elsewhere.host}/v2/a/b/blobs/uploads/x")]
    put_big(source, "hostile/location:1")
    origin = parse_reference(f"{source.host}/hostile/location:1")
    place = Place(Registry(source.host), origin)
    root = place.store.manifest(origin)
    assert root is not None
    aim = Place(client(hostile, tmp_path), parse_reference(f"{hostile.host}/a/b:1"))
    with pytest.raises(PermanentError, match="another host"):
        copy(place, root, aim, lambda _: None)
    assert elsewhere.seen == []
    assert "1" not in hostile.manifests
    assert [seen for seen in hostile.seen if "authorization" in seen.headers]


def test_a_foreign_realm_gets_nothing_unless_it_is_configured(hostile: HostileRegistry, tmp_path: Path) -> None:
    tagged(hostile, "1", b"layer")
    image = parse_reference(f"{hostile.host}/a/b:1")
    with HostileRegistry() as realm:
        realm.rules = [lambda _: Reply(200, {}, json.dumps({"token": TOKEN}).encode())]
        hostile.rules = [demand_bearer(f"http://{realm.host}/token")]
        with pytest.raises(PermanentError, match="nothing was sent there"):
            client(hostile, tmp_path).digest(image)
        assert realm.seen == []
        assert client(hostile, tmp_path, realms=frozenset({realm.host})).digest(image)
        (asked,) = realm.seen
        assert asked.headers["authorization"].startswith("Basic ")
        assert "scope=repository%3Aa%2Fb%3Apull" in asked.path


def test_a_redirected_blob_is_read_without_credentials(
    hostile: HostileRegistry, elsewhere: HostileRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    tagged(hostile, "1", b"layer")
    elsewhere.blobs = hostile.blobs
    hostile.rules = [demand_basic, lambda seen: redirected(seen, f"http://{elsewhere.host}")]
    image = parse_reference(f"{hostile.host}/a/b:1")
    origin = Place(client(hostile, tmp_path), image)
    root = origin.store.manifest(image)
    assert root is not None
    copy(origin, root, Place(Registry(target.host), parse_reference(f"{target.host}/hostile/cdn:1")), lambda _: None)
    assert stored(target, "hostile/cdn:1") == root.digest
    assert elsewhere.seen


@pytest.mark.parametrize("value", ["", "0", "1", "3600", "-5", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "9" * 400])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_storms_are_ridden_out_or_given_up(hostile: HostileRegistry, tmp_path: Path, status: int, value: str) -> None:
    tagged(hostile, "1", b"layer")
    image = parse_reference(f"{hostile.host}/a/b:1")
    pauses: list[float] = []
    headers = {"Retry-After": value} if value else {}
    left = [3]

    def storm(_: Seen) -> Reply | None:
        left[0] -= 1
        return Reply(status, headers) if left[0] >= 0 else None

    hostile.rules = [storm]
    retries = Retries(tries=4, total=1e6, sleep=pauses.append)
    assert Registry(hostile.host, retries=retries).digest(image)
    assert len(pauses) == 3
    assert all(0 < pause <= 30 for pause in pauses)
    left[0] = 100
    with pytest.raises(TemporaryError, match=str(status)):
        Registry(hostile.host, retries=retries).digest(image)
    assert left[0] == 96


@pytest.mark.parametrize("status", [401, 404, 416, 429, 500, 503])
def test_an_upload_that_is_lost_begins_anew(
    hostile: HostileRegistry, source: ImageRegistry, tmp_path: Path, status: int
) -> None:
    put_big(source, "hostile/anew:1")
    origin = Place(Registry(source.host), parse_reference(f"{source.host}/hostile/anew:1"))
    root = origin.store.manifest(origin.image)
    assert root is not None
    left = [2]

    def lose(seen: Seen) -> Reply | None:
        left[0] -= seen.method == "PUT"
        refused = Reply(status, {"WWW-Authenticate": 'Basic realm="x"'})
        return refused if seen.method == "PUT" and left[0] >= 0 else None

    hostile.rules = [lose]
    copy(origin, root, Place(client(hostile, tmp_path), parse_reference(f"{hostile.host}/a/b:1")), lambda _: None)
    assert hostile.manifests["1"][1] == root.data
    assert all(part.digest in hostile.blobs for part in root.parts)
    hostile.rules = [lambda seen: Reply(202, {"Location": seen.path}) if seen.method == "PUT" else None]
    hostile.blobs.clear()
    with pytest.raises(PermanentError, match="202"):
        copy(origin, root, Place(client(hostile, tmp_path), parse_reference(f"{hostile.host}/a/b:2")), lambda _: None)
    assert "2" not in hostile.manifests


def test_refused_credentials_say_so_without_them(hostile: HostileRegistry, tmp_path: Path) -> None:
    hostile.rules = [lambda _: Reply(401, {"WWW-Authenticate": 'Basic realm="x"'})]
    with pytest.raises(ProviderError) as caught:
        client(hostile, tmp_path).digest(parse_reference(f"{hostile.host}/a/b:1"))
    assert TOKEN not in str(caught.value) + caught.value.remedy + caught.value.where
    assert len(hostile.seen) == 2


def tagged(registry: HostileRegistry, tag: str, layer: bytes) -> dict[str, Any]:
    config = json.dumps({"os": "linux", "architecture": "amd64"}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/json", "digest": registry.add_blob(config), "size": len(config)},
        "layers": [{"mediaType": "text/plain", "digest": registry.add_blob(layer), "size": len(layer)}],
    }
    registry.add_manifest(tag, OCI_MANIFEST, json.dumps(manifest).encode())
    return manifest


def demand_basic(seen: Seen) -> Reply | None:
    if "authorization" in seen.headers:
        return None
    return Reply(401, {"WWW-Authenticate": 'Basic realm="here"'})


def demand_bearer(realm: str) -> image_registry.Rule:
    challenge = f'Bearer realm="{realm}",service="s",scope="repository:a/b:pull"'
    return lambda seen: None if "authorization" in seen.headers else Reply(401, {"WWW-Authenticate": challenge})


def upload_at(location: str) -> image_registry.Rule:
    return lambda seen: Reply(202, {"Location": location}) if seen.method == "POST" else None


def redirected(seen: Seen, to: str) -> Reply | None:
    return Reply(307, {"Location": to + seen.path}) if seen.method == "GET" and "/blobs/" in seen.path else None
