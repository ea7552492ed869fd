"""What a command imports: libraries that explain stay off the path of a plan with nothing to do, and of `--help`."""

from __future__ import annotations

import subprocess
import sys

from tests.e2e import manifests
from tests.e2e.conftest import LANE, REPOSITORY
from tests.e2e.hwplan import Hwplan

IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
HEAVY = frozenset(("networkx", "deepdiff"))
# What judges, computes or writes, and brings others along: not before there is something to judge, compute or write.
LATE = frozenset(
    (
        "concurrent.futures", "logging", "pydantic", "re2", "subprocess",
        "planner.app.kustomize",
        "providers.kubernetes.operations.argorepair",
        "providers.kubernetes.preview.change_previewer",
        "providers.kubernetes.ssa.merge",
        "providers.kubernetes.ssa.validate_object",
    )
)  # fmt: skip
MOST_MODULES = 500  # the interpreter's own included; each costs a third of a millisecond


def modules(hwplan: Hwplan, *words: str) -> frozenset[str]:
    """Every module that a command imported."""
    lines = hwplan(*words, env=IMPORTS).err.splitlines()
    return frozenset(line.rpartition("|")[2].strip() for line in lines if "|" in line)


def imported(hwplan: Hwplan, *words: str) -> frozenset[str]:
    """The packages that are explicitly not for every command, of those that this one imported."""
    return HEAVY.intersection(name.partition(".")[0] for name in modules(hwplan, *words))


def test_a_plan_with_nothing_to_do_explains_nothing(simulated: Hwplan) -> None:
    file = manifests.write(simulated.folder, "app.yaml", manifests.APP.format(ns="shop"))
    words = ("-f", file, "--name", "shop")
    simulated("apply", *words, "--confirm")
    assert imported(simulated, "plan", *words, "--detailed-exitcode") == frozenset()


def test_a_plan_with_nothing_to_do_imports_what_it_needs(real: Hwplan, unique: str) -> None:
    """On a cluster; a sandbox is the server as well."""
    file = manifests.write(real.folder, "app.yaml", manifests.APP.format(ns=unique))
    words = ("-f", file, "--name", unique)
    real("apply", *words, "--confirm", "--no-wait")
    found = modules(real, "plan", *words, "--detailed-exitcode")
    assert not found & LATE, sorted(found & LATE)
    assert len(found) <= MOST_MODULES, f"{len(found)} modules"


def test_help_needs_neither(simulated: Hwplan) -> None:
    assert imported(simulated, "--help") == frozenset()


def test_an_explanation_is_paid_for_by_who_asks(simulated: Hwplan) -> None:
    offline = Hwplan(simulated.folder, LANE)
    assert imported(offline, "graph", "--format", "mermaid") == frozenset()
    assert imported(offline, "why", "Deployment.apps/hwlab-v03/openfga") == frozenset(("networkx",))
    said = offline("impact", "Deployment.apps/devops-infra/git-mirror").out
    assert said.startswith("a change of Deployment.apps/devops-infra/git-mirror: ")


COUNT = """
import dataclasses
made = []
create = getattr(dataclasses, "_create_fn", None)  # from Python 3.13 on the methods of a class are compiled together
dataclasses._create_fn = lambda name, *given, **named: made.append(name) or create(name, *given, **named)
import planner.app.plan_with_inputs, planner.app.runtime, planner.cli.plan, planner.render.plan_text
import providers.kubernetes.client.live_cluster
print(len(made))
"""


def test_few_methods_are_compiled_before_a_plan_begins() -> None:
    """Of 150 classes: all of the standard library's methods would be 900 (docs/adr/0044)."""
    ran = subprocess.run([sys.executable, "-c", COUNT], cwd=REPOSITORY, capture_output=True, check=True, text=True)
    assert int(ran.stdout) <= 40, f"{ran.stdout.strip()} methods; take `dataclass` from planner.dataclass"
