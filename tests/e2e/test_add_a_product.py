"""docs/add-a-product.md, followed by script: its own blocks, in a copy of this repository's configuration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan

PAGE = REPOSITORY / "docs" / "add-a-product.md"


def blocks() -> list[str]:
    """The blocks of the page that are commands."""
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(1200)
def test_a_further_product_by_the_page_alone(tmp_path: Path) -> None:
    for folder in ("config", "templates"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    before = {file for file in tmp_path.rglob("*") if file.is_file()}
    script = f'set -euxo pipefail\nhwplan() {{ "{sys.executable}" -m planner "$@"; }}\n' + "".join(blocks())
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
    done = subprocess.run(["bash"], input=script, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    made = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()} - {
        str(file.relative_to(tmp_path)) for file in before
    }
    assert {name for name in made if not name.startswith(".sandbox/")} == {
        "config/shop.yaml",
        "templates/shop/schema.yaml",
        "templates/shop/app/10-app.yaml.j2",
    }
    for words in (
        "spec.replicas 2 -> 7",
        "night-shift",
        "+    replicas: 7",
        "Deployment.apps/shop-next/web",
    ):
        assert words in done.stdout, (words, done.stdout)
    files = (file for file in (tmp_path / ".sandbox" / "cluster").rglob("*") if file.is_file())
    (workload,) = (
        text for file in files if "IDLE_TIMEOUT" in (text := file.read_text()) and "kind: Deployment\n" in text
    )
    assert re.findall(r"value: '?\"?(\d+m)", workload) == ["15m"], "run 3 was taken back"


def test_nothing_is_overwritten_and_a_broken_name_is_refused(tmp_path: Path) -> None:
    hwplan = Hwplan(tmp_path, ())
    hwplan("init", "shop")
    files = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert "exists already" in hwplan("init", "shop", code=3).err
    (tmp_path / "templates" / "store").mkdir()
    (tmp_path / "templates" / "store" / "schema.yaml").write_text("mine")
    assert "templates/store/schema.yaml" in hwplan("init", "store", code=3).err
    assert not (tmp_path / "config" / "store.yaml").exists()
    assert "no name of a product" in hwplan("init", "Shop/..", code=1).err
    assert all(file.read_bytes() == data for file, data in files.items())
    assert "valid" in hwplan("validate").out
