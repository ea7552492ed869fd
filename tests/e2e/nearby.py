"""The shipped configuration with what is far away replaced by what runs here, and the ground that a lane stands on."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import REPOSITORY
from tests.testbed.api import Api
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.small_image import push_small_image

_LANES = "hwlab-node-lanes.yaml"
_NODES = "hwlab-node-control-plane.yaml"
_SITE = "https://hwlab.pikapython.com"
_DIAGNOSTIC = re.compile(r"\n +- url: http://203\.0\.113\.61.*\n +role: diagnostic")


@dataclass(frozen=True)
class Places:
    """Where things are: the transport and the URL of the upstream, the URL below which the mirror's repositories are,
    both registries, and the public address ("": as shipped)."""

    transport: str
    upstream: str
    mirror: str
    public: ImageRegistry
    local: ImageRegistry
    site: str = ""


def nearby_config(folder: Path, places: Places) -> Path:
    """The configuration in a new folder below `folder`; its public images are pushed."""
    config = folder / "config"
    shutil.copytree(REPOSITORY / "config", config)
    for path in config.rglob("*.yaml"):
        text = path.read_text()
        text = text.replace("publicRegistries: [docker.io,", f'publicRegistries: ["{places.public.host}",')
        text = text.replace("docker.io/", f"{places.public.host}/").replace("127.0.0.1:5000", places.local.host)
        text = re.sub(r"ssh://\S+/agentrun\.git", places.upstream.replace("hwlab.git", "agentrun.git"), text)
        text = re.sub(r"ssh://\S+/HWLAB\.git", places.upstream, text).replace("mode: ssh", f"mode: {places.transport}")
        path.write_text(text.replace("http://git-mirror.devops-infra.svc:8080", places.mirror))
    if places.site:
        _with_site(config / _LANES, places.site)
    for tools in (config / "deploy" / "ci").iterdir():
        tools.write_text("FROM scratch\nCOPY hwlab-ci-node-tools.Dockerfile /\n")
    for image in re.findall(rf"source: {places.public.host}/(\S+)", (config / _NODES).read_text()):
        push_small_image(places.public, *image.rsplit(":", 1))
    return config


def _with_site(lanes: Path, site: str) -> None:
    """The gate asks `site`, and which commit answers; nobody answers at the old port, so it is not asked."""
    text = _DIAGNOSTIC.sub("", lanes.read_text())
    text = text.replace(f"- url: {_SITE}/health", f"- url: {_SITE}/health\n            provenance: commit")
    lanes.write_text(text.replace(_SITE, site))


def make_volumes(api: Api) -> None:
    """What the local-path provisioner of k3s would do, by hand: a class that binds late, and volumes to bind."""
    name = "local-path"
    storage_class = {
        "metadata": {"name": name},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    api.create("/apis/storage.k8s.io/v1/storageclasses", storage_class)
    for number in range(10):
        spec = {
            "capacity": {"storage": "500Gi"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "storageClassName": name,
            "hostPath": {"path": f"/volumes/{number}"},
        }
        api.create("/api/v1/persistentvolumes", {"metadata": {"name": f"volume-{number}"}, "spec": spec})
