"""RestObject, judged against a REST server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from planner.ports import PreviewEffect, Provider
from planner.resource import Resource
from planner.values import JsonObject, SealedSecret, SecretValue, Vault
from providers.http.retries import RetryLimits
from providers.rest.provider import RestProvider
from providers.rest.rest_api import HttpRestApi
from providers.rest.secret_values import RestSecretValues
from providers.web.bounded_http_client import BoundedHttpClient
from tests.contract.case import SECRET, VaultSource
from tests.contract.declared import VAULT, own
from tests.testbed.rest_server import rest_server
from tests.unit.kubernetes.world import PRINTS, sealed


class RestObjects:
    """RestObject on a real HTTP server; the last one has a secret field, and all need a token."""

    effect = PreviewEffect.CREATE
    refused_as_a_whole = False
    _TOKEN = "file:a#TOKEN"

    def __init__(self, folder: Path) -> None:
        self.vault: Vault = {**VAULT, self._TOKEN: SecretValue(SECRET[::-1])}
        self._open = ExitStack()
        self._server = self._open.enter_context(rest_server(token=SECRET[::-1].decode(), masked=("api_key",)))

    def close(self) -> None:
        """Stop the server."""
        self._open.close()

    def provider(self) -> Provider:
        secrets = RestSecretValues(VaultSource(self.vault), PRINTS)
        quickly = RetryLimits(tries=2, sleep=lambda _seconds: None)
        return RestProvider(HttpRestApi(BoundedHttpClient(), secrets, quickly), secrets, quickly)

    def wanted(self) -> Sequence[Resource]:
        auth = {"secret": "ns/s", "value": SealedSecret(self._TOKEN, "")}
        spec = {"baseUrl": self._server.url, "path": "/api/things", "key": "name", "auth": auth}
        named = {"api_key": {"secret": "ns/s", "key": "P"}}
        bodies = [{"name": f"r{n}", "size": {"big": n}} for n in range(3)]
        api_key = sealed("file:a#P", SECRET.decode())
        hidden = {"body": {**bodies[2], "api_key": api_key}, "secrets": named, "fingerprints": "notes"}
        return [
            *(own("RestObject", f"r{n}", {**spec, "body": bodies[n]}) for n in range(2)),
            own("RestObject", "r2", {**spec, **hidden}),
        ]

    def requests(self) -> int:
        """What the server was asked so far."""
        return len(self._server.asked)

    def _find(self, resource: Resource) -> JsonObject | None:
        found = (one for one in self._server.objects("things") if one["name"] == resource.address.name)
        return next(found, None)

    def holds(self, resource: Resource) -> bool:
        one = self._find(resource)
        secret = resource.address.name != "r2" or (one or {}).get("api_key") == SECRET.decode()
        return one is not None and one["size"] == resource.manifest["spec"]["body"]["size"] and secret

    def state(self) -> object:
        return json.dumps(self._server.objects("things"))

    def meddle(self, resource: Resource) -> None:
        self._server.put("things", name=resource.address.name, size={"big": -1})

    def break_it(self) -> None:
        self._server.token = "another"
