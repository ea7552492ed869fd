"""Copies over a bad network: connections cut at any byte, and at every class of request."""

from pathlib import Path

import pytest

from planner.errors import OutcomeUnknown, TemporaryError
from planner.plan import Precondition
from planner.ports import Effect, Preview
from providers.images.provider import ImageProvider
from tests.integration.images.making import LAYER, change_of, put_big, resource, stored
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


def through(proxy: FaultProxy, source: ImageRegistry, name: str, folder: Path) -> None:
    """What the executor does: plan, apply, and apply again after an error that is worth it."""
    wanted = resource(source=f"{source.host}/{name}", target=f"127.0.0.1:{proxy.port}/{name}")
    expects = stored(source, name)
    change = change_of(wanted, Preview(Effect.CREATE, expects=expects), Precondition(absent=True))
    for _ in range(6):
        try:
            ImageProvider(folder).apply(change, {})
            return
        except (TemporaryError, OutcomeUnknown):
            continue
    raise AssertionError("the copy never ended")
