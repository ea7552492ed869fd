"""Reads what the registry says about the images of a run: one HEAD for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from planner.dataclass import dataclass
from planner.errors import ProviderError
from planner.rollout import lane_evidence as names
from planner.rollout.lane_equations import image_repository_without_tag
from planner.rollout.lane_evidence import EvidenceReading, Readings
from planner.values import JsonObject
from providers.images.image_reference import ImageReference, parse_image_reference
from providers.images.image_spec import ImageSpec
from providers.images.image_stores import ImageStores

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class RegistryEvidenceReader:
    """Reads registries. `plain_hosts` are spoken to without TLS; a host in `instead` is asked in place of the recorded
    one."""

    places: ImageStores
    plain_hosts: frozenset[str]
    now: Callable[[], str]
    instead: str = ""

    def digests(self, images: Readings) -> dict[str, EvidenceReading]:
        """The digest in the registry of each `image/NAME`, as `registry/NAME`."""
        wanted = {name.removeprefix(names.IMAGE): one for name, one in images.items() if one.readable}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(self._digest, [one.value for one in wanted.values()])
            return {names.REGISTRY + name: one for name, one in zip(wanted, found, strict=True)}

    def _digest(self, image: JsonObject) -> EvidenceReading:
        url = str(image.get("url") or "")
        at = self.now()
        try:
            reference = self._reference(url, str(image.get("digest") or ""))
            plain = reference.host in self.plain_hosts
            wanted = ImageSpec(reference, None, None, ("linux/amd64",), plain, False, frozenset())
            place = self.places.target(wanted)
            digest = place.store.digest(place.image)
        except ProviderError as error:
            return EvidenceReading(None, url, at, problem=f"{error.where or url}: {error.message}")
        return EvidenceReading(digest or None, str(reference), at, digest)

    def _reference(self, url: str, digest: str) -> ImageReference:
        """The image by its tag, because a tag can move; by its digest where it has no tag."""
        tagged = url.partition("@")[0]
        named = tagged if ":" in tagged.rpartition("/")[2] else f"{tagged}@{digest}"
        found = parse_image_reference(named)
        return ImageReference(self.instead, found.path, found.tag, found.digest) if self.instead else found


def open_registry_reader(
    folder: Path, sandbox: Path | None, plain_hosts: frozenset[str], now: Callable[[], str], instead: str = ""
) -> RegistryEvidenceReader:
    """The reader of a command."""
    return RegistryEvidenceReader(
        ImageStores(folder, sandbox), plain_hosts | ({instead} if instead else set()), now, instead
    )


def reused_images(named: EvidenceReading, built: Readings, hosts: frozenset[str]) -> dict[str, EvidenceReading]:
    """Images that the GitOps commit names by digest and the run did not build: they are reused (decision B14). Only
    those of the registries that builds go to."""
    urls = [str(one.value.get("url")) for one in built.values() if one.readable]
    ours = hosts | {url.partition("/")[0] for url in urls}
    known = {image_repository_without_tag(url) for url in urls}
    found: dict[str, EvidenceReading] = {}
    images: list[str] = named.value["images"] if named.readable and isinstance(named.value, Mapping) else []
    for image in images:
        repository, _, digest = image.partition("@")
        name = image_repository_without_tag(image).rpartition("/")[2]
        if repository.partition("/")[0] in ours and image_repository_without_tag(repository) not in known:
            value = {"url": image, "digest": digest, "reused": True}
            found[names.IMAGE + name] = EvidenceReading(value, named.source, named.at, named.version)
    return found
