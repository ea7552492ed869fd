"""Two real registries, a hostile one, and a listener that must not see a credential."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testbed import image_registry
from tests.testbed.fixtures import part
from tests.testbed.image_registry import HostileRegistry, ImageRegistry


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    with part(), image_registry.running(tmp_path_factory.mktemp("source")) as registry:
        yield registry


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    with part(), image_registry.running(tmp_path_factory.mktemp("target")) as registry:
        yield registry


@pytest.fixture
def hostile() -> Iterator[HostileRegistry]:
    with HostileRegistry() as registry:
        yield registry


@pytest.fixture
def elsewhere() -> Iterator[HostileRegistry]:
    """A listener that must not see a credential."""
    with HostileRegistry() as registry:
        yield registry
        assert not [seen for seen in registry.seen if "authorization" in seen.headers]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves anything in the user's cache, or finds something there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
