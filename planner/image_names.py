"""Parts of image references. Pure; knows no registry."""

from __future__ import annotations


def split_image_reference(image: str) -> tuple[str, str, str]:
    """Repository, tag and digest of a reference; "" for what it does not name."""
    name, _, digest = image.partition("@")
    colon = name.find(":", name.rfind("/"))
    return (name[:colon], name[colon + 1 :], digest) if colon >= 0 else (name, "", digest)


def tag_of_image_copy(tag: str, digest: str) -> str:
    """The tag of a copy: that of the source, or one made from the digest of a source without a tag."""
    return tag or digest.replace(":", "-")[: len("sha256-") + 12]
