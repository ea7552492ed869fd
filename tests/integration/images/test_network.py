"""Copies over a bad network: connections cut at any byte, and at every class of request."""

from pathlib import Path
from typing import get_args

import pytest

from planner.errors import OutcomeUnknown, TemporaryError
from planner.plan import Precondition
from planner.ports import Preview, PreviewEffect
from providers.images.copy_image import ImageLocation, copy_image
from providers.images.image_reference import parse_image_reference
from providers.images.provider import RegistryImageProvider
from providers.images.registry_client import RegistryClient
from tests.integration.images.making import LAYER, SOON, change_of, put_big, put_index, resource, stored
from tests.testbed.http_proxy import Action, HttpFaultProxy, Rule
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.proxy import FaultProxy, Faults


@pytest.mark.parametrize("after", [0, 60, 400, 1500, 3000, 100_000, LAYER, LAYER + 1500])
def test_a_connection_cut_while_uploading(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path, after: int
) -> None:
    """Cut after that many bytes towards the target, twice; then the network is well."""
    name = f"cut/up{after}"
    put_big(source, f"{name}:1")
    with FaultProxy("127.0.0.1", target.port, Faults(reset_after_up=after, count=2)) as proxy:
        through(proxy, source, f"{name}:1", tmp_path)
    assert stored(target, f"{name}:1") == stored(source, f"{name}:1")


@pytest.mark.parametrize("after", [0, 100, 300, 700, 1200])
def test_an_answer_lost_while_uploading(
    source: ImageRegistry, target: ImageRegistry, tmp_path: Path, after: int
) -> None:
    """Cut after that many bytes from the target, twice; then the network is well."""
    name = f"cut/down{after}"
    put_big(source, f"{name}:1")
    with FaultProxy("127.0.0.1", target.port, Faults(reset_after=after, count=2)) as proxy:
        through(proxy, source, f"{name}:1", tmp_path)
    assert stored(target, f"{name}:1") == stored(source, f"{name}:1")


# Every request of a copy that has something to do: side, method, a part of its path, whether it has a body, whether its
# answer has one.
REQUESTS = {
    "head of the tag": ("target", "HEAD", "/manifests/1", False, False),
    "index from the source": ("source", "GET", "/manifests/1", False, True),
    "child from the source": ("source", "GET", "/manifests/sha256:", False, True),
    "blob from the source": ("source", "GET", "/blobs/sha256:", False, True),
    "head of a child": ("target", "HEAD", "/manifests/sha256:", False, False),
    "head of a blob": ("target", "HEAD", "/blobs/sha256:", False, False),
    "begin of an upload": ("target", "POST", "/blobs/uploads/", False, False),
    "bytes of an upload": ("target", "PUT", "/blobs/uploads/", True, False),
    "child": ("target", "PUT", "/manifests/sha256:", True, False),
    "tag": ("target", "PUT", "/manifests/1", True, False),
}
POINTS: list[tuple[str, Action]] = [
    (name, action)
    for name, (_, _, _, body, answer) in REQUESTS.items()
    for action in get_args(Action)
    if (name, action) != ("bytes of an upload", "lose-answer")  # below: that is never a failure
    if action != "status" and (action != "cut-request" or body) and (action != "cut-answer" or answer)
]


@pytest.mark.parametrize(("name", "action"), POINTS)
def test_every_class_of_request_is_cut_at_every_class_of_point(
    source: ImageRegistry, target: ImageRegistry, name: str, action: Action
) -> None:
    """Cut once it is ridden out. Cut for ever it ends in a named error and no tag; then the next run converges."""
    path = f"cut/{name.replace(' ', '-')}-{action}"
    digest = put_index(source.host, f"{path}:1", salt=path)
    side, method, part_of_path, *_ = REQUESTS[name]

    def matches(sent: str, url: str) -> bool:
        return sent == method and part_of_path in url

    with HttpFaultProxy(f"http://{source.host}") as first, HttpFaultProxy(f"http://{target.host}") as second:
        rules = (first if side == "source" else second).rules
        rules.append(Rule(action, times=10**6, matches=matches))
        with pytest.raises(TemporaryError) as caught:
            copied(first, second, path)
        assert caught.value.where.startswith("127.0.0.1:")
        done = (name, action) == ("tag", "lose-answer")  # the work was done, and nobody knows
        assert stored(target, f"{path}:1") == (digest if done else "")
        rules[0].times = 1
        copied(first, second, path)
        if not done:
            assert rules[0].times == 0, "the second copy did not meet the fault"
    assert stored(target, f"{path}:1") == digest


def test_a_blob_whose_answer_is_always_lost_is_sent_once(source: ImageRegistry, target: ImageRegistry) -> None:
    digest = put_index(source.host, "cut/once:1", salt="once")
    with HttpFaultProxy(f"http://{source.host}") as first, HttpFaultProxy(f"http://{target.host}") as second:
        second.rules.append(Rule("lose-answer", 10**6, matches=lambda sent, url: sent == "PUT" and "/uploads/" in url))
        copied(first, second, "cut/once")
        assert len([url for sent, url in second.requests if sent == "PUT" and "/uploads/" in url]) == 6
    assert stored(target, "cut/once:1") == digest


def copied(source: HttpFaultProxy, target: HttpFaultProxy, path: str) -> None:
    """A copy of all platforms through both proxies, as the effect does it."""
    places = []
    for proxy in (source, target):
        host = f"127.0.0.1:{proxy.port}"
        places.append(ImageLocation(RegistryClient(host, retries=SOON), parse_image_reference(f"{host}/{path}:1")))
    root = places[0].store.manifest(places[0].image)
    assert root is not None
    places[1].store.digest(places[1].image)
    copy_image(places[0], root, places[1], lambda _: None)


def through(proxy: FaultProxy, source: ImageRegistry, name: str, folder: Path) -> None:
    """What the executor does: plan, apply, and apply again after an error that is worth it."""
    wanted = resource(source=f"{source.host}/{name}", target=f"127.0.0.1:{proxy.port}/{name}")
    expects = stored(source, name)
    change = change_of(wanted, Preview(PreviewEffect.CREATE, expects=expects), Precondition(absent=True))
    for _ in range(6):
        try:
            RegistryImageProvider(folder).apply(change, {})
            return
        except (TemporaryError, OutcomeUnknown):
            continue
    raise AssertionError("the copy never ended")
