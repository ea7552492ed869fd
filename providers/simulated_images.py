"""The images of a sandbox: an OCI image layout (image-spec, "Image Layout") holding one tiny made-up image per name.
Deterministic bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_REF = "org.opencontainers.image.ref.name"


def write_simulated_images(folder: Path, images: Sequence[str]) -> None:
    """Write an OCI image layout with made-up images into `folder` (made here): every image of `images` under its full
    name."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    manifests = [{**_image(folder, name), "annotations": {_REF: name}} for name in sorted(set(images))]
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
    (folder / "index.json").write_bytes(_json(index))


def _image(folder: Path, name: str) -> dict[str, object]:
    tar = _layer(name)
    layer = _blob(folder, _LAYER, gzip.compress(tar, mtime=0))
    config = _blob(
        folder,
        _CONFIG,
        _json(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
            }
        ),
    )
    manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": [layer]}
    return _blob(folder, _MANIFEST, _json(manifest))


def _layer(name: str) -> bytes:
    text = f"a made-up image of the sandbox, in place of {name}\n".encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo("sandbox.txt")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return buffer.getvalue()


def _blob(folder: Path, media_type: str, data: bytes) -> dict[str, object]:
    name = hashlib.sha256(data).hexdigest()
    (folder / "blobs" / "sha256" / name).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
