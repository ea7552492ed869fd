"""Which store answers for an image: one client per registry, in a sandbox its one layout for all of them; and a layout
of the configuration folder where that is the source."""

from __future__ import annotations

import threading
from pathlib import Path

from planner.errors import PermanentError
from providers.images.copy_image import ImageLocation
from providers.images.docker_config_credentials import DockerConfigFileCredentials
from providers.images.image_manifest import ImageManifest
from providers.images.image_reference import ImageReference, LayoutReference
from providers.images.image_spec import ImageSpec
from providers.images.image_store import ImageStore
from providers.images.manifest_cache import ManifestCache
from providers.images.oci_layout import OciLayout, SingleImageLayout
from providers.images.registry_client import RegistryClient
from providers.web.bounded_http_client import BoundedHttpClient


class ImageStores:
    """The image stores (registries, layouts) of one command, each made when first asked for. `folder` is the
    configuration folder, `sandbox` that of the sandbox or None, `remembered` the cache of manifests (the user's by
    default)."""

    def __init__(self, folder: Path, sandbox: Path | None, remembered: ManifestCache | None = None) -> None:
        self._folder = folder
        self.simulated = sandbox is not None
        self._remembered = remembered or ManifestCache()
        self._layout = OciLayout(sandbox / "registry", made_up=True) if sandbox else None
        self._web = BoundedHttpClient()
        self._credentials = DockerConfigFileCredentials()
        self._lock = threading.Lock()
        self._registries: dict[tuple[str, bool, frozenset[str]], RegistryClient] = {}

    def target(self, wanted: ImageSpec) -> ImageLocation:
        """The target, which must be known."""
        assert isinstance(wanted.target, ImageReference)
        return ImageLocation(self._store(wanted.target.api_host, wanted.target_plain, wanted.realms), wanted.target)

    def source(self, wanted: ImageSpec) -> ImageLocation:
        """The source, which must be known. Raises PermanentError for a layout outside of the configuration folder."""
        if isinstance(wanted.source, LayoutReference):
            assert isinstance(wanted.target, ImageReference)
            folder, name = wanted.source.folder, wanted.source.name
            return ImageLocation(SingleImageLayout(self._inner(folder), name, f"oci:{folder}"), wanted.target)
        assert isinstance(wanted.source, ImageReference)
        return ImageLocation(self._store(wanted.source.api_host, wanted.source_plain, wanted.realms), wanted.source)

    def _inner(self, folder: str) -> Path:
        root = self._folder.resolve()
        found = (root / folder).resolve()
        if not found.is_relative_to(root):
            raise PermanentError("the OCI layout is outside of the configuration folder", where=folder)
        return found

    def manifest(self, place: ImageLocation) -> ImageManifest | None:
        """The manifest of an image: one request, which is a HEAD where it is what it was when it was last read."""
        if isinstance(place.store, OciLayout):
            return place.store.manifest(place.image)
        known = self._remembered.get(place.image)
        if known:
            digest = place.store.digest(place.image)
            if digest in ("", known.digest):
                return known if digest else None
        found = place.store.manifest(place.image)
        if found:
            self._remembered.keep(place.image, found)
        return found

    def _store(self, host: str, plain: bool, realms: frozenset[str]) -> ImageStore:
        if self._layout is not None:
            return self._layout
        with self._lock:
            key = (host, plain, realms)
            if key not in self._registries:
                self._registries[key] = RegistryClient(
                    host, plain=plain, realms=realms, credentials=self._credentials, web=self._web
                )
            return self._registries[key]
