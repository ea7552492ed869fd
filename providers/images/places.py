"""Which store answers for an image: one client per registry, or in a sandbox its one layout for all."""

from __future__ import annotations

import threading
from pathlib import Path

from providers.images.copying import Place
from providers.images.credentials import DockerCredentials
from providers.images.layout import Layout
from providers.images.reference import Reference
from providers.images.registry import Registry
from providers.images.store import Store
from providers.images.wanted import Wanted
from providers.web.client import WebClient


class Places:
    """The stores of one command, each made when first asked for. `sandbox` is the folder of the sandbox or None."""

    def __init__(self, sandbox: Path | None) -> None:
        self.simulated = sandbox is not None
        self._layout = Layout(sandbox / "registry", made_up=True) if sandbox else None
        self._web = WebClient()
        self._credentials = DockerCredentials()
        self._lock = threading.Lock()
        self._registries: dict[tuple[str, bool, frozenset[str]], Registry] = {}

    def target(self, wanted: Wanted) -> Place:
        """The target, which must be known."""
        assert isinstance(wanted.target, Reference)
        return Place(self._store(wanted.target.api_host, wanted.target_plain, wanted.realms), wanted.target)

    def source(self, wanted: Wanted) -> Place:
        """The source, which must be known."""
        assert isinstance(wanted.source, Reference)
        return Place(self._store(wanted.source.api_host, wanted.source_plain, wanted.realms), wanted.source)

    def _store(self, host: str, plain: bool, realms: frozenset[str]) -> Store:
        if self._layout is not None:
            return self._layout
        with self._lock:
            key = (host, plain, realms)
            if key not in self._registries:
                self._registries[key] = Registry(
                    host, plain=plain, realms=realms, credentials=self._credentials, web=self._web
                )
            return self._registries[key]
