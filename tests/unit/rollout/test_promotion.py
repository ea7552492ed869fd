"""What a promotion will commit, by the rules of the pipeline's own scripts."""

from __future__ import annotations

import json

import pytest

from planner.errors import PermanentError
from planner.rollout.promotion_commit_prediction import (
    PromotableService,
    parse_promotable_services,
    predict_promotion_commit,
    service_source_and_recipe_digest,
)

API = PromotableService("api", "r/shop/api", ("packages/a", "services/api"), "npm")
WEB = PromotableService("web", "r/shop/web", ("services/web",), "none")
TREES = {"packages/a": "100644 blob 1\tpackages/a/x\n", "services/api": "", "services/web": "100644 blob 2\tw\n"}
RENDERED = {f"{one.name}.yaml": f"spec:\n  image: {one.image}\n  other: {one.image}:1\n" for one in (API, WEB)}


def _listing(path: str) -> str:
    return TREES[path]


def _built(service: PromotableService, digest: str = "sha256:" + "a" * 64) -> dict[str, str]:
    inputs = service_source_and_recipe_digest([_listing(path) for path in service.paths], service.recipe)
    return {"image": f"{service.image}@{digest}", "inputs": inputs}


def _catalog(**services: dict[str, str]) -> dict[str, str]:
    return {"catalog.json": json.dumps({"sourceCommit": "c", "services": services})}


def test_b4_without_a_catalog_everything_is_built_and_no_digest_is_known() -> None:
    found = predict_promotion_commit((API, WEB), RENDERED, {}, _listing)
    assert found.builds == {"api": "r/shop/api", "web": "r/shop/web"}
    assert found.files == RENDERED


def test_b14_what_is_made_from_the_same_is_reused_with_the_digest_of_the_catalog() -> None:
    before = _catalog(api=_built(API), web={**_built(WEB), "inputs": "other"})
    found = predict_promotion_commit((API, WEB), RENDERED, before, _listing)
    assert found.builds == {"web": "r/shop/web"}
    lines = found.files["api.yaml"].splitlines()
    assert lines == ["spec:", f"  image: r/shop/api@sha256:{'a' * 64}", "  other: r/shop/api:1"]


def test_a_service_that_left_takes_its_file_along_and_files_of_others_stay() -> None:
    before = _catalog(api=_built(API), old=_built(WEB)) | {"old.yaml": "x", "by-hand.yaml": "y", "api.yaml": "z"}
    found = predict_promotion_commit((API,), RENDERED, before, _listing)
    assert sorted(found.files) == ["api.yaml", "by-hand.yaml"] and found.files["by-hand.yaml"] == "y"


def test_services_are_read_as_the_steps_read_them() -> None:
    text = json.dumps({"api": {"image": "r/a", "context": "services/api", "paths": ["packages/a/**"],
                               "envRecipe": "npm", "port": 1}})  # fmt: skip
    assert parse_promotable_services(text) == (PromotableService("api", "r/a", ("packages/a", "services/api"), "npm"),)


@pytest.mark.parametrize("text", ["", "[]", '{"api": {}}', '{"api": 1}'])
def test_what_is_no_list_of_services_is_refused(text: str) -> None:
    with pytest.raises(PermanentError, match="services cannot be read"):
        parse_promotable_services(text)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"services": {"api": 1}}'])
def test_a_catalog_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PermanentError, match="catalog"):
        predict_promotion_commit((API,), RENDERED, {"catalog.json": text}, _listing)
