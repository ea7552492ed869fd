"""Digests of a plan do not depend on how this program is written: a renamed class would make every approval void."""

from __future__ import annotations

from tests.e2e.hwplan import Hwplan

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\ndata: {a: b}\n"
INPUTS = {
    "config": "sha256:c664e24c4e6fc04582b4904dca758a9f18a80088b537d9e47b575a9a084eb99d",
    "live": "sha256:b5928a0c63e976a756eb24ebf704e0c34136353a2c4fe1ef04b20e846db01645",
}
STAMP = "sha256:3826287b08b4b5db9c2e687c3f86a5e5eb0b45263fa7d04d2098467e2d837742"


def test_digests_of_a_small_plan(simulated: Hwplan) -> None:
    """A change of these values is a change of the plan format, and belongs into the changelog."""
    (simulated.folder / "a.yaml").write_text(MANIFEST)
    plan = simulated.plan("-f", "a.yaml", "--name", "x")
    (change,) = plan["changes"]
    assert plan["inputs"] == INPUTS
    assert change["desired"]["metadata"]["annotations"]["hwplan.dev/applied"] == STAMP
