"""Registries that send us elsewhere: no credential goes there, and nothing at all where nothing is to be had."""

import json
from pathlib import Path

import pytest

from planner.errors import PermanentError, ProviderError
from providers.images.copy_image import ImageLocation, copy_image
from providers.images.image_reference import parse_image_reference
from providers.images.registry_client import RegistryClient
from tests.integration.images.making import SOON, put_big, put_blob, stored
from tests.integration.images.rules import TOKEN, client, demand_basic, demand_bearer, redirected, tagged, upload_at
from tests.testbed.image_registry import HostileRegistry, ImageRegistry, Reply


def test_a_foreign_location_gets_nothing(
    hostile: HostileRegistry, elsewhere: HostileRegistry, source: ImageRegistry, tmp_path: Path
) -> None:
    hostile.rules = [demand_basic, upload_at(f"http://{elsewhere.host}/v2/a/b/blobs/uploads/x")]
    put_big(source, "hostile/location:1")
    origin = parse_image_reference(f"{source.host}/hostile/location:1")
    place = ImageLocation(RegistryClient(source.host), origin)
    root = place.store.manifest(origin)
    assert root is not None
    aim = ImageLocation(client(hostile, tmp_path), parse_image_reference(f"{hostile.host}/a/b:1"))
    with pytest.raises(PermanentError, match="another host"):
        copy_image(place, root, aim, lambda _: None)
    assert elsewhere.seen == []
    assert "1" not in hostile.manifests
    assert [seen for seen in hostile.seen if "authorization" in seen.headers]


def test_a_foreign_realm_gets_nothing_unless_it_is_configured(hostile: HostileRegistry, tmp_path: Path) -> None:
    tagged(hostile, "1", b"layer")
    image = parse_image_reference(f"{hostile.host}/a/b:1")
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
    image = parse_image_reference(f"{hostile.host}/a/b:1")
    origin = ImageLocation(client(hostile, tmp_path), image)
    root = origin.store.manifest(image)
    assert root is not None
    copy_image(
        origin,
        root,
        ImageLocation(RegistryClient(target.host), parse_image_reference(f"{target.host}/hostile/cdn:1")),
        lambda _: None,
    )
    assert stored(target, "hostile/cdn:1") == root.digest
    assert elsewhere.seen


def test_refused_credentials_say_so_without_them(hostile: HostileRegistry, tmp_path: Path) -> None:
    hostile.rules = [lambda _: Reply(401, {"WWW-Authenticate": 'Basic realm="x"'})]
    with pytest.raises(ProviderError) as caught:
        client(hostile, tmp_path).digest(parse_image_reference(f"{hostile.host}/a/b:1"))
    assert TOKEN not in str(caught.value) + caught.value.remedy + caught.value.where
    assert len(hostile.seen) == 2


# --- redirects and absence -----------------------------------------------------------------------------------------


def test_a_redirected_manifest_is_read_without_credentials(
    hostile: HostileRegistry, elsewhere: HostileRegistry, tmp_path: Path
) -> None:
    """registry.k8s.io answers so for every manifest."""
    tagged(elsewhere, "1", b"layer")
    hostile.rules = [demand_basic, lambda seen: Reply(307, {"Location": f"http://{elsewhere.host}{seen.path}"})]
    image = parse_image_reference(f"{hostile.host}/a/b:1")
    store = client(hostile, tmp_path)
    found = store.manifest(image)
    assert found is not None and found.digest == store.digest(image)
    assert [seen.method for seen in elsewhere.seen] == ["GET", "HEAD"]
    assert all("application/vnd.oci.image.index.v1+json" in seen.headers["accept"] for seen in elsewhere.seen)
    assert any("authorization" in seen.headers for seen in hostile.seen)


def test_a_public_registry_may_not_send_us_to_this_machine(elsewhere: HostileRegistry) -> None:
    registry = RegistryClient("registry.example", retries=SOON)
    with pytest.raises(PermanentError, match="inner address"):
        registry._ask_elsewhere("GET", f"http://{elsewhere.host}/v2/a/b/manifests/1")
    assert elsewhere.seen == []


@pytest.mark.parametrize("location", ["", "http://[", "/v2/a/b/manifests/1", "ftp://127.0.0.1/x", "http://a b/"])
def test_redirects_that_lead_nowhere(hostile: HostileRegistry, tmp_path: Path, location: str) -> None:
    hostile.rules = [lambda _: Reply(307, {"Location": location} if location else {})]
    with pytest.raises(ProviderError):
        client(hostile, tmp_path).manifest(parse_image_reference(f"{hostile.host}/a/b:1"))


@pytest.mark.parametrize("location", ["", "http://[", "//127.0.0.1:1/x", "http://127.0.0.1:1/x", "https:///x"])
def test_uploads_that_lead_elsewhere(hostile: HostileRegistry, tmp_path: Path, location: str) -> None:
    hostile.rules = [upload_at(location)]
    image = parse_image_reference(f"{hostile.host}/a/b:1")
    with pytest.raises(PermanentError, match="another host"):
        put_blob(client(hostile, tmp_path), image, b"bytes", "text/plain")
    assert not [seen for seen in hostile.seen if seen.method == "PUT"]


@pytest.mark.parametrize("realm", ["", "http://[", "http://127.0.0.1:1/token", "//127.0.0.1:1/t", "file:///etc/passwd"])
def test_realms_that_lead_elsewhere(hostile: HostileRegistry, tmp_path: Path, realm: str) -> None:
    tagged(hostile, "1", b"layer")
    hostile.rules = [demand_bearer(realm)]
    with pytest.raises(PermanentError, match="nothing was sent there"):
        client(hostile, tmp_path).digest(parse_image_reference(f"{hostile.host}/a/b:1"))
    assert not [seen for seen in hostile.seen if "authorization" in seen.headers]
