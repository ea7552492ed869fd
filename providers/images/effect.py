"""The effect of one RegistryImage: reads first, copies or builds what the plan named, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from planner.errors import PermanentError, PreconditionError
from planner.plan import Change
from providers.images.building import Recipe, built
from providers.images.context import context_folder
from providers.images.copying import Place, copy, root_of
from providers.images.layout import Layout
from providers.images.looking import BUILD, build_mark
from providers.images.manifest import Manifest, annotated
from providers.images.places import Places
from providers.images.reference import InLayout, Reference
from providers.images.wanted import Wanted
from providers.sandbox.layout import create_layout

_PLAN_AGAIN = "plan again: what this plan was made from has moved"


def make(change: Change, wanted: Wanted, places: Places, folder: Path) -> tuple[str, bool]:
    """Make it so. Gives the digest under the tag, and whether it was as planned already.

    Raises PreconditionError when the target is neither that nor what the plan saw, or the origin is not what it named.
    """
    if not isinstance(wanted.target, Reference):
        raise PermanentError("the target is still not known", where=str(change.address))
    if wanted.build is not None:
        return _build(change, wanted, places, folder)
    if not isinstance(wanted.source, Reference | InLayout):
        raise PermanentError("the source is still not known", where=str(change.address))
    return _copy(change, wanted, places)


def _copy(change: Change, wanted: Wanted, places: Places) -> tuple[str, bool]:
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
    copy(source, root, target, still)
    return root.digest, False


def _planned(source: Place, wanted: Wanted, change: Change) -> Manifest:
    """The manifest that the plan named, by digest; a tag of the source may have moved since."""
    if change.expects:
        named = source.store.manifest(source.image.by_digest(change.expects))
        if named is not None:
            return named
    found = source.store.manifest(source.image)
    root = root_of(source, found, wanted.platforms) if found else None
    if root is None or (change.expects and root.digest != change.expects):
        raise PreconditionError(
            "the source has no longer the image that the plan named", where=str(wanted.source), remedy=_PLAN_AGAIN
        )
    return root


def _build(change: Change, wanted: Wanted, places: Places, folder: Path) -> tuple[str, bool]:
    mark = build_mark(wanted, folder)
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
        origin = Place(layout, target.image)
        root = annotated(root_of(origin, layout.sole(), wanted.platforms), BUILD, mark)
        copy(origin, root, target, still)
    return root.digest, False


@contextmanager
def _result(wanted: Wanted, mark: str, places: Places, folder: Path) -> Iterator[Layout]:
    """The layout that the builder leaves; in a sandbox one with an image made up from what would be built."""
    assert wanted.build is not None
    if places.simulated:
        with tempfile.TemporaryDirectory(prefix="hwplan-build-") as temp:
            create_layout(Path(temp) / "layout", [f"{wanted.target} ({mark})"])
            yield Layout(Path(temp) / "layout")
        return
    context = context_folder(folder, wanted.build.context, wanted.build.dockerfile)
    assert isinstance(wanted.target, Reference)
    build = wanted.build
    recipe = Recipe(wanted.target, context, build.dockerfile, build.args, wanted.platforms[0], build.builder)
    with built(recipe) as layout:
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
