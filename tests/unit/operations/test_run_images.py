"""Digests by Tekton's type-hint names (Tekton Chains, "type hinting")."""

from __future__ import annotations

import pytest

from planner.values import Json
from providers.kubernetes.operations.tekton_run_images import images_built_by_run

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("results", "images"),
    [
        (
            {"IMAGE_URL": "r.example/shop/api:1", "IMAGE_DIGEST": A},
            {"api": {"url": "r.example/shop/api:1", "digest": A}},
        ),
        ({"API_IMAGE_DIGEST": A}, {"api": {"digest": A}}),
        ({"cloud-web-IMAGE_DIGEST": A}, {"cloud-web": {"digest": A}}),
        ({"CLOUD_WEB_IMAGE_DIGEST": f"{A}\n"}, {"cloud-web": {"digest": A}}),
        ({"IMAGE_DIGEST": A}, {"image": {"digest": A}}),
        (
            {"IMAGES": f"r.example:5000/x/api:1@{A}, r.example/x/web@{B}"},
            {"api": {"url": "r.example:5000/x/api:1", "digest": A}, "web": {"url": "r.example/x/web", "digest": B}},
        ),
        ({"IMAGES": f"r.example/x/api@{A}\nr.example/x/web@{B}\n"}, ["api", "web"]),
        ({"IMAGE_DIGEST": "latest"}, {}),
        ({"IMAGE_DIGEST": A[:-1]}, {}),
        ({"IMAGE_DIGEST": ["x"], "IMAGES": {"a": "b"}}, {}),
        ({"IMAGE_URL": "r.example/x"}, {}),
        ({"commit": "x", "NOT_IMAGES": A, "IMAGE_DIGESTS": A}, {}),
        ({}, {}),
    ],
)
def test_images(results: dict[str, Json], images: object) -> None:
    found = images_built_by_run(results)
    assert (list(found) if isinstance(images, list) else found) == images
