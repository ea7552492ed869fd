"""Every warning of a page stands in the JSON of the same command too, also where the plan is carried out at once."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan

CONFIG = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {ns}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: {ns}}}
data: {{level: {level}}}
"""
FILE = """\
---
apiVersion: hwplan.dev/v1
kind: LocalFile
metadata: {{name: page}}
spec: {{path: page.txt, content: x}}
"""
WARNING = re.compile(r"^warning: (.*(?:\n  +\S.*)*)", re.MULTILINE)


def _write(hwplan: Hwplan, ns: str, level: str, *, file: bool = False) -> tuple[str, ...]:
    text = (CONFIG + (FILE if file else "")).format(ns=ns, level=level)
    return ("-f", manifests.write(hwplan.folder, "app.yaml", text), "--name", ns)


def _all_told(page: str, document: Any) -> None:
    """Fails unless each warning of the page is in the document."""
    found = [" ".join(one.split()) for one in WARNING.findall(page)]
    assert found, page
    said = json.dumps([document.get("warnings"), document.get("remarks"), document.get("guards")])
    for one in found:
        assert one.split(": ", 1)[1] in said, (one, said)


def test_what_a_page_warns_of_is_in_the_document(simulated: Hwplan, unique: str) -> None:
    wide = {"COLUMNS": "300"}
    simulated("apply", *_write(simulated, unique, "a", file=True), "--confirm")
    words = _write(simulated, unique, "b")
    page = simulated("plan", *words, env=wide).out
    assert "no longer declared; it is left alone" in page
    shown = simulated("plan", *words, "--json")
    _all_told(page, shown.json)
    (simulated.folder / "shown.json").write_text(shown.out)
    simulated("show", "shown.json")  # it is a plan file, whatever this machine says beside it
    assert "left alone" in simulated("plan", *words, "-o", "yaml").out
    _all_told(page, simulated("apply", *words, "--confirm", "--json").json)

    page = simulated("undo", "2", env=wide).out
    _all_told(page, simulated("undo", "2", "--json").json)
    _all_told(page, simulated("undo", "2", "--confirm", "--json").json)

    ran = simulated("destroy", *words, "--confirm", "--json").json
    assert any("left alone" in one for one in ran["warnings"]), ran
