"""What a promotion will commit, as far as that is known before the build: which services are built, and which files say
what is to run. Pure.

The rules are those of the pipeline's own scripts (`plan-artifacts`, `gitops-promote`), on the very texts that those are
given: a service is built when what it is made from differs from what the catalog says that its image was made from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import JsonObject

CATALOG = "catalog.json"


@dataclass(frozen=True, slots=True)
class PromotableService:
    """A service that a promotion can build and promote: the repository of its image, the paths of the source that it is
    made from, and its recipe."""

    name: str
    image: str
    paths: tuple[str, ...]
    recipe: str


@dataclass(frozen=True, slots=True)
class PredictedPromotionCommit:
    """What a promotion will commit. `files` are those that will lie in the folder of the GitOps branch, by name;
    `builds` are the services whose digest nobody knows before they are built, each with the repository of its image,
    which in `files` has no digest."""

    files: Mapping[str, str]
    builds: Mapping[str, str]


def parse_promotable_services(text: str) -> tuple[PromotableService, ...]:
    """Read the services of a lane from `services.json`, as the steps of the pipeline do. Raises PermanentError for
    another text."""
    try:
        return tuple(_service(name, one) for name, one in json.loads(text).items())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PermanentError(f"the list of services cannot be read: {error}") from None


def _service(name: str, one: JsonObject) -> PromotableService:
    paths = (one["context"], *(path.removesuffix("/**") for path in one["paths"]))
    return PromotableService(name, str(one["image"]), tuple(sorted(paths)), str(one["envRecipe"]))


def service_source_and_recipe_digest(listings: Sequence[str], recipe: str) -> str:
    """The digest of what a service is built from: listings of its paths in their order (`git ls-tree -r`), and its
    recipe."""
    return hashlib.sha256(("\n".join(listings) + recipe).encode()).hexdigest()


def predict_promotion_commit(
    services: Sequence[PromotableService],
    rendered: Mapping[str, str],
    before: Mapping[str, str],
    listing: Callable[[str], str],
    *,
    anew: bool = False,
) -> PredictedPromotionCommit:
    """Predict the commit of a promotion: its files, and which services are built; with `anew` every service is built.
    `rendered` are the files of the services without digests, `before` those of the branch with its catalog, `listing`
    lists a path of the source. Raises PermanentError for a catalog that is none."""
    known = _catalog(before.get(CATALOG))
    builds = {
        one.name: one.image
        for one in services
        if anew or _inputs(one, listing) != known.get(one.name, {}).get("inputs")
    }
    gone = known.keys() - {one.name for one in services}
    files = {name: text for name, text in before.items() if name.removesuffix(".yaml") not in gone and name != CATALOG}
    for one in services:
        image = one.image if one.name in builds else str(known[one.name]["image"])
        files[f"{one.name}.yaml"] = _pinned(rendered.get(f"{one.name}.yaml", ""), one.image, image)
    return PredictedPromotionCommit(files, builds)


def promotion_files_with_digests(predicted: PredictedPromotionCommit, digests: Mapping[str, str]) -> dict[str, str]:
    """The files as they are committed once the digests of what is built are known."""
    files = dict(predicted.files)
    for name, image in predicted.builds.items():
        files[f"{name}.yaml"] = _pinned(files[f"{name}.yaml"], image, f"{image}@{digests[name]}")
    return files


def make_promotion_catalog(
    services: Sequence[PromotableService],
    before: str | None,
    listing: Callable[[str], str],
    digests: Mapping[str, str],
    commit: str,
) -> JsonObject:
    """The catalog of a promotion: each service with its image, what that was built from, and when. Raises
    PermanentError for an earlier catalog that is none."""
    known = _catalog(before)
    found: JsonObject = {}
    for one in services:
        if one.name in digests:
            image = f"{one.image}@{digests[one.name]}"
            found[one.name] = {"image": image, "inputs": _inputs(one, listing), "sourceCommit": commit}
        else:
            found[one.name] = known[one.name]
    return {"services": found, "sourceCommit": commit}


def _catalog(text: str | None) -> Mapping[str, JsonObject]:
    if text is None:
        return {}
    try:
        found: JsonObject = json.loads(text)["services"]
        return {name: dict(one) for name, one in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PermanentError(f"the catalog of the GitOps branch cannot be read: {error}") from None


def _inputs(service: PromotableService, listing: Callable[[str], str]) -> str:
    return service_source_and_recipe_digest([listing(path) for path in service.paths], service.recipe)


def _pinned(text: str, name: str, image: str) -> str:
    """The text with each line `image: NAME` naming the image."""
    ends = f"image: {name}"
    lines = text.split("\n")
    return "\n".join(line.replace(ends, f"image: {image}") if line.strip() == ends else line for line in lines)
