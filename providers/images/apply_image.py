"""The effect of one RegistryImage: reads first, copies or builds what the plan named, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from planner.errors import PermanentError, PreconditionError
from planner.plan import Change
from providers.images.build_context_digest import build_context_folder
from providers.images.build_image import BuildRecipe, build_image
from providers.images.copy_image import ImageLocation, copy_image, read_manifest_to_copy
from providers.images.image_manifest import ImageManifest, with_image_annotation
from providers.images.image_reference import ImageReference, LayoutReference
from providers.images.image_spec import ImageSpec
from providers.images.image_state import BUILD, build_inputs_digest_if_known
from providers.images.image_stores import ImageStores
from providers.images.oci_layout import OciLayout
from providers.simulated_images import write_simulated_images

_PLAN_AGAIN = "plan again: what this plan was made from has moved"


def apply_image(change: Change, wanted: ImageSpec, places: ImageStores, folder: Path) -> tuple[str, bool]:
    """Make it so. Gives the digest under the tag, and whether it was as planned already.

    Raises PreconditionError when the target is neither that nor what the plan saw, or the origin is not what it named.
    """
    if not isinstance(wanted.target, ImageReference):
        raise PermanentError("the target is still not known", where=str(change.address))
    if wanted.build is not None:
        return _build(change, wanted, places, folder)
    if not isinstance(wanted.source, ImageReference | LayoutReference):
        raise PermanentError("the source is still not known", where=str(change.address))
    return _copy(change, wanted, places)


def _copy(change: Change, wanted: ImageSpec, places: ImageStores) -> tuple[str, bool]:
    target, source = places.target(wanted), places.source(wanted)
    now = target.store.digest(target.image)
    if now and now == change.expects:
        return now, True
    if change.expects:
        _still(change, change.expects)(now)
    root = _planned(source, wanted, change)
    if now == root.digest:
        return now, True
    still = _still(change, root.digest)
    still(now)
    copy_image(source, root, target, still)
    return root.digest, False


def _planned(source: ImageLocation, wanted: ImageSpec, change: Change) -> ImageManifest:
    """The manifest that the plan named, by digest; a tag of the source may have moved since."""
    if change.expects:
        named = source.store.manifest(source.image.by_digest(change.expects))
        if named is not None:
            return named
    found = source.store.manifest(source.image)
    root = read_manifest_to_copy(source, found, wanted.platforms) if found else None
    if root is None or (change.expects and root.digest != change.expects):
        raise PreconditionError(
            "the source has no longer the image that the plan named", where=str(wanted.source), remedy=_PLAN_AGAIN
        )
    return root


def _build(change: Change, wanted: ImageSpec, places: ImageStores, folder: Path) -> tuple[str, bool]:
    mark = build_inputs_digest_if_known(wanted, folder)
    if not mark or (change.expects and mark != change.expects):
        raise PreconditionError(
            "the build context is not what the plan was made from", where=str(change.address), remedy=_PLAN_AGAIN
        )
    target = places.target(wanted)
    found = target.store.manifest(target.image)
    if found and dict(found.annotations).get(BUILD) == mark:
        return found.digest, True
    still = _still(change, "")
    still(found.digest if found else "")
    with _result(wanted, mark, places, folder) as layout:
        origin = ImageLocation(layout, target.image)
        root = with_image_annotation(read_manifest_to_copy(origin, layout.sole(), wanted.platforms), BUILD, mark)
        copy_image(origin, root, target, still)
    return root.digest, False


@contextmanager
def _result(wanted: ImageSpec, mark: str, places: ImageStores, folder: Path) -> Iterator[OciLayout]:
    """The layout that the builder leaves; in a sandbox one with an image made up from what would be built."""
    assert wanted.build is not None
    if places.simulated:
        with tempfile.TemporaryDirectory(prefix="hwplan-build-") as temp:
            write_simulated_images(Path(temp) / "layout", [f"{wanted.target} ({mark})"])
            yield OciLayout(Path(temp) / "layout")
        return
    context = build_context_folder(folder, wanted.build.context, wanted.build.dockerfile)
    assert isinstance(wanted.target, ImageReference)
    build = wanted.build
    recipe = BuildRecipe(wanted.target, context, build.dockerfile, build.args, wanted.platforms[0], build.builder)
    with build_image(recipe) as layout:
        yield layout


def _still(change: Change, expected: str) -> Callable[[str], None]:
    """Refuses a digest under the tag that is neither what the plan saw nor what it wants."""

    def check(now: str) -> None:
        seen = "" if change.precondition.absent else change.precondition.content
        if now != seen and not (expected and now == expected):
            raise PreconditionError(
                f"the tag is not what the plan saw: {seen or 'absent'}, now {now or 'absent'}",
                where=str(change.address),
                remedy=_PLAN_AGAIN,
            )

    return check
