"""Pushes a tiny image to a registry by plain HTTP requests, without any code of hwplan."""

from __future__ import annotations

import hashlib
import json
import urllib.request

from tests.testbed.image_registry import ImageRegistry

_OCI = "application/vnd.oci.image"


def push_small_image(registry: ImageRegistry, repository: str, tag: str, content: str = "") -> str:
    """One layer, made of the name and of `content`; the digest of the manifest."""
    return push_image(registry.host, repository, tag, content)


def push_image(host: str, repository: str, tag: str, content: str) -> str:
    """The same to the registry of a host."""
    base = f"http://{host}/v2/{repository}"
    layer = _blob(base, f"{_OCI}.layer.v1.tar", (repository + content).encode().ljust(512, b"\0"))
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    }
    config = _blob(base, f"{_OCI}.config.v1+json", json.dumps(document).encode())
    media = f"{_OCI}.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media, "config": config, "layers": [layer]}).encode()
    _send("PUT", f"{base}/manifests/{tag}", manifest, media)
    return "sha256:" + hashlib.sha256(manifest).hexdigest()


def _blob(base: str, media: str, data: bytes) -> dict[str, object]:
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    upload = _send("POST", f"{base}/blobs/uploads/", b"", "application/octet-stream")
    _send("PUT", f"{upload}{'&' if '?' in upload else '?'}digest={digest}", data, "application/octet-stream")
    return {"mediaType": media, "digest": digest, "size": len(data)}


def _send(method: str, url: str, data: bytes, media: str) -> str:
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": media})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.headers.get("Location", ""))
