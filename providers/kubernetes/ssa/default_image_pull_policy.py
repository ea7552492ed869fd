"""Which pull policy an image name stands for. Pure.

Source: SetDefaults_Container and util/parsers of Kubernetes 1.36, and the grammar of github.com/distribution/reference:
a name that cannot be read has no tag, and so none that is `latest`.
"""

from __future__ import annotations

import re

_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])"
_DOMAIN = re.compile(rf"{_HOST}(?::[0-9]+)?", re.ASCII)
_REST = re.compile(
    rf"(?P<path>{_PATH}(?:/{_PATH})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?P<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{{32,}})?",
    re.ASCII,
)
_LONGEST = 255
_IDENTIFIER = re.compile("[a-f0-9]{64}")


def default_image_pull_policy(image: str) -> str:
    """The imagePullPolicy that the server gives a container which names none: `Always` for the tag `latest`, given or
    implied, else `IfNotPresent`."""
    first, slash, rest = image.partition("/")
    if slash and (set(".:") & set(first) or first == "localhost" or first.lower() != first):
        path = rest if _DOMAIN.fullmatch(first) else ""
    else:
        path = "" if _IDENTIFIER.fullmatch(image) else image
    found = _REST.fullmatch(path)
    if found is None or len(found["path"]) > _LONGEST:
        return "IfNotPresent"
    tag = found["tag"] or ("" if found["digest"] else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"
