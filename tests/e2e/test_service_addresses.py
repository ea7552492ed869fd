"""Families and addresses of Services: a sandbox answers as the dry run of a real API server with one family does."""

from __future__ import annotations

import json

import pytest

from tests.e2e.hwplan import Hwplan
from tests.testbed.cluster import TestCluster

_SERVICES = [
    "selector: {a: b}",
    "selector: {a: b}, ipFamilyPolicy: PreferDualStack",
    "selector: {a: b}, ipFamilyPolicy: RequireDualStack",
    "ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv4, IPv6]",
    "ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv4, IPv6]",
    "ipFamilyPolicy: SingleStack, ipFamilies: [IPv4, IPv6]",
    "ipFamilies: [IPv4, IPv6]",
    "ipFamilies: [IPv6]",
    "ipFamilies: [IPv4]",
    "clusterIP: None",
    "clusterIP: None, ipFamilies: [IPv6]",
    "clusterIP: None, ipFamilies: [IPv4, IPv6]",
    "clusterIP: None, ipFamilyPolicy: SingleStack",
    "clusterIP: None, ipFamilyPolicy: PreferDualStack",
    "clusterIP: None, selector: {a: b}, ipFamilies: [IPv6]",
    "clusterIP: None, selector: {a: b}, ipFamilyPolicy: RequireDualStack",
    "clusterIP: 'fd00::1'",
    "clusterIPs: [10.96.0.21]",
    "clusterIP: 10.96.0.20, clusterIPs: [10.96.0.21]",
    "type: ExternalName, externalName: a.b, ipFamilyPolicy: SingleStack",
    "type: ExternalName, externalName: a.b, ipFamilies: [IPv4]",
    "type: ExternalName, externalName: a.b, clusterIP: 10.96.0.9",
]


@pytest.mark.parametrize("fields", _SERVICES)
def test_a_sandbox_answers_as_the_server(simulated: Hwplan, api_server: TestCluster, unique: str, fields: str) -> None:
    head = f"apiVersion: v1\nkind: Service\nmetadata: {{name: {unique}, namespace: default}}\n"
    text = f"{head}spec: {{ports: [{{port: 80}}], {fields}}}\n"
    server = api_server.run_kubectl("apply", "--server-side", "--dry-run=server", "-o", "json", "-f", "-", stdin=text)
    ran = simulated("apply", "-f", "-", "--name", unique, "--confirm", stdin=text, code=None)
    assert (ran.code == 0) is (server.returncode == 0), (server.stderr, ran.out, ran.err)
    if server.returncode:
        plan = simulated("plan", "-f", "-", "--name", unique, "--json", stdin=text, code=1).json
        for path, message in _causes(server.stderr):
            assert path in json.dumps(plan["blocked"]) and message in json.dumps(plan["blocked"]), plan["blocked"]
        return
    (file,) = (one for one in (simulated.folder / "box").rglob("*.yaml") if unique in one.read_text())
    stored = file.read_text()
    for name in ("ipFamilies", "ipFamilyPolicy"):
        value = json.loads(server.stdout)["spec"].get(name)
        for one in value if isinstance(value, list) else [value]:
            assert one is None or str(one) in stored, (name, value, stored)


def _causes(stderr: str) -> list[tuple[str, str]]:
    """Path and last words of every refused field in kubectl's message."""
    text = stderr.partition("is invalid:")[2].strip().replace("* ", "")
    return [(line.split(":")[0].strip(), line.rsplit(": ", 1)[1].strip()) for line in text.splitlines() if line.strip()]
