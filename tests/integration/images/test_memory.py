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
