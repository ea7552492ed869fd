"""Values of secrets that a declaration repeats in clear, where they cannot be sealed: a ConfigMap, an argument.

What is declared has to be carried to the cluster as it is, so a plan that writes it holds it, and so do the state and a
saved plan. Pages mask it; this says so, for whoever can still take it out.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.field_path import render_path
from planner.planning.plan_inputs import PlanInputs
from planner.ports import PreviewEffect
from planner.redaction.clean_values import is_value_clean
from planner.redaction.redactor import REDACTOR
from planner.values import value_leaves


def warn_of_secrets_in_clear(inputs: PlanInputs) -> Iterator[str]:
    """A warning for each resource about to be written that repeats values of secrets, with the fields; no value."""
    written = {
        address: inputs.resources[address].manifest
        for address, preview in inputs.previews.items()
        if preview.effect is not PreviewEffect.NONE and address in inputs.resources
    }
    if is_value_clean(tuple(written.values())):  # nearly always, and one look at all of them is cheaper
        return
    for address, manifest in sorted(written.items()):
        if is_value_clean(manifest):
            continue
        leaves = ((path, leaf) for path, leaf in value_leaves(manifest) if isinstance(leaf, str))
        if fields := [render_path(path) for path, leaf in leaves if REDACTOR.clean(leaf) != leaf]:
            yield (
                f"{address.local} repeats the value of a secret in {', '.join(fields)}: so it goes into the state, a"
                " saved plan and the cluster; read it from the Secret instead (secretKeyRef, a volume)"
            )
