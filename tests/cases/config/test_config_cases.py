"""Broken input, case by case: a folder with the input, and the whole report that a person gets.

A case holds what differs from `base/` (a small configuration that is in order), or a folder `manifests/` to be planned
as plain manifests, and `expected.txt`. `select.txt` gives other selecting words, `secrets/` is the secrets folder.
HWPLAN_UPDATE_GOLDEN=1 writes the expected files anew; look at the difference before keeping it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from planner.errors import ConfigError, SelectionError
from planner.loading import LoadResult
from planner.loading.config import load_config
from planner.loading.manifests.plain_manifests import load_plain_manifests
from planner.loading.problems import render_problems
from planner.loading.product_stack import load_product_stack
from planner.plan import Selection

HERE = Path(__file__).parent
CASES = sorted(folder for folder in HERE.iterdir() if folder.name[:2].isdigit())


class _Fingerprinter:
    def fingerprint(self, value: bytes) -> str:
        return "hmac-sha256:" + hashlib.sha256(b"test" + value).hexdigest()[:16]


def test_base_is_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _report(HERE / "base", tmp_path, monkeypatch) == "3 resources\n"


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_report(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = _report(case, tmp_path, monkeypatch)
    expected = case / "expected.txt"
    if os.environ.get("HWPLAN_UPDATE_GOLDEN") == "1":
        expected.write_text(report)
    assert report == expected.read_text()
    assert "s3cret" not in report
    assert str(tmp_path) not in report


def _report(case: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.copytree(HERE / "base", place, dirs_exist_ok=True)
    shutil.copytree(case, place, dirs_exist_ok=True)
    monkeypatch.chdir(place)
    for file in place.glob("secrets/**/*"):
        file.chmod(0o600)
    try:
        return _summary(_load(place))
    except ConfigError as error:
        return render_problems(error.problems)
    except SelectionError as error:
        return f"{error.where}: {error.message}\n  {error.remedy}\n"


def _load(place: Path) -> LoadResult:
    if (place / "manifests").is_dir():
        stdin = place / "stdin.yaml"
        return load_plain_manifests(
            ["manifests"] + (["-"] if stdin.exists() else []),
            stdin=stdin.read_bytes() if stdin.exists() else None,
            name="app",
            fingerprinter=_Fingerprinter(),
            cache=place / "cache",
        )
    words = (
        dict(line.split("=", 1) for line in (place / "select.txt").read_text().split())
        if (place / "select.txt").exists()
        else {}
    )
    selection = Selection(
        words.get("product", "demo"),
        nodes=(words.get("node", "N1"),),
        lanes=tuple(words.get("lane", "").split()),
        scopes=tuple(words.get("scope", "").split()),
    )
    config = load_config(place / "config")
    return load_product_stack(
        config, selection, _Fingerprinter(), secrets_dir=place / "secrets", environ={}, cache=place / "cache"
    )


def _summary(loaded: LoadResult) -> str:
    lines = [f"{len(loaded.resources)} resources"]
    lines += [f"blocked {address}: {reason}" for address, reason in sorted(loaded.blocked.items())]
    lines += [f"warning: {warning}" for warning in loaded.warnings]
    return "\n".join(lines) + "\n"
