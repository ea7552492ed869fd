"""Looking at one image and its origin: what stands under the tag, and what should. Writes nothing.

Requests: a HEAD of the target, and one of the source unless its name holds the digest. What has to be read (a source
of which platforms are picked, the target of a build) costs a GET in place of the HEAD the first time, and both when it
has changed. Only when there is something to do, the source of a copy is looked at more closely.
"""

from __future__ import annotations

from pathlib import Path

from planner.dataclass import dataclass
from planner.errors import PermanentError
from providers.http.retries import repeat_on_temporary_error
from providers.images.build_context_digest import build_context_folder, digest_of_build_inputs
from providers.images.copy_image import ImageLocation
from providers.images.image_manifest import (
    ALL,
    MAX_MANIFEST,
    ImageDescriptor,
    ImageManifest,
    digest_of_selected_manifest,
)
from providers.images.image_reference import ImageReference, LayoutReference
from providers.images.image_spec import ImageSpec
from providers.images.image_store import verify_while_reading
from providers.images.image_stores import ImageStores
from providers.json_answer import parse_json_answer

BUILD = "dev.hwplan.build"  # annotation of a built image: the digest of what it was built from


@dataclass(frozen=True, slots=True)
class ImageState:
    """An image as it was seen in its registry. `digest` is that of the target's tag ("" when absent), `mark` what it
    was built from; `expects` is the digest that should be there, or what it should be built from ("" when not known
    yet)."""

    digest: str = ""
    mark: str = ""
    expects: str = ""
    blocked: str = ""
    remedy: str = ""

    @property
    def is_same(self) -> bool:
        """Nothing to do."""
        return bool(self.expects) and self.expects in (self.digest, self.mark)


def read_image_state(wanted: ImageSpec, places: ImageStores, folder: Path) -> ImageState:
    """Read the state of one image from its registry. Raises ProviderError when a registry cannot be read."""
    if not isinstance(wanted.target, ImageReference):
        return ImageState()
    if wanted.build is not None:
        return _look_at_build(wanted, places, folder)
    target = places.target(wanted)
    digest = target.store.digest(target.image)
    if not isinstance(wanted.source, ImageReference | LayoutReference):
        return ImageState(digest)
    try:
        return ImageState(digest, expects=_expected(wanted, places, digest))
    except PermanentError as error:
        if not isinstance(error, _Blocked) and isinstance(wanted.source, ImageReference):
            raise
        return _blocked(error, digest)


def _blocked(error: PermanentError, digest: str, mark: str = "") -> ImageState:
    where = f" ({error.where})" if error.where else ""
    return ImageState(digest, mark, blocked=error.message + where, remedy=error.remedy)


class _Blocked(PermanentError):
    """The origin is readable, and is not what is asked for."""


def _expected(wanted: ImageSpec, places: ImageStores, digest: str) -> str:
    source = places.source(wanted)
    if ALL in wanted.platforms and isinstance(wanted.source, ImageReference):
        pinned = "" if places.simulated else source.image.digest
        if pinned and pinned == digest:
            return pinned
        return source.store.digest(source.image) or _no_source()
    found = places.manifest(source)
    if found is None:
        return _no_source()
    try:
        expected = digest_of_selected_manifest(found, wanted.platforms)
    except PermanentError as error:
        raise _Blocked(error.message, remedy=error.remedy) from None
    if expected != digest and not found.is_index and not places.simulated:
        _check_platform(source, found, wanted.platforms)
    return expected


def _no_source() -> str:
    raise _Blocked("the source has no such image", remedy="correct spec.source, or push the image there first")


def _check_platform(source: ImageLocation, found: ImageManifest, platforms: tuple[str, ...]) -> None:
    """An image without an index says in its configuration what it is for."""
    config = found.parts[0]
    if config.size > MAX_MANIFEST:
        raise _Blocked("the configuration of the source's image is too large")
    try:
        document = parse_json_answer(repeat_on_temporary_error(lambda: _small_blob(source, config)))
        made_for = f"{document['os']}/{document['architecture']}"
    except (ValueError, LookupError, TypeError, RecursionError):
        return  # an artifact, which is for no platform
    if made_for not in {"/".join(platform.split("/")[:2]) for platform in platforms}:
        shown = made_for if made_for.isprintable() and len(made_for) < 64 else "another platform"
        raise _Blocked(f"the source's only image is for {shown}", remedy="correct spec.platforms or spec.source")


def _small_blob(source: ImageLocation, blob: ImageDescriptor) -> bytes:
    with source.store.open_blob(source.image, blob) as pieces:
        return b"".join(verify_while_reading(pieces, blob))


def _look_at_build(wanted: ImageSpec, places: ImageStores, folder: Path) -> ImageState:
    target = places.target(wanted)
    found = places.manifest(target)
    digest = found.digest if found else ""
    mark = dict(found.annotations).get(BUILD, "") if found else ""
    try:
        return ImageState(digest, mark, build_inputs_digest_if_known(wanted, folder))
    except PermanentError as error:
        return _blocked(error, digest, mark)


def build_inputs_digest_if_known(wanted: ImageSpec, folder: Path) -> str:
    """Digest of all that the build depends on, "" while an argument is unknown. Raises PermanentError when a file is
    missing."""
    assert wanted.build is not None
    context = build_context_folder(folder, wanted.build.context, wanted.build.dockerfile)
    return digest_of_build_inputs(context, wanted.build.document, wanted.platforms[0]) if wanted.build.known else ""
