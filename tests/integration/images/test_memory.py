"""A large layer passes through a process whose memory does not grow."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.integration.images.making import large_layout
from tests.testbed.image_registry import ImageRegistry

_CHILD = """
import sys
from pathlib import Path
from providers.images.copy_image import ImageLocation, copy_image
from providers.images.oci_layout import OciLayout
from providers.images.image_reference import parse_image_reference
from providers.images.registry_client import RegistryClient

def peak():  # not getrusage, whose figure begins with that of the parent
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


*hosts, folder, name = sys.argv[1:]
first, second = [ImageLocation(RegistryClient(host), parse_image_reference(f"{host}/{name}")) for host in hosts]
layout = ImageLocation(OciLayout(Path(folder)), first.image)
root = layout.store.sole()
first.store.digest(first.image)
before = peak()
copy_image(layout, root, first, lambda _: None)
copy_image(first, root, second, lambda _: None)
print((peak() - before) // 1024)
"""


def test_memory_stays_flat_for_a_large_layer(source: ImageRegistry, target: ImageRegistry, tmp_path: Path) -> None:
    """From a layout to a registry, from there to the other one. `python -m bench.images` does it with 2 GB."""
    folder = tmp_path / "layout"
    large_layout(folder, 256 << 20)
    argv = [sys.executable, "-c", _CHILD, source.host, target.host, str(folder), "large/layer:1"]
    grown = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=240).stdout
    assert int(grown) < 32
    for registry in (source, target):
        shutil.rmtree(registry.folder / "data")
