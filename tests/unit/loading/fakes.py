"""What the tests of loading share: a fingerprinter with a fixed key, and short ways in."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from planner.loading import Loaded
from planner.loading.config import load_config
from planner.loading.manifests import load_manifests
from planner.loading.stack import load_stack
from planner.plan import Selection
from planner.resource import Resource

ROOT = Path(__file__).resolve().parents[3]
CANARY = "cAnArY-7f3a91-value"


class KeyedFingerprinter:
    """HMAC with a fixed key."""

    def fingerprint(self, value: bytes) -> str:
        return "hmac-sha256:" + hmac.new(b"test", value, hashlib.sha256).hexdigest()[:16]


def manifests(text: str, tmp_path: Path, name: str = "app") -> Loaded:
    """Plain manifests from a text."""
    return load_manifests(
        ["-"], stdin=text.encode(), name=name, fingerprinter=KeyedFingerprinter(), cache=tmp_path / "cache"
    )


def one(text: str, tmp_path: Path) -> Resource:
    """The one resource of a text."""
    (resource,) = manifests(text, tmp_path).resources
    return resource


def shipped(node: str, lane: str = "", scopes: tuple[str, ...] = (), secrets_dir: Path | None = None) -> Loaded:
    """A stack of the configuration that comes with hwplan."""
    config = load_config(ROOT / "config")
    selection = Selection("hwlab", nodes=(node,), lanes=(lane,) if lane else (), scopes=scopes)
    return load_stack(config, selection, KeyedFingerprinter(), secrets_dir=secrets_dir, environ={})
