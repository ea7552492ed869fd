"""What hostile registries do, and clients of them with a planted credential."""

import json
from pathlib import Path
from typing import Any

from providers.images.docker_config_credentials import DockerConfigFileCredentials
from providers.images.image_manifest import OCI_MANIFEST
from providers.images.registry_client import RegistryClient
from tests.integration.images.making import SOON
from tests.testbed import image_registry
from tests.testbed.image_registry import HostileRegistry, Reply, Seen

OTHER = "sha256:" + "0" * 64  # a digest of nothing


TOKEN = "canary-token"


def client(registry: HostileRegistry, folder: Path, **options: Any) -> RegistryClient:
    file = folder / "config.json"
    file.write_text(json.dumps({"auths": {registry.host: {"username": "robot", "password": TOKEN}}}))
    return RegistryClient(registry.host, credentials=DockerConfigFileCredentials(file), retries=SOON, **options)


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
