"""Names of images."""

import pytest

from planner.errors import PermanentError
from providers.images.image_reference import ImageReference, check_digest_syntax, is_loopback, parse_image_reference

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("docker.io/library/alpine:3.20", ImageReference("docker.io", "library/alpine", "3.20")),
        ("127.0.0.1:5000/a:1", ImageReference("127.0.0.1:5000", "a", "1")),
        ("localhost/a@" + DIGEST, ImageReference("localhost", "a", "", DIGEST)),
        ("quay.io/a/b_c/d-e:v1@" + DIGEST, ImageReference("quay.io", "a/b_c/d-e", "v1", DIGEST)),
    ],
)
def test_good_references(text: str, reference: ImageReference) -> None:
    assert parse_image_reference(text) == reference
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alpine:3",
        "library/alpine:3",
        "docker.io/library/alpine",
        "docker.io/Library/alpine:1",
        "docker.io/a/../b:1",
        "docker.io/a//b:1",
        "docker.io/a:1@sha256:" + "A" * 64,
        "docker.io/a:1@sha256:" + "a" * 63,
        "docker.io/a:1@sha512:" + "a" * 128,
        "docker.io/a:1@",
        "docker.io/a:",
        "docker.io/a:1\n",
        "docker.io/a:1 --flag",
        "user@docker.io/a:1",
        "docker.io:99999999/a:1",
        "-x.io/a:1",
        "docker.io/a:" + "1" * 129,
        None,
        7,
    ],
)
def test_bad_references_are_refused_and_not_repeated(text: object) -> None:
    with pytest.raises(PermanentError) as caught:
        parse_image_reference(text)
    assert caught.value.message == "this is no image reference"


@pytest.mark.parametrize("text", ["sha256:../../../etc", "sha256:" + "a" * 64 + "\n", "sha256:" + "g" * 64, 5, ""])
def test_digests_are_narrow(text: object) -> None:
    with pytest.raises(PermanentError):
        check_digest_syntax(text)


def test_the_hub_and_this_machine() -> None:
    assert parse_image_reference("docker.io/a/b:1").api_host == "registry-1.docker.io"
    assert [is_loopback(host) for host in ("127.0.0.1:5000", "localhost", "10.0.0.1:5000", "127.evil.org")] == [
        True,
        True,
        False,
        False,
    ]
