"""Debian's packages of the testbed: which ones there are, and installing those whose program is missing.

Owns names only; what a part does with its program is in the part's own module. A machine that is no Debian, or where
nobody may install, is reported what to install: that part is missing there.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence

# program -> package
PACKAGES = {
    "git": "git",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "docker-registry": "docker-registry",
    "buildah": "buildah",
    "skopeo": "skopeo",
    "prometheus": "prometheus",
    "redis-server": "redis-server",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
    "jq": "jq",
    "curl": "curl",
    "node": "nodejs",
}
_DEADLINE = 15 * 60
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


def missing() -> tuple[str, ...]:
    """Packages whose program is not on this machine."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    return tuple(sorted({package for program, package in PACKAGES.items() if not shutil.which(program, path=places)}))


def install() -> str:
    """Install what is missing, when this is root on Debian; what was done, in a line. Raises nothing: a part that is
    still missing says so when a test asks for it."""
    if not (wanted := missing()):
        return "Debian's packages: all there"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"missing, to be installed by hand: {' '.join(wanted)}"
    _apt("update", "-qq")
    done = _apt("install", "-qq", "-y", "--no-install-recommends", *wanted)
    left = missing()
    return f"installed {' '.join(wanted)}" if not left else f"not installed: {' '.join(left)}\n{done[-2000:]}"


def _apt(*words: str) -> str:
    command: Sequence[str] = ("apt-get", *words)
    try:
        done = subprocess.run(
            command, env={**os.environ, **_QUIET}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_DEADLINE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{' '.join(words[:2])}: no end after {_DEADLINE} s"
    return done.stdout + done.stderr
