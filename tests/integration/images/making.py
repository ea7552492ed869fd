"""Images made for tests, and what a command does with one RegistryImage."""

import gzip
import hashlib
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from planner.address import Address
from planner.plan import Action, Change, Precondition
from planner.ports import PresentObject, Preview, PreviewEffect, UnreadableObject, Written
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from providers.http.retries import RetryLimits
from providers.images.image_manifest import OCI_INDEX, OCI_MANIFEST, ImageDescriptor, parse_image_manifest
from providers.images.image_reference import ImageReference, parse_image_reference
from providers.images.provider import RegistryImageProvider
from providers.images.registry_client import RegistryClient
from providers.simulated_images import write_simulated_images
from tests.testbed.image_registry import ImageRegistry

ADDRESS = Address.parse("RegistryImage/base")
SOON = RetryLimits(tries=4, sleep=lambda _: None)
LAYER = 400_000


def put_blob(store: RegistryClient, image: ImageReference, data: bytes, media_type: str) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    descriptor = ImageDescriptor(media_type, digest, len(data))
    store.write_blob(image, descriptor, lambda: nullcontext([data]))
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def image_of(store: RegistryClient, image: ImageReference, machine: str, layer: bytes) -> bytes:
    """Push config and layer; the manifest's bytes."""
    config = json.dumps({"os": "linux", "architecture": machine, "config": {}, "rootfs": {}}).encode()
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": put_blob(store, image, config, "application/vnd.oci.image.config.v1+json"),
            "layers": [put_blob(store, image, layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
        },
        indent=1,  # not canonical, so that nobody can write it again and get the same
    ).encode()


def put_index(host: str, name: str, salt: str = "") -> str:
    """Push an index with three platforms; its digest."""
    image = parse_image_reference(f"{host}/{name}")
    store = RegistryClient(host)
    entries = []
    for machine in ("amd64", "arm64", "s390x"):
        child = parse_image_manifest(image_of(store, image, machine, gzip.compress(f"{machine}{salt}".encode() * 1000)))
        store.write_manifest(image.by_digest(child.digest), child)
        platform = {"os": "linux", "architecture": machine}
        size = len(child.data)
        entries.append({"mediaType": OCI_MANIFEST, "digest": child.digest, "size": size, "platform": platform})
    index = parse_image_manifest(
        json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    )
    store.write_manifest(image, index)
    return index.digest


def put_big(source: ImageRegistry, name: str) -> None:
    image = parse_image_reference(f"{source.host}/{name}")
    store = RegistryClient(source.host)
    layer = hashlib.shake_128(name.encode()).digest(LAYER)
    store.write_manifest(image, parse_image_manifest(image_of(store, image, "amd64", layer)))


def large_layout(folder: Path, size: int) -> None:
    """A layout with one image whose one layer is `size` zero bytes, sparse on disk."""
    write_simulated_images(folder, ["placeholder"])
    blobs = folder / "blobs" / "sha256"
    with (folder / "layer").open("wb") as handle:
        handle.truncate(size)
    with (folder / "layer").open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    (folder / "layer").rename(blobs / digest)
    entry = json.loads((folder / "index.json").read_bytes())["manifests"][0]
    manifest = json.loads((blobs / entry["digest"][7:]).read_bytes())
    manifest["layers"] = [{"mediaType": "application/octet-stream", "digest": f"sha256:{digest}", "size": size}]
    data = json.dumps(manifest).encode()
    name = hashlib.sha256(data).hexdigest()
    (blobs / name).write_bytes(data)
    index = {"schemaVersion": 2, "manifests": [{**entry, "digest": f"sha256:{name}", "size": len(data)}]}
    (folder / "index.json").write_text(json.dumps(index))


def resource(**spec: Any) -> Resource:
    manifest = {
        "apiVersion": "hwplan.dev/v1",
        "kind": "RegistryImage",
        "metadata": {"name": "base"},
        "spec": spec,
    }
    return Resource(ADDRESS, "hwplan.dev/v1", manifest, "set", "infra", SourceRef("test.yaml"))


def plan(provider: RegistryImageProvider, wanted: Resource) -> tuple[Preview, Precondition]:
    seen = provider.read([wanted], (), ()).observations[ADDRESS]
    assert not isinstance(seen, UnreadableObject), seen
    preview = provider.preview([(wanted, seen)])[ADDRESS]
    return preview, seen.precondition if isinstance(seen, PresentObject) else Precondition(absent=True)


def change_of(wanted: Resource, preview: Preview, precondition: Precondition) -> Change:
    return Change(
        ADDRESS,
        Action.CREATE if precondition.absent else Action.UPDATE,
        "hwplan.dev/v1",
        "infra",
        "",
        precondition,
        SourceRef("test.yaml"),
        desired=wanted.manifest,
        expects=preview.expects,
    )


def converge(wanted: Resource, folder: Path, sandbox: Path | None = None) -> Written:
    """Plan and apply with one command, and see with another that nothing is left to do."""
    provider = RegistryImageProvider(folder, sandbox)
    preview, precondition = plan(provider, wanted)
    assert preview.effect is not PreviewEffect.NONE
    assert not preview.blocked
    change = change_of(wanted, preview, precondition)
    written = provider.apply(change, {})
    assert not written.already
    assert provider.apply(change, {}).already
    again, _ = plan(RegistryImageProvider(folder, sandbox), wanted)
    assert again.effect is PreviewEffect.NONE
    if "digest" in preview.outputs:
        assert preview.outputs["digest"] == written.outputs["digest"]
    return written


def stored(registry: ImageRegistry, name: str) -> str:
    image = parse_image_reference(f"{registry.host}/{name}")
    return RegistryClient(registry.host).digest(image)
