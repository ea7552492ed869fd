"""RegistryImage built by the real builders and pushed to a real registry."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from planner.errors import PermanentError, PreconditionError
from planner.ports import PreviewEffect
from providers.images.image_reference import parse_image_reference
from providers.images.provider import RegistryImageProvider
from providers.images.registry_client import RegistryClient
from tests.integration.images.making import change_of, converge, plan, resource
from tests.testbed.errors import PartMissing
from tests.testbed.fixtures import part
from tests.testbed.image_registry import ImageRegistry


def builders() -> list[str]:
    """Docker only where an engine answers: elsewhere its run is not collected at all."""
    reachable = os.environ.get("DOCKER_HOST") or Path("/var/run/docker.sock").exists()
    if not reachable or shutil.which("docker") is None:
        return ["buildah"]
    asked = subprocess.run(
        ["docker", "version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
    )
    return ["buildah", "docker"] if asked.returncode == 0 else ["buildah"]


@pytest.mark.parametrize("builder", builders())
def test_build_and_push(target: ImageRegistry, tmp_path: Path, builder: str) -> None:
    with part():
        if shutil.which(builder) is None:
            raise PartMissing(f"{builder} is not installed")
    context = tmp_path / "images" / "tools"
    context.mkdir(parents=True)
    build = {
        "context": "images/tools",
        "dockerfile": "Dockerfile",
        "args": {"WHO": "somebody else"},
        "builder": builder,
    }
    wanted = resource(target=f"{target.host}/own/{builder}:1", build=build)
    preview, _ = plan(RegistryImageProvider(tmp_path), wanted)
    assert "no such Dockerfile" in preview.blocked
    (context / "Dockerfile").write_text("FROM scratch\nARG WHO\nLABEL who=$WHO\nCOPY hello /hello\n")
    (context / "hello").write_text("hello\n")
    converge(wanted, tmp_path)
    assert labels(target, f"own/{builder}:1")["who"] == "somebody else"
    os.utime(context / "hello", (1, 1))
    before = len(target.requests())
    assert plan(RegistryImageProvider(tmp_path), wanted)[0].effect is PreviewEffect.NONE
    assert [method for method, _, _ in target.requests(before)] == ["HEAD"]
    (context / "hello").write_text("good bye\n")
    provider = RegistryImageProvider(tmp_path)
    preview, precondition = plan(provider, wanted)
    assert (preview.effect, str(preview.fields[0].path[0])) == (PreviewEffect.UPDATE, "build")
    (context / "hello").write_text("changed since\n")
    with pytest.raises(PreconditionError, match="build context"):
        provider.apply(change_of(wanted, preview, precondition), {})
    (context / "Dockerfile").write_text("FROM scratch\nCOPY missing /x\n")
    provider = RegistryImageProvider(tmp_path)
    with pytest.raises(PermanentError, match=r"(STEP|Step) 2/2 ?: COPY missing|#\d+ \[") as caught:
        provider.apply(change_of(wanted, *plan(provider, wanted)), {})
    (log,) = (tmp_path / "cache" / "hwplan" / "builds").iterdir()
    assert str(log) in caught.value.remedy
    assert "COPY missing" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def labels(registry: ImageRegistry, name: str) -> dict[str, str]:
    image = parse_image_reference(f"{registry.host}/{name}")
    store = RegistryClient(registry.host)
    manifest = store.manifest(image)
    assert manifest is not None
    with store.open_blob(image, manifest.parts[0]) as pieces:
        found: dict[str, str] = json.loads(b"".join(pieces))["config"]["Labels"]
    return found
