"""Names of images: `registry/path:tag@digest`, `oci:folder:name`, and the digests in them. Opens nothing.

Everything is checked against a narrow form before it gets into a URL or a path (containers/image CVE-2024-3727).
"""

from __future__ import annotations

import ipaddress
import re

from planner.dataclass import dataclass
from planner.errors import PermanentError

_HOST = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?(?::[0-9]{1,5})?")
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}")
_API_HOSTS = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image by name. `tag` or `digest` may be empty, not both."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def wanted(self) -> str:
        """What is asked for: the digest when there is one, else the tag."""
        return self.digest or self.tag

    @property
    def api_host(self) -> str:
        """The host that answers for this registry."""
        return _API_HOSTS.get(self.host, self.host)

    @property
    def tagged(self) -> str:
        """The name without the digest."""
        return f"{self.host}/{self.path}" + (f":{self.tag}" if self.tag else "")

    def by_digest(self, digest: str) -> ImageReference:
        """The same repository, by digest only."""
        return ImageReference(self.host, self.path, digest=check_digest_syntax(digest))

    def __str__(self) -> str:
        return self.tagged + (f"@{self.digest}" if self.digest else "")


@dataclass(frozen=True, slots=True)
class LayoutReference:
    """An image of an OCI layout in `folder` (relative to the configuration folder). `name` is "" for the only one."""

    folder: str
    name: str

    def __str__(self) -> str:
        return f"oci:{self.folder}" + (f":{self.name}" if self.name else "")


def parse_image_or_layout_reference(text: object) -> ImageReference | LayoutReference:
    """Parse an image reference, or `oci:FOLDER[:NAME]`. Raises PermanentError; the text is not repeated in it."""
    if not isinstance(text, str) or not text.startswith("oci:"):
        return parse_image_reference(text)
    folder, colon, name = text.removeprefix("oci:").partition(":")
    if not folder or (colon and not name) or "\0" in text or len(text) > 1024:
        raise PermanentError("this is no image of a layout", remedy="write oci:FOLDER or oci:FOLDER:NAME")
    return LayoutReference(folder, name)


def parse_image_reference(text: object) -> ImageReference:
    """Parse an image reference with its registry in front. Raises PermanentError; the text is not repeated in it."""
    if isinstance(text, str) and len(text) <= 512:
        name, at, digest = text.partition("@")
        host, _, rest = name.partition("/")
        path, colon, tag = rest.partition(":")
        good = _HOST.fullmatch(host) and ("." in host or ":" in host or host == "localhost") and _PATH.fullmatch(path)
        tag_good = _TAG.fullmatch(tag) if colon else not tag
        digest_good = _DIGEST.fullmatch(digest) if at else not digest
        if good and tag_good and digest_good and (tag or digest):
            return ImageReference(host, path, tag, digest)
    raise PermanentError("this is no image reference", remedy="write registry/path:tag or registry/path@sha256:...")


def is_digest(text: object) -> bool:
    """Whether this is `sha256:` and 64 lower-case hexadecimal digits."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def check_digest_syntax(text: object) -> str:
    """A digest as it is. Raises PermanentError for anything else: it becomes part of URLs and paths."""
    if isinstance(text, str) and is_digest(text):
        return text
    raise PermanentError("this is no sha256 digest")


def is_loopback(host: str) -> bool:
    """Whether a `name` or `name:port` is this machine itself."""
    name = host.partition(":")[0]
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
