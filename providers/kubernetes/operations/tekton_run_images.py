"""Images that a Tekton run says it has built, by the names of its results. Pure.

The names are the type hints of Tekton Chains: `X_IMAGE_URL` with `X_IMAGE_DIGEST`, and `IMAGES`, a list of
`URL@DIGEST` separated by commas or line breaks (Tekton documentation, "Chains type hinting").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from planner.values import Json, JsonObject, JsonValue

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ONE = re.compile(r"(?P<prefix>.*?)[-_]?(?P<part>IMAGE_URL|IMAGE_DIGEST)")
_TAG = re.compile(r":[^:/@]+$")


def images_built_by_run(results: Mapping[str, Json]) -> JsonObject:
    """`{name: {url, digest}}` of all images with a digest; a name comes from the prefix of a result, or the end of the
    URL. A digest that is none is left out."""
    found: dict[str, JsonObject] = {}
    for name, digest, url in (*_single(results), *_listed(results)):
        if isinstance(digest, str) and _DIGEST.fullmatch(digest.strip()):
            given = {"url": url.strip()} if isinstance(url, str) and url.strip() else {}
            found[name] = {**given, "digest": digest.strip()}
    return dict(sorted(found.items()))


def _single(results: Mapping[str, Json]) -> Iterator[tuple[str, Json, Json]]:
    for key, value in results.items():
        match = _ONE.fullmatch(key)
        if match and match["part"] == "IMAGE_DIGEST":
            url = results.get(key.removesuffix("IMAGE_DIGEST") + "IMAGE_URL")
            prefix = match["prefix"].strip("-_").lower().replace("_", "-")
            yield prefix or _short(url) or "image", value, url


def _listed(results: Mapping[str, Json]) -> Iterator[tuple[str, Json, Json]]:
    listed = results.get("IMAGES")
    for entry in re.split(r"[,\s]+", listed) if isinstance(listed, str) else ():
        url, at, digest = entry.partition("@")
        if at:
            yield _short(url), digest, url


def _short(url: JsonValue) -> str:
    """The last part of a repository, without a tag."""
    return _TAG.sub("", url.strip().partition("@")[0]).rpartition("/")[2] if isinstance(url, str) else ""
