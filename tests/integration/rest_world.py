"""Small steps for tests of RestObject: resources from the real loader, a provider over a real server, its effects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.contract.plan_and_apply import change_of_preview
from planner.errors import PermanentError
from planner.loading.manifests.plain_manifests import load_plain_manifests
from planner.plan import Change
from planner.ports import Observation, Preview, Written
from planner.resource import Resource
from planner.values import SecretValue
from providers.http.retries import RetryLimits
from providers.rest.provider import RestProvider
from providers.rest.rest_api import HttpRestApi
from providers.rest.sandbox_api import SandboxRestApi
from providers.rest.secret_values import RestSecretValues
from providers.web.bounded_http_client import BoundedHttpClient, HttpClientLimits
from tests.testbed.rest_server import RestServer
from tests.unit.kubernetes.world import PRINTS

QUICKLY = RetryLimits(tries=3, first=0.0, total=30.0, sleep=lambda _seconds: None)
TOKEN = "t0ken-cAnArY-41"
API_KEY = "sk-cAnArY-7f3a/91+x"


class Values:
    """Secret values by reference; a test changes them."""

    def __init__(self, **values: str) -> None:
        self.by_ref = {f"kubernetes:ns/s#{key}": value.encode() for key, value in values.items()}

    def value(self, ref: str) -> SecretValue:
        """See planner.ports.SecretValueReader."""
        if ref not in self.by_ref:
            raise PermanentError("Secret ns/s does not exist")
        return SecretValue(self.by_ref[ref])

    def __setitem__(self, key: str, value: str | bytes) -> None:
        self.by_ref[f"kubernetes:ns/s#{key}"] = value.encode() if isinstance(value, str) else value


@dataclass
class Desk:
    """One server, what is wanted of it, and the provider that a command would have; with `stored` that of a sandbox."""

    server: RestServer
    folder: Path
    values: Values = field(default_factory=lambda: Values(token=TOKEN, key=API_KEY))
    limits: HttpClientLimits = field(default_factory=lambda: HttpClientLimits(connect=2.0, read=2.0, total=5.0))
    stored: Path | None = None
    provider: RestProvider = field(init=False)

    def __post_init__(self) -> None:
        self.anew()

    def anew(self) -> None:
        """A new command begins: it remembers nothing."""
        secrets = RestSecretValues(self.values, PRINTS, simulated=self.stored is not None)
        api = (
            SandboxRestApi(self.stored)
            if self.stored
            else HttpRestApi(BoundedHttpClient(self.limits), secrets, QUICKLY)
        )
        self.provider = RestProvider(api, secrets, QUICKLY)

    def resource(self, name: str = "codex", body: dict[str, Any] | None = None, **spec: Any) -> Resource:
        """A RestObject as the loader makes it; `name` is its own and the object's."""
        whole = {"baseUrl": f"{self.server.url}/api", "path": "/groups", "key": "name", "verbs": {"update": "PUT"}}
        whole |= {"body": {"name": name, **(body or {})}, **spec}
        document = {
            "apiVersion": "hwplan.dev/v1", "kind": "RestObject", "metadata": {"name": name}, "spec": whole,
        }  # fmt: skip
        text = json.dumps(document).encode()
        loaded = load_plain_manifests(["-"], stdin=text, name="app", fingerprinter=PRINTS, cache=self.folder / "cache")
        return loaded.resources[0]

    def look(self, *wanted: Resource) -> tuple[list[Observation], list[Preview | None], list[Change]]:
        """A plan by a new command."""
        self.anew()
        seen = self.provider.read(wanted, (), ()).observations
        previews = self.provider.preview([(one, seen[one.address]) for one in wanted])
        changes = [
            change
            for one in wanted
            if one.address in previews and (change := change_of_preview(one, seen[one.address], previews[one.address]))
        ]
        return [seen[one.address] for one in wanted], [previews.get(one.address) for one in wanted], changes

    def seen(self, wanted: Resource) -> Observation:
        """What a new command sees."""
        return self.look(wanted)[0][0]

    def preview(self, wanted: Resource) -> Preview:
        """What a new command predicts."""
        preview = self.look(wanted)[1][0]
        assert preview is not None
        return preview

    def change(self, wanted: Resource) -> Change:
        """The one change of a new plan."""
        (change,) = self.look(wanted)[2]
        return change

    def apply(self, *wanted: Resource) -> Sequence[Written]:
        """Plan and carry out."""
        return [self.provider.apply(change, {}) for change in self.look(*wanted)[2]]

    def is_settled(self, wanted: Resource) -> bool:
        """Whether a new plan has nothing to do."""
        _, previews, changes = self.look(wanted)
        return not changes and previews[0] is not None and not previews[0].blocked


def rows(subject: Change | Preview) -> list[tuple[str, str, Any, Any]]:
    """Changed fields as (path, op, before, after)."""
    return [(".".join(map(str, one.path)), str(one.op), one.before, one.after) for one in subject.fields]
