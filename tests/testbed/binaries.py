"""Builds the Go programs of the testbed, or finds them built, in the user's cache folder.

Owns which programs there are, their versions and build flags, and the layout of the cache. It starts nothing:
that is `processes.py`. The pins are `gomods/*/go.mod` and `go.sum`; a change there gives a new cache folder.
"""

import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.testbed.errors import PartMissing, TestbedError

KUBERNETES_VERSION = "1.36.3"
BUILD_DEADLINE = 45 * 60.0
_GOMODS = Path(__file__).parent / "gomods"
# Read once, at import: tests may redirect HOME, and must not cause a new build by it.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hwplan" / "testbed"


@dataclass(frozen=True, eq=False)
class Tool:
    """One `gomods` folder: pinned Go modules, sources of our own, and the programs that are built from them."""

    name: str
    version: str
    packages: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def gomod(self) -> Path:
        """The folder with the pins of this tool."""
        return _GOMODS / self.name

    @property
    def folder(self) -> Path:
        """The cache folder of exactly these pins and flags."""
        digest = hashlib.sha256()
        for path in (self.gomod / "go.mod", self.gomod / "go.sum", *sorted(self.gomod.glob("*.go"))):
            digest.update(path.read_bytes() + b"\0")
        digest.update(self.ldflags.encode())
        return CACHE / f"{self.name}-{self.version}-{digest.hexdigest()[:12]}"

    @property
    def ldflags(self) -> str:
        """What the linker is reported: no symbols, and the version where the program has a variable for it."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.variables.items())])


def _version_variables(version: str) -> dict[str, str]:
    """The variables without which a Kubernetes program calls itself v0.0.0-master and clients refuse it."""
    major, minor, _ = version.split(".")
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in values.items()}


KUBERNETES = Tool(
    "kubernetes",
    KUBERNETES_VERSION,
    {
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
    },
    _version_variables(KUBERNETES_VERSION),
)
ETCD = Tool("etcd", "3.6.16", {"etcd": "go.etcd.io/etcd/server/v3"})
KWOK = Tool("kwok", "0.8.0", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"})
MANIFESTS = Tool("manifests", KUBERNETES_VERSION, {"manifests": "hwplan.local/testbed/manifests"})
ARGOCD = Tool("argocd", "3.2.11", {"argocd": "github.com/argoproj/argo-cd/v3/cmd"})


def ensure(tool: Tool, names: Iterable[str] | None = None) -> dict[str, Path]:
    """Return the paths of the named programs of `tool` (all of them by default), building those that are missing."""
    wanted = {name: tool.folder / name for name in (tool.packages if names is None else names)}
    if all(path.is_file() for path in wanted.values()):
        return wanted
    with locked(tool.folder):
        missing = [name for name, path in wanted.items() if not path.is_file()]
        if missing:
            _build(tool, missing)
    return wanted


def ensure_one(tool: Tool, name: str) -> Path:
    """Return the path of one program of `tool`, built if it is missing."""
    return ensure(tool, [name])[name]


@functools.cache
def module_folder(tool: Tool, module: str) -> Path:
    """Return the folder of the Go module cache that holds `module` as `tool` pins it, downloading it if needed."""
    listing = json.loads(_go(tool, "mod", "download", "-json", module).stdout)
    if listing.get("Error"):
        raise PartMissing(f"Go module {module}: {listing['Error']}")
    return Path(listing["Dir"])


def argocd_module() -> Path:
    """Return the folder of the Argo CD module, which holds the official manifests and CRDs."""
    return module_folder(ARGOCD, "github.com/argoproj/argo-cd/v3")


def _build(tool: Tool, names: list[str]) -> None:
    """Compile in a temporary folder of the cache, then move each program into place with one rename."""
    tool.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tool.folder, prefix=".building-") as scratch:
        for name in names:
            output = Path(scratch) / name
            flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", tool.ldflags, "-o", str(output)]
            _go(tool, "build", *flags, tool.packages[name])
            output.replace(tool.folder / name)


def _go(tool: Tool, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `go` on the pins of `tool`, with a deadline; a failure carries the end of what it said."""
    program = shutil.which("go")
    if program is None:
        raise PartMissing("the Go toolchain is not installed (no `go` on PATH); it builds the parts of the testbed")
    environment = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
    try:
        return subprocess.run(
            [program, *arguments],
            cwd=tool.gomod,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=BUILD_DEADLINE,
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip()[-2000:]
        raise PartMissing(f"go {arguments[0]} failed for {tool.name} {tool.version}: {said}") from error
    except subprocess.TimeoutExpired as error:
        raise TestbedError(
            f"go {arguments[0]} for {tool.name} {tool.version} took over {error.timeout:.0f} s"
        ) from None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the file lock beside `folder`, so that two processes do not make the same thing twice."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
