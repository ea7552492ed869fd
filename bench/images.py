"""`python -m bench.images [MEGABYTES [ROUNDS]]`: copying an image with one large layer, against `skopeo copy`.

Both copy in turn (A B A B ...) from one docker-registry to an empty one on this machine, each as a whole process.
Prints medians, peak resident memory and the speed against skopeo's. Leaves with 1 when the speed is below 0.8 of it, or
when memory is not flat: a tenth of the layer more makes no difference.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.timing import Figure, Run, in_turn
from providers.images.copy_image import ImageLocation, copy_image
from providers.images.image_reference import parse_image_reference
from providers.images.oci_layout import OciLayout
from providers.images.registry_client import RegistryClient
from providers.simulated_images import write_simulated_images
from tests.testbed import image_registry, scratch

_OURS = """
import sys
from providers.images.copy_image import ImageLocation, copy_image
from providers.images.image_reference import parse_image_reference
from providers.images.registry_client import RegistryClient
images = [ImageLocation(RegistryClient(image.host), image) for image in map(parse_image_reference, sys.argv[1:])]
root = images[0].store.manifest(images[0].image)
copy_image(images[0], root, images[1], lambda now: None)
"""
_NAME = "bench/large:1"
_SLOWEST = 0.8  # of skopeo's speed
_GROWN = 16  # megabytes that a ten times larger layer may cost more, measuring noise included


def main() -> int:
    """Run it. Leaves with 0 when both goals hold."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 2048
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with scratch.folder() as folder, image_registry.running(folder / "source") as source:
        small, large = f"{source.host}/bench/small:1", f"{source.host}/{_NAME}"
        for name, size in ((small, megabytes // 10), (large, megabytes)):
            _push(folder / "layout", max(size, 1) << 20, name)
            shutil.rmtree(folder / "layout")
        little = _ours(folder, small)
        figures = in_turn({"hwplan": lambda: _ours(folder, large), "skopeo": lambda: _skopeo(folder, large)}, rounds)
    return _told(megabytes, rounds, figures, figures["hwplan"].megabytes - little.megabytes)


def _told(megabytes: int, rounds: int, figures: dict[str, Figure], grown: float) -> int:
    print(f"| copy of one {megabytes} MB layer, {rounds} rounds | seconds (median) | peak RSS |\n|---|---|---|")
    for name, figure in figures.items():
        every = ", ".join(f"{one.seconds:.1f}" for one in figure.runs)
        print(f"| {name} | {figure.seconds:.1f} ({every}) | {figure.megabytes:.0f} MB |")
    speed = figures["skopeo"].seconds / figures["hwplan"].seconds
    fast, flat = speed >= _SLOWEST, grown <= _GROWN
    print(f"\nspeed: {speed:.2f}x of skopeo copy (goal: at least {_SLOWEST}x): {'holds' if fast else 'missed'}")
    reported = f"{grown:+.0f} MB against a layer of a tenth (goal: at most {_GROWN} MB)"
    print(f"memory: {reported}: {'holds' if flat else 'missed'}")
    return 0 if fast and flat else 1


def _ours(folder: Path, origin: str) -> Run:
    with _empty(folder) as target:
        return _run([sys.executable, "-c", _OURS, origin, f"{target.host}/{_NAME}"])


def _skopeo(folder: Path, origin: str) -> Run:
    with _empty(folder) as target:
        plain = ["--src-tls-verify=false", "--dest-tls-verify=false", "--preserve-digests"]
        return _run(["skopeo", "copy", *plain, f"docker://{origin}", f"docker://{target.host}/{_NAME}"])


def _run(argv: Sequence[str]) -> Run:
    """One whole process. Its peak memory is the kernel's own mark, looked at until it ends: rusage would begin with the
    figure of this process."""
    began, peak = time.perf_counter(), 0
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as child:
        while child.poll() is None:
            status = Path(f"/proc/{child.pid}/status").read_text()
            peak = max([peak, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))])
            time.sleep(0.02)
    if child.returncode:
        raise RuntimeError(f"{argv[0]} ended with {child.returncode}")
    return Run(time.perf_counter() - began, peak / 1024, 0)


@contextmanager
def _empty(folder: Path) -> Iterator[image_registry.ImageRegistry]:
    """An empty target registry, whose files go away with it."""
    with image_registry.running(folder / "target") as target:
        yield target
    shutil.rmtree(folder / "target")


def _push(folder: Path, size: int, name: str) -> None:
    write_simulated_images(folder, [name])
    blobs = folder / "blobs" / "sha256"
    hashed = hashlib.sha256()
    with (folder / "layer").open("wb") as handle:
        for _ in range(size >> 20):
            piece = os.urandom(1 << 20)
            hashed.update(piece)
            handle.write(piece)
    (folder / "layer").rename(blobs / hashed.hexdigest())
    entry = json.loads((folder / "index.json").read_bytes())["manifests"][0]
    manifest = json.loads((blobs / entry["digest"].removeprefix("sha256:")).read_bytes())
    manifest["layers"][0] |= {"digest": f"sha256:{hashed.hexdigest()}", "size": size}
    data = json.dumps(manifest).encode()
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    index = {"schemaVersion": 2, "manifests": [{**entry, "digest": f"sha256:{digest}", "size": len(data)}]}
    (folder / "index.json").write_text(json.dumps(index))
    image = parse_image_reference(name)
    layout = OciLayout(folder)
    copy_image(
        ImageLocation(layout, image), layout.sole(), ImageLocation(RegistryClient(image.host), image), lambda _: None
    )


if __name__ == "__main__":
    sys.exit(main())
