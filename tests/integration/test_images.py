"""RegistryImage against two real registries, a builder, a bad network and a hostile registry."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.address import Address
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, ProviderError, TemporaryError
from planner.plan import Action, Change, Precondition
from planner.ports import Absent, Effect, Present, Preview, Unreadable, Written
from planner.resource import Resource
from planner.source import SourceRef
from planner.values import Ref
from providers.images.copying import Place, copy
from providers.images.credentials import DockerCredentials
from providers.images.layout import Layout
from providers.images.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, read_manifest
from providers.images.provider import ImageProvider
from providers.images.reference import Reference, parse_reference
from providers.images.registry import Registry
from providers.sandbox.layout import create_layout
from providers.web.retrying import Retries
from tests.testbed import image_registry
from tests.testbed.errors import PartMissing
from tests.testbed.fixtures import part
from tests.testbed.image_registry import HostileRegistry, ImageRegistry, Reply, Seen
from tests.testbed.proxy import FaultProxy, Faults

ADDRESS = Address.parse("RegistryImage/base")
SOON = Retries(tries=4, sleep=lambda _: None)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    with part(), image_registry.running(tmp_path_factory.mktemp("source")) as registry:
        yield registry


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    with part(), image_registry.running(tmp_path_factory.mktemp("target")) as registry:
        yield registry


# --- making images -----------------------------------------------------------------------------------------------


def put_blob(store: Registry, image: Reference, data: bytes, media_type: str) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    descriptor = Descriptor(media_type, digest, len(data))
    store.write_blob(image, descriptor, lambda: nullcontext([data]))
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def image_of(store: Registry, image: Reference, machine: str, layer: bytes) -> bytes:
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
    image = parse_reference(f"{host}/{name}")
    store = Registry(host)
    entries = []
    for machine in ("amd64", "arm64", "s390x"):
        child = read_manifest(image_of(store, image, machine, gzip.compress(f"{machine}{salt}".encode() * 1000)))
        store.write_manifest(image.by_digest(child.digest), child)
        platform = {"os": "linux", "architecture": machine}
        size = len(child.data)
        entries.append({"mediaType": OCI_MANIFEST, "digest": child.digest, "size": size, "platform": platform})
    index = read_manifest(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode())
    store.write_manifest(image, index)
    return index.digest


# --- planning and applying ---------------------------------------------------------------------------------------


def resource(**spec: Any) -> Resource:
    manifest = {
        "apiVersion": "hwplan.dev/v1",
        "kind": "RegistryImage",
        "metadata": {"name": "base"},
        "spec": spec,
    }
    return Resource(ADDRESS, "hwplan.dev/v1", manifest, "set", "infra", SourceRef("test.yaml"))


def plan(provider: ImageProvider, wanted: Resource) -> tuple[Preview, Precondition]:
    seen = provider.read([wanted], (), ()).observations[ADDRESS]
    assert not isinstance(seen, Unreadable), seen
    preview = provider.preview([(wanted, seen)])[ADDRESS]
    return preview, seen.precondition if isinstance(seen, Present) else Precondition(absent=True)


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
    provider = ImageProvider(folder, sandbox)
    preview, precondition = plan(provider, wanted)
    assert preview.effect is not Effect.NONE
    assert not preview.blocked
    change = change_of(wanted, preview, precondition)
    written = provider.apply(change, {})
    assert not written.already
    assert provider.apply(change, {}).already
    again, _ = plan(ImageProvider(folder, sandbox), wanted)
    assert again.effect is Effect.NONE
    if "digest" in preview.outputs:
        assert preview.outputs["digest"] == written.outputs["digest"]
    return written


def stored(registry: ImageRegistry, name: str) -> str:
    image = parse_reference(f"{registry.host}/{name}")
    return Registry(registry.host).digest(image)


# --- copies ------------------------------------------------------------------------------------------------------


def test_an_index_is_copied_byte_for_byte(source: ImageRegistry, target: ImageRegistry, tmp_path: Path) -> None:
    digest = put_index(source.host, "copy/whole:1")
    wanted = resource(source=f"{source.host}/copy/whole:1", target=f"{target.host}/own/whole:1", platforms=["all"])
    written = converge(wanted, tmp_path)
    assert written.outputs == {"digest": digest, "registryTagPresent": True}
    raw = [
        Registry(one.host).manifest(parse_reference(f"{one.host}/{name}:1"))
        for one, name in ((source, "copy/whole"), (target, "own/whole"))
    ]
    assert raw[0] == raw[1]


def test_one_platform_and_several(source: ImageRegistry, target: ImageRegistry, tmp_path: Path) -> None:
    put_index(source.host, "copy/some:1")
    origin = f"{source.host}/copy/some:1"
    index = Registry(source.host).manifest(parse_reference(origin))
    assert index is not None
    one = converge(resource(source=origin, target=f"{target.host}/own/one:1", platforms=["linux/arm64"]), tmp_path)
    assert one.outputs["digest"] == index.parts[1].digest
    converge(
        resource(source=origin, target=f"{target.host}/own/two:1", platforms=["linux/s390x", "linux/amd64"]), tmp_path
    )
    subset = Registry(target.host).manifest(parse_reference(f"{target.host}/own/two:1"))
    assert subset is not None
    assert [part.platform for part in subset.parts] == ["linux/amd64", "linux/s390x"]


def test_nothing_to_do_costs_one_head_for_each_side(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    put_index(source.host, "copy/quiet:1")
    wanted = resource(source=f"{source.host}/copy/quiet:1", target=f"{target.host}/own/quiet:1", platforms=["all"])
    converge(wanted, tmp_path)
    before = len(source.requests()), len(target.requests())
    preview, _ = plan(ImageProvider(tmp_path), wanted)
    assert preview.effect is Effect.NONE
    assert [method for method, _, _ in source.requests(before[0])] == ["HEAD"]
    assert [method for method, _, _ in target.requests(before[1])] == ["HEAD"]


def test_a_missing_platform_and_a_missing_source_block(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    put_index(source.host, "copy/lacks:1")
    lacking = resource(
        source=f"{source.host}/copy/lacks:1", target=f"{target.host}/own/lacks:1", platforms=["linux/riscv64"]
    )
    preview, _ = plan(ImageProvider(tmp_path), lacking)
    assert "linux/riscv64" in preview.blocked
    assert "linux/amd64" in preview.remedy
    gone = resource(source=f"{source.host}/copy/lacks:2", target=f"{target.host}/own/lacks:1", platforms=["all"])
    preview, _ = plan(ImageProvider(tmp_path), gone)
    assert "no such image" in preview.blocked


def test_an_image_without_an_index_has_to_be_for_the_platform(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    image = parse_reference(f"{source.host}/copy/plain:1")
    store = Registry(source.host)
    store.write_manifest(image, read_manifest(image_of(store, image, "arm64", gzip.compress(b"plain"))))
    wrong = resource(source=str(image), target=f"{target.host}/own/plain:1")
    preview, _ = plan(ImageProvider(tmp_path), wrong)
    assert "linux/arm64" in preview.blocked
    right = resource(source=str(image), target=f"{target.host}/own/plain:1", platforms=["linux/arm64"])
    converge(right, tmp_path)


def test_what_the_plan_named_is_copied_though_the_tag_moved(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    first = put_index(source.host, "copy/moves:1")
    wanted = resource(source=f"{source.host}/copy/moves:1", target=f"{target.host}/own/moves:1", platforms=["all"])
    provider = ImageProvider(tmp_path)
    change = change_of(wanted, *plan(provider, wanted))
    second = put_index(source.host, "copy/moves:1", salt="moved")
    assert first != second
    assert provider.apply(change, {}).outputs["digest"] == first
    gone = replace(change, expects="sha256:" + "0" * 64, precondition=Precondition(content=first))
    with pytest.raises(PreconditionError, match="no longer"):
        provider.apply(gone, {})
    update, precondition = plan(ImageProvider(tmp_path), wanted)
    assert (update.effect, update.fields[0].before, update.fields[0].after) == (Effect.UPDATE, first, second)
    assert precondition.content == first


def test_a_target_that_moved_is_refused(source: ImageRegistry, target: ImageRegistry, tmp_path: Path) -> None:
    put_index(source.host, "copy/race:1")
    wanted = resource(source=f"{source.host}/copy/race:1", target=f"{target.host}/own/race:1", platforms=["all"])
    provider = ImageProvider(tmp_path)
    change = change_of(wanted, *plan(provider, wanted))
    theirs = put_index(target.host, "own/race:1", salt="theirs")
    with pytest.raises(PreconditionError, match="not what the plan saw"):
        provider.apply(change, {})
    assert stored(target, "own/race:1") == theirs


def test_blobs_are_mounted_within_one_registry(source: ImageRegistry, tmp_path: Path) -> None:
    put_index(source.host, "copy/mount:1", salt="mount")
    since = len(source.requests())
    wanted = resource(source=f"{source.host}/copy/mount:1", target=f"{source.host}/mounted/here:1", platforms=["all"])
    converge(wanted, tmp_path)
    asked = source.requests(since)
    mounts = [status for method, path, status in asked if method == "POST" and "mount=" in path]
    assert mounts == [201] * 6
    assert not [path for method, path, _ in asked if method == "GET" and "/blobs/" in path]


def test_targets_that_are_not_known_yet(target: ImageRegistry, tmp_path: Path) -> None:
    ref = Ref(Address.parse("GitHead/source"), "short")
    provider = ImageProvider(tmp_path)
    wanted = resource(source=ref, target=f"{target.host}/own/later:1")
    seen = provider.read([wanted], (), ()).observations[ADDRESS]
    assert isinstance(seen, Absent)
    preview = provider.preview([(wanted, seen)])[ADDRESS]
    assert (preview.effect, preview.expects, preview.fields[0].after) == (Effect.CREATE, "", ref)


def test_an_unreachable_registry_is_unreadable(source: ImageRegistry, tmp_path: Path) -> None:
    put_index(source.host, "copy/alone:1")
    wanted = resource(source=f"{source.host}/copy/alone:1", target="127.0.0.1:1/own/x:1", platforms=["all"])
    seen = ImageProvider(tmp_path).read([wanted], (), ()).observations[ADDRESS]
    assert isinstance(seen, Unreadable)
    assert "127.0.0.1:1" in seen.reason


# --- builds ------------------------------------------------------------------------------------------------------


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
def test_build_and_push(target: ImageRegistry, tmp_path: Path, builder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with part():
        if shutil.which(builder) is None:
            raise PartMissing(f"{builder} is not installed")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    context = tmp_path / "images" / "tools"
    context.mkdir(parents=True)
    build = {
        "context": "images/tools",
        "dockerfile": "Dockerfile",
        "args": {"WHO": "somebody else"},
        "builder": builder,
    }
    wanted = resource(target=f"{target.host}/own/{builder}:1", build=build)
    preview, _ = plan(ImageProvider(tmp_path), wanted)
    assert "no such Dockerfile" in preview.blocked
    (context / "Dockerfile").write_text("FROM scratch\nARG WHO\nLABEL who=$WHO\nCOPY hello /hello\n")
    (context / "hello").write_text("hello\n")
    converge(wanted, tmp_path)
    assert labels(target, f"own/{builder}:1")["who"] == "somebody else"
    os.utime(context / "hello", (1, 1))
    assert plan(ImageProvider(tmp_path), wanted)[0].effect is Effect.NONE
    (context / "hello").write_text("good bye\n")
    provider = ImageProvider(tmp_path)
    preview, precondition = plan(provider, wanted)
    assert (preview.effect, str(preview.fields[0].path[0])) == (Effect.UPDATE, "build")
    (context / "hello").write_text("changed since\n")
    with pytest.raises(PreconditionError, match="build context"):
        provider.apply(change_of(wanted, preview, precondition), {})
    (context / "Dockerfile").write_text("FROM scratch\nCOPY missing /x\n")
    provider = ImageProvider(tmp_path)
    with pytest.raises(PermanentError, match=r"(STEP|Step) 2/2 ?: COPY missing|#\d+ \[") as caught:
        provider.apply(change_of(wanted, *plan(provider, wanted)), {})
    (log,) = (tmp_path / "cache" / "hwplan" / "builds").iterdir()
    assert str(log) in caught.value.remedy
    assert "COPY missing" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def labels(registry: ImageRegistry, name: str) -> dict[str, str]:
    image = parse_reference(f"{registry.host}/{name}")
    store = Registry(registry.host)
    manifest = store.manifest(image)
    assert manifest is not None
    with store.open_blob(image, manifest.parts[0]) as pieces:
        found: dict[str, str] = json.loads(b"".join(pieces))["config"]["Labels"]
    return found


# --- a sandbox ---------------------------------------------------------------------------------------------------


def test_the_sandbox_stands_in_for_every_registry(tmp_path: Path) -> None:
    sandbox = tmp_path / "sandbox"
    pinned = "quay.io/a/b:1@sha256:" + "5" * 64
    create_layout(sandbox / "registry", ["docker.io/library/alpine:3.20", pinned])
    copied = resource(source="docker.io/library/alpine:3.20", target="127.0.0.1:5000/hwlab/alpine:3.20")
    converge(copied, tmp_path, sandbox)
    converge(resource(source=pinned, target="127.0.0.1:5000/hwlab/b:1"), tmp_path, sandbox)
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text("FROM docker.io/library/alpine:3.20\n")
    build = {"context": "context", "dockerfile": "Dockerfile"}
    made = converge(resource(target="127.0.0.1:5000/hwlab/tools:1", build=build), tmp_path, sandbox)
    assert "simulated" in made.warnings[0]
    absent = resource(source="docker.io/library/none:1", target="127.0.0.1:5000/hwlab/none:1")
    assert "no such image" in plan(ImageProvider(tmp_path, sandbox), absent)[0].blocked


def test_many_threads_write_one_layout(tmp_path: Path) -> None:
    create_layout(tmp_path / "registry", ["docker.io/library/alpine:3.20"])
    names = [f"127.0.0.1:5000/own/copy:{number}" for number in range(24)]
    provider = ImageProvider(tmp_path, tmp_path)
    errors: list[Exception] = []

    def one(name: str) -> None:
        try:
            wanted = resource(source="docker.io/library/alpine:3.20", target=name)
            provider.apply(change_of(wanted, Preview(Effect.CREATE), Precondition(absent=True)), {})
        except Exception as error:  # what any thread met is judged below
            errors.append(error)

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    layout = Layout(tmp_path / "registry")
    assert all(layout.digest(parse_reference(name)) for name in names)


# --- a bad network -----------------------------------------------------------------------------------------------

LAYER = 400_000


@pytest.mark.parametrize("after", [0, 60, 400, 1500, 3000, 100_000, LAYER, LAYER + 1500])
def test_a_connection_cut_while_uploading(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path, after: int
) -> None:
    """Cut after that many bytes towards the target, twice; then the network is well."""
    name = f"cut/up{after}"
    put_big(source, f"{name}:1")
    with FaultProxy("127.0.0.1", target.port, Faults(reset_after_up=after, count=2)) as proxy:
        through(proxy, source, f"{name}:1", tmp_path)
    assert stored(target, f"{name}:1") == stored(source, f"{name}:1")


@pytest.mark.parametrize("after", [0, 100, 300, 700, 1200])
def test_an_answer_lost_while_uploading(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path, after: int
) -> None:
    """Cut after that many bytes from the target, twice; then the network is well."""
    name = f"cut/down{after}"
    put_big(source, f"{name}:1")
    with FaultProxy("127.0.0.1", target.port, Faults(reset_after=after, count=2)) as proxy:
        through(proxy, source, f"{name}:1", tmp_path)
    assert stored(target, f"{name}:1") == stored(source, f"{name}:1")


def put_big(source: ImageRegistry, name: str) -> None:
    image = parse_reference(f"{source.host}/{name}")
    store = Registry(source.host)
    layer = hashlib.shake_128(name.encode()).digest(LAYER)
    store.write_manifest(image, read_manifest(image_of(store, image, "amd64", layer)))


def through(proxy: FaultProxy, source: ImageRegistry, name: str, folder: Path) -> None:
    """What the executor does: plan, apply, and apply again after an error that is worth it."""
    wanted = resource(source=f"{source.host}/{name}", target=f"127.0.0.1:{proxy.port}/{name}")
    expects = stored(source, name)
    change = change_of(wanted, Preview(Effect.CREATE, expects=expects), Precondition(absent=True))
    for _ in range(6):
        try:
            ImageProvider(folder).apply(change, {})
            return
        except (TemporaryError, OutcomeUnknown):
            continue
    raise AssertionError("the copy never ended")


# --- a hostile registry ------------------------------------------------------------------------------------------

TOKEN = "canary-token"


@pytest.fixture
def hostile() -> Iterator[HostileRegistry]:
    with HostileRegistry() as registry:
        yield registry


@pytest.fixture
def elsewhere() -> Iterator[HostileRegistry]:
    """A listener that must not see a credential."""
    with HostileRegistry() as registry:
        yield registry
        assert not [seen for seen in registry.seen if "authorization" in seen.headers]


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


def test_from_a_registry_into_a_layout(source: ImageRegistry, tmp_path: Path) -> None:
    put_index(source.host, "copy/out:1")
    create_layout(tmp_path / "layout", [])
    origin = Place(Registry(source.host), parse_reference(f"{source.host}/copy/out:1"))
    aim = Place(Layout(tmp_path / "layout"), parse_reference("127.0.0.1:5000/own/out:1"))
    root = origin.store.manifest(origin.image)
    assert root is not None
    copy(origin, root, aim, lambda _: None)
    assert aim.store.manifest(aim.image) == root
    assert all(aim.store.manifest(aim.image.by_digest(child.digest)) for child in root.parts)


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


# --- memory ------------------------------------------------------------------------------------------------------

_CHILD = """
import sys
from pathlib import Path
from providers.images.copying import Place, copy
from providers.images.layout import Layout
from providers.images.reference import parse_reference
from providers.images.registry import Registry

def peak():  # not getrusage, whose figure begins with that of the parent
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


host, folder, name = sys.argv[1:]
image = parse_reference(f"{host}/{name}")
origin, aim = Place(Layout(Path(folder)), image), Place(Registry(host), image)
root = origin.store.sole()
aim.store.digest(image)
before = peak()
copy(origin, root, aim, lambda _: None)
copy(aim, root, Place(Layout(Path(folder)), image), lambda _: None)
print((peak() - before) // 1024)
"""


def test_memory_stays_flat_for_a_large_layer(target: ImageRegistry, tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    large_layout(folder, 256 << 20)
    argv = [sys.executable, "-c", _CHILD, target.host, str(folder), "large/layer:1"]
    grown = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=240).stdout
    assert int(grown) < 64
    shutil.rmtree(target.folder / "data" / "docker" / "registry" / "v2" / "repositories" / "large")


def large_layout(folder: Path, size: int) -> None:
    """A layout with one image whose one layer is `size` zero bytes, sparse on disk."""
    create_layout(folder, ["placeholder"])
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
