"""Makes the keys and certificates of the testbed with the `openssl` program.

Owns one certificate authority per test cluster and what it signs: server certificates for 127.0.0.1 (API server, kwok,
webhooks, TLS proxies) and client certificates. Nothing here is secret: all of it dies with the temporary folder.
"""

import base64
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.testbed.errors import PartMissing

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_DAYS = "30"


@dataclass(frozen=True)
class KeyPair:
    """The files of a certificate and its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the testbed."""

    pair: KeyPair

    @property
    def bundle(self) -> Path:
        """The file that clients verify against."""
        return self.pair.certificate

    def bundle_base64(self) -> str:
        """Return the bundle as the `caBundle` of a webhook configuration wants it."""
        return base64.b64encode(self.bundle.read_bytes()).decode()

    def server(self, folder: Path, name: str, hosts: Sequence[str] = ()) -> KeyPair:
        """Sign a server certificate for 127.0.0.1, localhost and `hosts`."""
        names = ",".join(["IP:127.0.0.1", "DNS:localhost", *(f"DNS:{host}" for host in hosts)])
        return self._sign(folder, name, f"/CN={name}", [f"subjectAltName={names}", "extendedKeyUsage=serverAuth"])

    def client(self, folder: Path, user: str, groups: Sequence[str] = ()) -> KeyPair:
        """Sign a client certificate for a user of the cluster and its groups."""
        subject = f"/CN={user}" + "".join(f"/O={group}" for group in groups)
        return self._sign(folder, f"client-{user}".replace(":", "-"), subject, ["extendedKeyUsage=clientAuth"])

    def _sign(self, folder: Path, name: str, subject: str, extensions: list[str]) -> KeyPair:
        pair = KeyPair(folder / f"{name}.crt", folder / f"{name}.key")
        request = ["req", "-x509", *_CURVE, "-days", _DAYS, "-subj", subject]
        signer = ["-CA", str(self.pair.certificate), "-CAkey", str(self.pair.key)]
        wanted = [part for extension in ["basicConstraints=CA:FALSE", *extensions] for part in ("-addext", extension)]
        _openssl([*request, *signer, *wanted, "-keyout", str(pair.key), "-out", str(pair.certificate)])
        return pair


def create_authority(folder: Path) -> Authority:
    """Make a new certificate authority in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    pair = KeyPair(folder / "ca.crt", folder / "ca.key")
    request = ["req", "-x509", *_CURVE, "-days", _DAYS, "-subj", "/CN=hwplan testbed"]
    _openssl([*request, "-keyout", str(pair.key), "-out", str(pair.certificate)])
    return Authority(pair)


def create_signing_key(path: Path) -> Path:
    """Make the private key with which service account tokens are signed."""
    _openssl(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(path)])
    return path


def _openssl(arguments: list[str]) -> None:
    program = shutil.which("openssl")
    if program is None:
        raise PartMissing("the `openssl` program is not installed; it makes the certificates of the testbed")
    done = subprocess.run(
        [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30
    )
    if done.returncode:
        raise PartMissing(f"openssl {arguments[0]} failed: {done.stderr.strip()[-500:]}")
