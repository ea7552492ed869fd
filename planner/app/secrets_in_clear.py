"""Values of secrets that a declaration repeats in clear, where they cannot be sealed: a ConfigMap, an argument.

What is declared has to be carried to the cluster as it is, so a plan that writes it holds it, and so do the state and a
saved plan. Pages and JSON mask it, by the fields that are named here: a saved plan is shown by commands that never
learned the secret. A warning says so, for whoever can still take it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planner.document_editing import value_at
from planner.field_path import FieldPath, render_path
from planner.plan import Change, Plan
from planner.planning.plan_inputs import PlanInputs
from planner.ports import PreviewEffect
from planner.redaction.clean_values import is_value_clean
from planner.redaction.redactor import REDACTOR
from planner.values import JsonValue, value_leaves


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
        if fields := [render_path(path) or "its keys" for path in _fields_in_clear(manifest)]:
            yield (
                f"{address.local} repeats the value of a secret in {', '.join(fields)}: so it goes into the state, a"
                " saved plan and the cluster; read it from the Secret instead (secretKeyRef, a volume)"
            )


def with_secrets_in_clear_named(plan: Plan) -> Plan:
    """The plan whose changes name the fields in which they repeat the value of a secret."""
    if is_value_clean(tuple(change.desired for change in plan.changes)):  # as above
        return plan
    return replace(plan, changes=tuple(map(_named, plan.changes)))


def learn_secrets_in_clear(plan: Plan) -> None:
    """Teach the redactor what the changes of an earlier plan repeat: a command that goes back to it may never read the
    secrets. Of each field the whole text is learned; where the secret begins in it is not known any more."""
    for change in plan.changes:
        for path in change.in_clear:
            for _, leaf in value_leaves(value_at(change.desired, path)):
                if isinstance(leaf, str):
                    REDACTOR.learn(leaf.encode("utf-8", "surrogatepass"))


def _named(change: Change) -> Change:
    if is_value_clean(change.desired):
        return change
    return replace(change, in_clear=tuple(_fields_in_clear(change.desired)))


def _fields_in_clear(value: JsonValue, path: FieldPath = ()) -> Iterator[FieldPath]:
    """The texts that repeat a secret; of a map with a key that does, the whole map: the path would say it."""
    if isinstance(value, dict) and all(REDACTOR.clean(key) == key for key in value):
        for key, item in value.items():
            yield from _fields_in_clear(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _fields_in_clear(item, (*path, index))
    elif isinstance(value, dict) or (isinstance(value, str) and REDACTOR.clean(value) != value):
        yield path
