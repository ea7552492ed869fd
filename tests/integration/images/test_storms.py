"""Registries that are busy: storms of 429 and 5xx with odd Retry-After, lost uploads."""

from collections import Counter
from pathlib import Path

import pytest

from planner.errors import PermanentError, TemporaryError
from providers.http.retries import RetryLimits
from providers.images.copy_image import ImageLocation, copy_image
from providers.images.image_reference import parse_image_reference
from providers.images.registry_client import RegistryClient
from tests.integration.images.making import put_big, stored
from tests.integration.images.rules import client, tagged
from tests.testbed.image_registry import HostileRegistry, ImageRegistry, Reply, Seen


@pytest.mark.parametrize("value", ["", "0", "1", "3600", "-5", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "9" * 400])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_storms_are_ridden_out_or_given_up(hostile: HostileRegistry, tmp_path: Path, status: int, value: str) -> None:
    tagged(hostile, "1", b"layer")
    image = parse_image_reference(f"{hostile.host}/a/b:1")
    pauses: list[float] = []
    headers = {"Retry-After": value} if value else {}
    left = [3]

    def storm(_: Seen) -> Reply | None:
        left[0] -= 1
        return Reply(status, headers) if left[0] >= 0 else None

    hostile.rules = [storm]
    retries = RetryLimits(tries=4, total=1e6, sleep=pauses.append)
    assert RegistryClient(hostile.host, retries=retries).digest(image)
    assert len(pauses) == 3
    assert all(0 < pause <= 30 for pause in pauses)
    left[0] = 100
    with pytest.raises(TemporaryError, match=str(status)):
        RegistryClient(hostile.host, retries=retries).digest(image)
    assert left[0] == 96


@pytest.mark.parametrize("status", [401, 404, 416, 429, 500, 503])
def test_an_upload_that_is_lost_begins_anew(
    hostile: HostileRegistry, source: ImageRegistry, tmp_path: Path, status: int
) -> None:
    put_big(source, "hostile/anew:1")
    origin = ImageLocation(RegistryClient(source.host), parse_image_reference(f"{source.host}/hostile/anew:1"))
    root = origin.store.manifest(origin.image)
    assert root is not None
    left = [2]

    def lose(seen: Seen) -> Reply | None:
        left[0] -= seen.method == "PUT"
        refused = Reply(status, {"WWW-Authenticate": 'Basic realm="x"'})
        return refused if seen.method == "PUT" and left[0] >= 0 else None

    hostile.rules = [lose]
    copy_image(
        origin,
        root,
        ImageLocation(client(hostile, tmp_path), parse_image_reference(f"{hostile.host}/a/b:1")),
        lambda _: None,
    )
    assert hostile.manifests["1"][1] == root.data
    assert all(part.digest in hostile.blobs for part in root.parts)
    hostile.rules = [lambda seen: Reply(202, {"Location": seen.path}) if seen.method == "PUT" else None]
    hostile.blobs.clear()
    with pytest.raises(PermanentError, match="202"):
        copy_image(
            origin,
            root,
            ImageLocation(client(hostile, tmp_path), parse_image_reference(f"{hostile.host}/a/b:2")),
            lambda _: None,
        )
    assert "2" not in hostile.manifests


# --- storms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0", "-1", "9" * 20, "Wed, 21 Oct 2015 07:28:00 GMT", "\xffodd", "1e9", "NaN"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_storms_while_writing(
    hostile: HostileRegistry, source: ImageRegistry, tmp_path: Path, method: str, value: str
) -> None:
    """429 and then 503 for every request of that method, each begun upload and each manifest."""
    put_big(source, "storm/up:1")
    origin = ImageLocation(RegistryClient(source.host), parse_image_reference(f"{source.host}/storm/up:1"))
    root = origin.store.manifest(origin.image)
    assert root is not None
    hostile.rules = [Storm(method, value)]
    pauses: list[float] = []
    aim = RegistryClient(hostile.host, retries=RetryLimits(tries=8, total=1e6, sleep=pauses.append))
    copy_image(origin, root, ImageLocation(aim, parse_image_reference(f"{hostile.host}/a/b:1")), lambda _: None)
    assert hostile.manifests["1"][1] == root.data
    assert len(pauses) >= 2 and all(0 < pause <= 30 for pause in pauses)


def test_storms_while_reading(hostile: HostileRegistry, target: ImageRegistry, tmp_path: Path) -> None:
    tagged(hostile, "1", b"layer")
    hostile.rules = [Storm("GET", "0")]
    pauses: list[float] = []
    calm = RetryLimits(tries=8, total=1e6, sleep=pauses.append)
    image = parse_image_reference(f"{hostile.host}/a/b:1")
    origin = ImageLocation(RegistryClient(hostile.host, retries=calm), image)
    root = origin.store.manifest(image)
    assert root is not None
    aim = ImageLocation(RegistryClient(target.host, retries=calm), parse_image_reference(f"{target.host}/storm/down:1"))
    copy_image(origin, root, aim, lambda _: None)
    assert stored(target, "storm/down:1") == root.digest
    assert len(pauses) == 6


class Storm:
    """A rule: each path is busy twice for a method."""

    def __init__(self, method: str, value: str) -> None:
        self._method, self._headers = method, {"Retry-After": value}
        self._counts: Counter[str] = Counter()

    def __call__(self, seen: Seen) -> Reply | None:
        if seen.method != self._method:
            return None
        self._counts[seen.path] += 1
        return {1: Reply(429, self._headers), 2: Reply(503, self._headers)}.get(self._counts[seen.path])
