"""What all models share: strictness, camelCase names in YAML, the checked text types. Owns no concept of its own."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints
from pydantic.alias_generators import to_camel

from planner import duration


class StrictModel(BaseModel):
    """A strict, frozen model: unknown fields are errors, sequences are tuples, errors never echo input."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        str_max_length=262_144,
        defer_build=True,
    )


_DIGEST = re.compile(r"[0-9a-f]{64}")
_HOST_CHARS = re.compile(r"[A-Za-z0-9.\-\[\]:]+")
_IMAGE_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_REF_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")


def _duration(text: str) -> str:
    try:
        duration.parse_duration(text)
    except ValueError:
        raise ValueError("not a duration: write 90s, 5m or 1h30m") from None
    return text


def split_url(text: str, schemes: tuple[str, ...]) -> tuple[str, str, str, str]:
    """Scheme, user, host with port, and path of a URL. Raises ValueError, never with the URL (it may hold a token)."""
    scheme, mark, rest = text.partition("://")
    if not mark or scheme not in schemes:
        raise ValueError("expected a URL that starts with " + " or ".join(f"{name}://" for name in schemes))
    if any(char.isspace() or ord(char) < 32 for char in text):
        raise ValueError("a URL holds no spaces or control characters")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if at and (":" in user or scheme in ("http", "https")):
        raise ValueError("no user, password or token in a URL: credentials are named by a secret")
    if scheme != "file" and (not host or host.startswith("-") or not _HOST_CHARS.fullmatch(host)):
        raise ValueError("the URL has no valid host")
    return scheme, user, host, slash + path


def _http_url(text: str) -> str:
    split_url(text, ("http", "https"))
    return text


def _git_url(text: str) -> str:
    *_, path = split_url(text, ("ssh", "https", "http", "file"))
    if len(path) < 2 or path.startswith("/-"):
        raise ValueError("the URL names no repository")
    return text


def _image(text: str) -> str:
    name, _, digest = text.partition("@")
    if digest and not (digest.startswith("sha256:") and _DIGEST.fullmatch(digest[7:])):
        raise ValueError("the digest must be sha256: and 64 hexadecimal digits")
    host, slash, rest = name.partition("/")
    if not slash or ("." not in host and ":" not in host and host != "localhost"):
        raise ValueError("an image needs its registry in front: docker.io/library/..., quay.io/..., 127.0.0.1:5000/...")
    path, colon, tag = rest.partition(":")
    if not _IMAGE_PATH.fullmatch(path) or (colon and not _TAG.fullmatch(tag)):
        raise ValueError("not an image reference: expected registry/path:tag or registry/path@sha256:...")
    if tag == "latest" or not (tag or digest):
        raise ValueError("an image needs a fixed tag or a digest; `latest` moves by itself")
    return text


def _image_source(text: str) -> str:
    if not text.startswith("oci:"):
        return _image(text)
    path, colon, name = text.removeprefix("oci:").partition(":")
    _inner_path(path)
    if colon and (not name or not name.isprintable() or " " in name):
        raise ValueError("expected oci:FOLDER or oci:FOLDER:NAME, the name as the layout's index.json has it")
    return text


def _branch(text: str) -> str:
    misleading = any(part in text for part in ("..", "//", "/-", "/.", ".lock/"))
    if misleading or text.endswith((".lock", "/", ".")) or not _REF_PART.fullmatch(text):
        raise ValueError("not a name of a branch or ref: letters, digits and ._/-, no `..`, no part begins with - or .")
    return text


def _full_ref(text: str) -> str:
    if not text.startswith("refs/"):
        raise ValueError("expected a full ref name: refs/heads/..., refs/tags/... or refs/<own>/...")
    _branch(text.removeprefix("refs/"))
    return text


def _inner_path(text: str) -> str:
    parts = text.split("/")
    if text.startswith(("/", "~")) or "\\" in text or any(part in ("", ".", "..") for part in parts):
        raise ValueError("expected a relative path without `..`")
    return text


_NAME = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
_NODE_NAME = r"^[A-Za-z0-9]([-A-Za-z0-9_]{0,61}[A-Za-z0-9])?$"
_QUANTITY = r"^[0-9]{1,9}(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"
_SHA256 = r"^[0-9a-f]{64}$"
_ENV_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
FORMS = {  # what a pattern means, for people
    _NAME: "lower-case letters, digits and - (at most 63)",
    _NODE_NAME: "letters, digits, - and _ (at most 63)",
    _QUANTITY: "a quantity such as 500m, 2 or 10Gi, in quotes where it is a number",
    _SHA256: "64 hexadecimal digits",
    _ENV_NAME: "a name of letters, digits and _",
}

Text: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Name: TypeAlias = Annotated[str, StringConstraints(pattern=_NAME)]
DottedName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]
NodeName: TypeAlias = Annotated[str, StringConstraints(pattern=_NODE_NAME)]
KeyName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]
EnvName: TypeAlias = Annotated[str, StringConstraints(pattern=_ENV_NAME)]
Quantity: TypeAlias = Annotated[str, StringConstraints(pattern=_QUANTITY)]
Cron: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[-0-9*/,A-Za-z]+( [-0-9*/,A-Za-z]+){4}$", max_length=80)]
Sha256: TypeAlias = Annotated[str, StringConstraints(pattern=_SHA256)]
Commit: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
RepoName: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][-A-Za-z0-9]{0,38}/[A-Za-z0-9._-]{1,100}$")
]
FileMode: TypeAlias = Annotated[str, StringConstraints(pattern=r"^0[0-7]{3}$")]
RegistryHost: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9.]*(:[0-9]{1,5})?$", max_length=253)
]
ScrapeTarget: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([-A-Za-z0-9.]*)):[0-9]{1,5}$", max_length=260)
]
ClientId: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][-A-Za-z0-9_.:@/]{0,199}$")]
MetricName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$")]
LabelName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,99}$")]
Duration: TypeAlias = Annotated[str, StringConstraints(max_length=20), AfterValidator(_duration)]
HttpUrl: TypeAlias = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_http_url)]
GitUrl: TypeAlias = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_git_url)]
Platform: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^(all|[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?)$", max_length=64)
]
ImageRef: TypeAlias = Annotated[str, StringConstraints(max_length=512), AfterValidator(_image)]
ImageSource: TypeAlias = Annotated[str, StringConstraints(max_length=1024), AfterValidator(_image_source)]
Branch: TypeAlias = Annotated[str, StringConstraints(max_length=200), AfterValidator(_branch)]
FullRef: TypeAlias = Annotated[str, StringConstraints(max_length=250), AfterValidator(_full_ref)]
InnerPath: TypeAlias = Annotated[str, StringConstraints(max_length=1024), AfterValidator(_inner_path)]
Port: TypeAlias = Annotated[StrictInt, Field(ge=1, le=65535)]
Count: TypeAlias = Annotated[StrictInt, Field(ge=0, le=1_000_000)]
Flag: TypeAlias = StrictBool
Values: TypeAlias = dict[str, Any]
