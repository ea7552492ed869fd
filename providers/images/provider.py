"""The provider of RegistryImage: an image that has to be under a tag, copied by digest or built.

The version token is the digest under the tag. What a copy will leave there is known when planning, and exactly that is
copied, also when the source's tag has moved since. What a build will leave is not known; its plan names the digest of
what is built from, and a context that has changed since is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.errors import ProviderError
from planner.plan import Change, FieldChange, FieldOp, VerifiedBy
from planner.ports import (
    AbsentObject,
    NeverDeletes,
    Observation,
    PresentObject,
    Preview,
    PreviewEffect,
    Provider,
    Readiness,
    ReadResult,
    UnreadableObject,
    Written,
)
from planner.resource import Resource
from planner.values import JsonObject, OutputRef, OutputTemplate, Vault, canonical_bytes, encode_special_leaves
from providers.images.apply_image import apply_image
from providers.images.image_reference import ImageReference
from providers.images.image_spec import ImageSpec, parse_image_spec
from providers.images.image_state import ImageState, read_image_state
from providers.images.image_stores import ImageStores
from providers.images.manifest_cache import ManifestCache
from providers.provider_tools import ProviderTools

_PARALLEL = 8


def create_image_provider(tools: ProviderTools) -> Provider:
    """The provider of RegistryImage for one command."""
    return RegistryImageProvider(tools.folder, tools.sandbox)


class RegistryImageProvider(NeverDeletes):
    """Copies and builds images. `folder` is where build contexts start; `sandbox` is the folder of the sandbox;
    `remembered` the cache of manifests (the user's by default). No image is deleted: other tags and running workloads
    may use the same digest."""

    def __init__(self, folder: Path, sandbox: Path | None = None, remembered: ManifestCache | None = None) -> None:
        self._folder = folder
        self._places = ImageStores(folder, sandbox, remembered)
        self._lock = threading.Lock()
        self._sights: dict[bytes, ImageState] = {}

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """Look at all images, several at once; each is looked at once."""
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="image") as pool:
            return ReadResult(dict(pool.map(self._read, wanted)))

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """Compare what `read` saw with what is asked for."""
        return {
            resource.address: self._preview(resource)
            for resource, seen in items
            if not isinstance(seen, UnreadableObject)
        }

    def apply(self, change: Change, vault: Vault) -> Written:
        """Copy or build, blobs first and the tag last."""
        assert change.desired is not None
        wanted = parse_image_spec(change.desired)
        with self._lock:
            self._sights.clear()
        digest, already = apply_image(change, wanted, self._places, self._folder)
        warnings = ("simulated: the sandbox made an image up",) if self._places.simulated and wanted.build else ()
        return Written(uid="", outputs=_outputs(digest), already=already, warnings=warnings)

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """An image is ready when it is written: the tag was read back."""
        return {change.address: Readiness(done=True, ok=True) for change in changes}

    def _read(self, resource: Resource) -> tuple[Address, Observation]:
        address = resource.address
        try:
            sight = self._sight(resource)
        except ProviderError as error:
            return address, UnreadableObject(
                address, f"{error.where}: {error.message}" if error.where else error.message
            )
        if not sight.digest:
            return address, AbsentObject(address)
        value: JsonObject = {"digest": sight.digest} | ({"build": sight.mark} if sight.mark else {})
        return address, PresentObject(
            address, uid="", content=sight.digest, value=value, outputs=_outputs(sight.digest)
        )

    def _sight(self, resource: Resource) -> ImageState:
        key = canonical_bytes(encode_special_leaves(resource.manifest["spec"]))
        with self._lock:
            known = self._sights.get(key)
        if known is None:
            known = read_image_state(parse_image_spec(resource.manifest), self._places, self._folder)
            with self._lock:
                self._sights[key] = known
        return known

    def _preview(self, resource: Resource) -> Preview:
        wanted = parse_image_spec(resource.manifest)
        warnings = _warnings(wanted)
        try:
            sight = self._sight(resource)
        except ProviderError as error:
            return Preview(PreviewEffect.UPDATE, blocked=error.message, evidence=error.where, remedy=error.remedy)
        effect = PreviewEffect.UPDATE if sight.digest else PreviewEffect.CREATE
        if sight.blocked:
            return Preview(effect, blocked=sight.blocked, remedy=sight.remedy)
        if sight.is_same:
            return Preview(PreviewEffect.NONE, verified=VerifiedBy.SERVER, warnings=warnings)
        fields = _fields(wanted, sight)
        if wanted.build is not None or not sight.expects:
            return Preview(effect, fields, VerifiedBy.NO, expects=sight.expects, warnings=warnings)
        outputs = _outputs(sight.expects)
        return Preview(effect, fields, VerifiedBy.SERVER, expects=sight.expects, outputs=outputs, warnings=warnings)


def _outputs(digest: str) -> JsonObject:
    return {"digest": digest, "registryTagPresent": True}


def _fields(wanted: ImageSpec, sight: ImageState) -> tuple[FieldChange, ...]:
    """The digest before and after; while it is unknown, what it will follow from."""
    if isinstance(wanted.target, OutputRef | OutputTemplate):
        return (FieldChange(("target",), FieldOp.ADD, after=wanted.target),)
    if wanted.build is not None:
        op = FieldOp.CHANGE if sight.mark else FieldOp.ADD
        return (FieldChange(("build",), op, sight.mark or None, sight.expects or "known when its arguments are"),)
    op = FieldOp.CHANGE if sight.digest else FieldOp.ADD
    if isinstance(wanted.source, OutputRef | OutputTemplate):
        return (FieldChange(("digest",), op, sight.digest or None, wanted.source),)
    return (FieldChange(("digest",), op, sight.digest or None, sight.expects),)


def _warnings(wanted: ImageSpec) -> tuple[str, ...]:
    sides = ((wanted.target, wanted.target_plain), (wanted.source, wanted.source_plain))
    hosts = sorted({side.host for side, plain in sides if plain and isinstance(side, ImageReference)})
    return tuple(f"plain HTTP is spoken to the registry {host}" for host in hosts)
