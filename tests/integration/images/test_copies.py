"""RegistryImage against two real registries: copies by digest, what a plan costs, and a sandbox."""

import gzip
import shutil
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from planner.address import Address
from planner.errors import PreconditionError
from planner.plan import Precondition
from planner.ports import AbsentObject, Preview, PreviewEffect, UnreadableObject
from planner.values import OutputRef
from providers.images.copy_image import ImageLocation, copy_image
from providers.images.image_manifest import parse_image_manifest
from providers.images.image_reference import parse_image_reference
from providers.images.oci_layout import OciLayout
from providers.images.provider import RegistryImageProvider
from providers.images.registry_client import RegistryClient
from providers.simulated_images import write_simulated_images
from tests.integration.images.making import (
    ADDRESS,
    change_of,
    converge,
    image_of,
    plan,
    put_index,
    resource,
    stored,
)
from tests.testbed.errors import PartMissing
from tests.testbed.fixtures import part
from tests.testbed.image_registry import ImageRegistry


def test_an_index_is_copied_byte_for_byte(source: ImageRegistry, target: ImageRegistry, tmp_path: Path) -> None:
    digest = put_index(source.host, "copy/whole:1")
    wanted = resource(source=f"{source.host}/copy/whole:1", target=f"{target.host}/own/whole:1", platforms=["all"])
    written = converge(wanted, tmp_path)
    assert written.outputs == {"digest": digest, "registryTagPresent": True}
    raw = [
        RegistryClient(one.host).manifest(parse_image_reference(f"{one.host}/{name}:1"))
        for one, name in ((source, "copy/whole"), (target, "own/whole"))
    ]
    assert raw[0] == raw[1]


def test_one_platform_and_several(source: ImageRegistry, target: ImageRegistry, tmp_path: Path) -> None:
    put_index(source.host, "copy/some:1")
    origin = f"{source.host}/copy/some:1"
    index = RegistryClient(source.host).manifest(parse_image_reference(origin))
    assert index is not None
    one = converge(resource(source=origin, target=f"{target.host}/own/one:1", platforms=["linux/arm64"]), tmp_path)
    assert one.outputs["digest"] == index.parts[1].digest
    converge(
        resource(source=origin, target=f"{target.host}/own/two:1", platforms=["linux/s390x", "linux/amd64"]), tmp_path
    )
    subset = RegistryClient(target.host).manifest(parse_image_reference(f"{target.host}/own/two:1"))
    assert subset is not None
    assert [part.platform for part in subset.parts] == ["linux/amd64", "linux/s390x"]


@pytest.mark.parametrize("platforms", [["all"], ["linux/amd64"], ["linux/amd64", "linux/s390x"]])
def test_nothing_to_do_costs_one_head_for_each_side(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path, platforms: list[str]
) -> None:
    name = f"quiet/{len(platforms)}{platforms[0][:1]}:1"
    put_index(source.host, name)
    wanted = resource(source=f"{source.host}/{name}", target=f"{target.host}/own/{name}", platforms=platforms)
    converge(wanted, tmp_path)
    before = len(source.requests()), len(target.requests())
    preview, _ = plan(RegistryImageProvider(tmp_path), wanted)
    assert preview.effect is PreviewEffect.NONE
    assert [method for method, _, _ in source.requests(before[0])] == ["HEAD"]
    assert [method for method, _, _ in target.requests(before[1])] == ["HEAD"]


def test_what_is_remembered_is_worth_nothing_when_the_tag_moved(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    put_index(source.host, "quiet/moves:1")
    wanted = resource(source=f"{source.host}/quiet/moves:1", target=f"{target.host}/own/quiet-moves:1")
    converge(wanted, tmp_path)
    moved = put_index(source.host, "quiet/moves:1", salt="moved")
    preview, _ = plan(RegistryImageProvider(tmp_path), wanted)
    assert preview.effect is PreviewEffect.UPDATE
    for file in (tmp_path / "cache" / "hwplan" / "images").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        file.write_bytes(file.read_bytes().replace(b"linux", b"plan9"))
    assert plan(RegistryImageProvider(tmp_path), wanted)[0] == preview
    index = RegistryClient(source.host).manifest(parse_image_reference(f"{source.host}/quiet/moves@{moved}"))
    assert index is not None and preview.expects == index.parts[0].digest


def test_a_missing_platform_and_a_missing_source_block(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    put_index(source.host, "copy/lacks:1")
    lacking = resource(
        source=f"{source.host}/copy/lacks:1", target=f"{target.host}/own/lacks:1", platforms=["linux/riscv64"]
    )
    preview, _ = plan(RegistryImageProvider(tmp_path), lacking)
    assert "linux/riscv64" in preview.blocked
    assert "linux/amd64" in preview.remedy
    gone = resource(source=f"{source.host}/copy/lacks:2", target=f"{target.host}/own/lacks:1", platforms=["all"])
    preview, _ = plan(RegistryImageProvider(tmp_path), gone)
    assert "no such image" in preview.blocked


def test_an_image_without_an_index_has_to_be_for_the_platform(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    image = parse_image_reference(f"{source.host}/copy/plain:1")
    store = RegistryClient(source.host)
    store.write_manifest(image, parse_image_manifest(image_of(store, image, "arm64", gzip.compress(b"plain"))))
    wrong = resource(source=str(image), target=f"{target.host}/own/plain:1")
    preview, _ = plan(RegistryImageProvider(tmp_path), wrong)
    assert "linux/arm64" in preview.blocked
    right = resource(source=str(image), target=f"{target.host}/own/plain:1", platforms=["linux/arm64"])
    converge(right, tmp_path)


def test_what_the_plan_named_is_copied_though_the_tag_moved(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path
) -> None:
    first = put_index(source.host, "copy/moves:1")
    wanted = resource(source=f"{source.host}/copy/moves:1", target=f"{target.host}/own/moves:1", platforms=["all"])
    provider = RegistryImageProvider(tmp_path)
    change = change_of(wanted, *plan(provider, wanted))
    second = put_index(source.host, "copy/moves:1", salt="moved")
    assert first != second
    assert provider.apply(change, {}).outputs["digest"] == first
    gone = replace(change, expects="sha256:" + "0" * 64, precondition=Precondition(content=first))
    with pytest.raises(PreconditionError, match="no longer"):
        provider.apply(gone, {})
    update, precondition = plan(RegistryImageProvider(tmp_path), wanted)
    assert (update.effect, update.fields[0].before, update.fields[0].after) == (PreviewEffect.UPDATE, first, second)
    assert precondition.content == first


def test_a_target_that_moved_is_refused(source: ImageRegistry, target: ImageRegistry, tmp_path: Path) -> None:
    put_index(source.host, "copy/race:1")
    wanted = resource(source=f"{source.host}/copy/race:1", target=f"{target.host}/own/race:1", platforms=["all"])
    provider = RegistryImageProvider(tmp_path)
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
    ref = OutputRef(Address.parse("GitHead/source"), "short")
    provider = RegistryImageProvider(tmp_path)
    wanted = resource(source=ref, target=f"{target.host}/own/later:1")
    seen = provider.read([wanted], (), ()).observations[ADDRESS]
    assert isinstance(seen, AbsentObject)
    preview = provider.preview([(wanted, seen)])[ADDRESS]
    assert (preview.effect, preview.expects, preview.fields[0].after) == (PreviewEffect.CREATE, "", ref)


def test_an_unreachable_registry_is_unreadable(source: ImageRegistry, tmp_path: Path) -> None:
    put_index(source.host, "copy/alone:1")
    wanted = resource(source=f"{source.host}/copy/alone:1", target="127.0.0.1:1/own/x:1", platforms=["all"])
    seen = RegistryImageProvider(tmp_path).read([wanted], (), ()).observations[ADDRESS]
    assert isinstance(seen, UnreadableObject)
    assert "127.0.0.1:1" in seen.reason


def test_from_a_registry_into_a_layout(source: ImageRegistry, tmp_path: Path) -> None:
    put_index(source.host, "copy/out:1")
    write_simulated_images(tmp_path / "layout", [])
    origin = ImageLocation(RegistryClient(source.host), parse_image_reference(f"{source.host}/copy/out:1"))
    aim = ImageLocation(OciLayout(tmp_path / "layout"), parse_image_reference("127.0.0.1:5000/own/out:1"))
    root = origin.store.manifest(origin.image)
    assert root is not None
    copy_image(origin, root, aim, lambda _: None)
    assert aim.store.manifest(aim.image) == root
    assert all(aim.store.manifest(aim.image.by_digest(child.digest)) for child in root.parts)


def test_the_sandbox_stands_in_for_every_registry(tmp_path: Path) -> None:
    sandbox = tmp_path / "sandbox"
    pinned = "quay.io/a/b:1@sha256:" + "5" * 64
    write_simulated_images(sandbox / "registry", ["docker.io/library/alpine:3.20", pinned])
    copied = resource(source="docker.io/library/alpine:3.20", target="127.0.0.1:5000/hwlab/alpine:3.20")
    converge(copied, tmp_path, sandbox)
    converge(resource(source=pinned, target="127.0.0.1:5000/hwlab/b:1"), tmp_path, sandbox)
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text("FROM docker.io/library/alpine:3.20\n")
    build = {"context": "context", "dockerfile": "Dockerfile"}
    made = converge(resource(target="127.0.0.1:5000/hwlab/tools:1", build=build), tmp_path, sandbox)
    assert "simulated" in made.warnings[0]
    absent = resource(source="docker.io/library/none:1", target="127.0.0.1:5000/hwlab/none:1")
    assert "no such image" in plan(RegistryImageProvider(tmp_path, sandbox), absent)[0].blocked


def test_many_threads_write_one_layout(tmp_path: Path) -> None:
    write_simulated_images(tmp_path / "registry", ["docker.io/library/alpine:3.20"])
    names = [f"127.0.0.1:5000/own/copy:{number}" for number in range(24)]
    provider = RegistryImageProvider(tmp_path, tmp_path)
    errors: list[Exception] = []

    def one(name: str) -> None:
        try:
            wanted = resource(source="docker.io/library/alpine:3.20", target=name)
            provider.apply(change_of(wanted, Preview(PreviewEffect.CREATE), Precondition(absent=True)), {})
        except Exception as error:  # what any thread met is judged below
            errors.append(error)

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    layout = OciLayout(tmp_path / "registry")
    assert all(layout.digest(parse_image_reference(name)) for name in names)


def test_from_a_layout_of_the_configuration_folder(target: ImageRegistry, tmp_path: Path) -> None:
    """`skopeo copy ... oci:FOLDER:NAME` makes such a folder."""
    write_simulated_images(tmp_path / "layouts" / "two", ["first", "second"])
    name = f"{target.host}/own/from-layout:1"
    written = converge(resource(source="oci:layouts/two:second", target=name), tmp_path)
    assert written.outputs["digest"] == stored(target, "own/from-layout:1")
    for odd, message in (
        ("oci:layouts/two", "more than one such image"),
        ("oci:layouts/two:third", "no such image"),
        ("oci:layouts/none:1", "no proper index.json"),
    ):
        preview, _ = plan(RegistryImageProvider(tmp_path), resource(source=odd, target=name))
        assert message in preview.blocked
        assert str(tmp_path) not in f"{preview}"
    (tmp_path / "layouts" / "out").symlink_to("/")
    preview, _ = plan(RegistryImageProvider(tmp_path), resource(source="oci:layouts/out:1", target=name))
    assert "outside of the configuration folder" in preview.blocked


def test_what_skopeo_wrote_is_a_source(source: ImageRegistry, target: ImageRegistry, tmp_path: Path) -> None:
    with part():
        if shutil.which("skopeo") is None:
            raise PartMissing("skopeo is not installed (Debian package skopeo)")
    digest = put_index(source.host, "copy/skopeo:1")
    argv = ["skopeo", "copy", "--all", "--preserve-digests", "--src-tls-verify=false"]
    origin = f"docker://{source.host}/copy/skopeo:1"
    subprocess.run([*argv, origin, f"oci:{tmp_path}/its:1"], check=True, capture_output=True, timeout=60)
    wanted = resource(source="oci:its:1", target=f"{target.host}/own/skopeo:1", platforms=["all"])
    assert converge(wanted, tmp_path).outputs["digest"] == digest
