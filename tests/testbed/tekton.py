"""Tekton on a cluster of the testbed: the real one where `HWPLAN_TEKTON` names it, else a stand-in.

No package registry serves Tekton, so the stand-in plays its controller and webhook against the real API server: the
documented behaviour that hwplan depends on, and no more. It is held to recordings of the real one
(`tests/integration/test_tekton_recordings.py`), and the same tests run against the real one (`tekton_real.py`). What is
neither recorded nor documented is not assumed. A difference from the real one is a fault of the stand-in.

Owns start and stop, and the namespaces that it acts in: each is marked, so that other tests may write objects of
Tekton's kinds that nothing touches. (The real controller acts in every namespace; its admission only in those.)
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.testbed import crds, tekton_admission, tekton_real
from tests.testbed.api import Api
from tests.testbed.cluster import TestCluster
from tests.testbed.tekton_controller import Controller
from tests.testbed.tekton_steps import Player, Program


@dataclass
class Tekton:
    """A running stand-in. `programs` are what tasks do, by namespace and the beginning of a task's name; `failures`
    what retained it from its work, for whoever reads why a test failed."""

    cluster: TestCluster
    programs: dict[str, dict[str, Program]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def api(self) -> Api:
        """The administrator's client of the cluster."""
        return self.cluster.api()

    def enable(self, namespace: str, programs: Mapping[str, Program] | None = None) -> None:
        """Act in a namespace from now on, with these programs for tasks; others succeed at once."""
        self.programs[namespace] = dict(programs or {})
        label = {tekton_admission.NAMESPACE_LABEL: "true"}
        self.api.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": label}})


@contextmanager
def running(cluster: TestCluster, folder: Path, *, plays: bool = True) -> Iterator[Tekton]:
    """Tekton on `cluster` while the block lasts; with `plays=False` somebody else plays the pods. Raises PartMissing
    where `HWPLAN_TEKTON` names a folder without it."""
    folder.mkdir(parents=True, exist_ok=True)
    value = Tekton(cluster)
    player = Player(cluster, value.programs.get, value.failures) if plays else None
    with _controlled(value, folder):
        if player is not None:
            player.start()
        try:
            yield value
        finally:
            if player is not None:
                player.stop()


def _controlled(value: Tekton, folder: Path) -> AbstractContextManager[None]:
    if (real := tekton_real.folder()) is not None:
        return tekton_real.running(value.cluster, real, folder, tekton_admission.NAMESPACE_LABEL)
    return _stand_in(value, folder)


@contextmanager
def _stand_in(value: Tekton, folder: Path) -> Iterator[None]:
    crds.install(value.api, crds.tekton_crds(), deadline=60)
    controller = Controller(value.api, value.programs.__contains__, value.failures)
    with tekton_admission.serving(value.cluster, folder):
        controller.start()
        try:
            yield
        finally:
            controller.stop()
