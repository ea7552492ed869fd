"""What the tests of loading share: a fingerprinter with a fixed key, and short ways in."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from planner.loading import LoadResult
from planner.loading.config import load_config
from planner.loading.manifests.plain_manifests import load_plain_manifests
from planner.loading.product_stack import load_product_stack
from planner.plan import Selection
from planner.resource import Resource

ROOT = Path(__file__).resolve().parents[3]
CANARY = "cAnArY-7f3a91-value"


class KeyedFingerprinter:
    """HMAC with a fixed key."""

    def fingerprint(self, value: bytes) -> str:
        return "hmac-sha256:" + hmac.new(b"test", value, hashlib.sha256).hexdigest()[:16]


def manifests(text: str, tmp_path: Path, name: str = "app") -> LoadResult:
    """Plain manifests from a text."""
    return load_plain_manifests(
        ["-"], stdin=text.encode(), name=name, fingerprinter=KeyedFingerprinter(), cache=tmp_path / "cache"
    )


def one(text: str, tmp_path: Path) -> Resource:
    """The one resource of a text."""
    (resource,) = manifests(text, tmp_path).resources
    return resource


def shipped(
    node: str,
    lane: str = "",
    scopes: tuple[str, ...] = (),
    secrets_dir: Path | None = None,
    folder: Path = ROOT / "config",
) -> LoadResult:
    """A stack of the configuration that comes with hwplan, or of a changed copy of it in `folder`."""
    config = load_config(folder, ROOT / "templates")
    selection = Selection("hwlab", nodes=(node,), lanes=(lane,) if lane else (), scopes=scopes)
    return load_product_stack(config, selection, KeyedFingerprinter(), secrets_dir=secrets_dir, environ={})
