"""An object that a run wrote, and of which somebody changed the label of the set: it stays, and is named."""

from __future__ import annotations

import pytest

from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan

_TWO = "\n---\n".join(
    f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}" for name in ("kept", "lost")
)
_LOST = "ConfigMap/default/lost"
_WORDS = "it stays: run 1 wrote it, but it no longer says that it is ours"


@pytest.mark.parametrize(("value", "why"), [("null", "took its label"), ("other", "hwplan.dev/set says other")])
def test_what_lost_its_label_is_named_by_plan_and_destroy(simulated: Hwplan, value: str, why: str) -> None:
    file = manifests.write(simulated.folder, "a.yaml", _TWO)
    words = ("-f", file, "--name", "s")
    simulated("apply", *words, "--confirm")
    assert "it stays" not in simulated("destroy", *words).out
    simulated(
        "sandbox", "set", "box", _LOST, f"metadata.labels[hwplan.dev/set]={value}", "--manager", "x"
    )  # fmt: skip
    for ran in (simulated("destroy", *words), simulated("destroy", "--set", "s")):
        assert f"{_LOST}: {_WORDS}" in ran.out and why in ran.out
    manifests.write(simulated.folder, "a.yaml", _TWO.partition("---")[0])
    assert f"{_LOST}: {_WORDS}" in simulated("plan", *words).out
    assert "it stays" not in simulated("plan", *words, "--target", "ConfigMap/*/kept").out
    manifests.write(simulated.folder, "a.yaml", _TWO)
    done = simulated("destroy", *words, "--confirm")
    assert f"{_LOST}: {_WORDS}" in done.out and "all 1 done" in done.out
    assert _WORDS in simulated("destroy", *words, "--confirm", "--json").json["warnings"][0]
    simulated("state", "rm", _LOST)
    assert "it stays" not in simulated("destroy", *words).out


def test_another_object_of_the_name_is_nobody_s_business(simulated: Hwplan) -> None:
    file = manifests.write(simulated.folder, "a.yaml", _TWO)
    simulated("apply", "-f", file, "--name", "s", "--confirm")
    simulated("sandbox", "delete", "box", _LOST)
    kept, lost = _TWO.split("---\n")
    other = Hwplan(simulated.folder, (*simulated.where, "--state", "other.db"))
    other("apply", "-f", "-", "--name", "t", "--confirm", stdin=lost)
    assert "it stays" not in simulated("plan", "-f", "-", "--name", "s", stdin=kept).out
