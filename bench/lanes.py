"""The status of one lane against the same reads by the tools of each system, one after the other."""

from __future__ import annotations

import shlex

from bench.scenarios import Rig, Row
from bench.timing import Run, in_turn, run
from tests.e2e.hwplan import Hwplan
from tests.e2e.lane_world import LaneWorld, new_world, site
from tests.testbed import audit, crds
from tests.testbed.image_registry import running as registry

_MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


def status(rig: Rig) -> list[Row]:
    """A lane that is aligned, and nothing changes: `hwplan status`, which reads all twice for one moment (C6), against
    kubectl (of the Application as well), git and curl once for each."""
    namespace = rig.namespace()
    folder = rig.folder / f"{namespace}-lane"
    folder.mkdir()
    crds.install(rig.cluster.api(), [*crds.tekton_crds(), *crds.argo_crds()])
    hwplan = Hwplan(folder, ("--kubeconfig", str(rig.cluster.kubeconfig), "--state", str(folder / "state.db")))
    with registry(folder / "registry") as images, site() as answers:
        world = new_world(hwplan, rig.cluster.api(), images, folder, namespace, answers)
        world.roll_out(commit := world.commit("one"))
        words = world.words
        rig.hwplan("status", *words, state=namespace)
        mark = audit.mark(rig.cluster)
        rig.hwplan("status", *words, state=namespace)
        asked = len(audit.requests(rig.cluster, mark, user_agent="hwplan/"))
        reads = _reads(rig, world, commit)
        found = in_turn(
            {
                "hwplan": lambda: rig.hwplan("status", *words, state=namespace),
                "kubectl, git, curl": lambda: _shell(reads),
            },
            rig.rounds,
        )
    ours, theirs = found["hwplan"], found["kubectl, git, curl"]
    return [
        Row("status of an aligned lane", f"{ours.seconds:.2f} s ({ours.cpu:.2f} s of CPU)", "1 s", ours.seconds < 1),
        Row("  requests to the API server", str(asked), "25", asked < 25),
        Row(
            "  the same reads by kubectl, git and curl", f"{theirs.seconds:.2f} s: {ours.seconds / theirs.seconds:.1f}x"
        ),
    ]


def _reads(rig: Rig, world: LaneWorld, commit: str) -> tuple[str, ...]:
    """What a person would ask: one command for each kind, repository, image and page."""
    kubectl = f"{rig.cluster.kubectl} --kubeconfig={rig.cluster.kubeconfig} -n {world.namespace} get -o json"
    image = f"http://{world.registry.host}/v2/{world.namespace}/api/manifests/{commit}"
    return (
        *(f"{kubectl} {kind}" for kind in ("pipelineruns", "taskruns", "applications", "deployments", "pods")),
        *(f"git ls-remote {shlex.quote(one.url)}" for one in (world.upstream, world.mirror)),
        f"curl -sfI -H 'Accept: {_MANIFEST}' {image}",
        f"curl -sf {world.site.url}",
    )


def _shell(commands: tuple[str, ...]) -> Run:
    return run(["sh", "-ec", "\n".join(commands)])
