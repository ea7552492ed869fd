"""The shipped configuration with the metrics of D601 somewhere else: at a Prometheus of the testbed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.conftest import REPOSITORY

PROMETHEUS = "http://prometheus.platform-infra.svc:9090"


def copied_config(folder: Path, replaced: Mapping[str, str]) -> Path:
    """A copy of `config/` and `templates/` below `folder`, each text of `replaced` by the other one. Fails the test
    where a text does not occur: nothing would have been changed."""
    for part in ("config", "templates"):
        shutil.copytree(REPOSITORY / part, folder / part)
    left = set(replaced)
    for file in (folder / "config").rglob("*.yaml"):
        text = file.read_text()
        left -= {old for old in replaced if old in text}
        for old, new in replaced.items():
            text = text.replace(old, new)
        file.write_text(text)
    assert not left, left
    return folder / "config"
