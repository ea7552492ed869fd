"""The official Argo CD install manifest: CRDs, cluster roles; planned from empty, applied, and then nothing to do."""

from __future__ import annotations

import pytest

from tests.e2e.hwplan import Hwplan
from tests.testbed import crds


@pytest.mark.timeout(600)
def test_the_official_manifest(hwplan: Hwplan) -> None:
    file = str(crds.argo_install_manifest())
    words = ("-f", file, "--name", "argocd", "-n", "argocd")
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: argocd}\n"
    hwplan("apply", "-f", "-", "--name", "argocd-ns", "--confirm", stdin=namespace)
    allow = ("--allow", "missing-state")
    plan = hwplan.plan(*words)
    assert plan["blocked"] == [] and plan["summary"]["create"] > 50
    hwplan("apply", *words, "--confirm", "--no-wait", *allow)
    hwplan.empty(*words)
