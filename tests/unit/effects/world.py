"""Two states of manifests as a list of changes: what the effects of a plan are computed from."""

from __future__ import annotations

from pathlib import Path

from planner.document_diff import diff_documents
from planner.graph import build_graph
from planner.plan import Action, Change, Precondition, SideEffect, SideEffectKind
from planner.ports import PresentObject
from planner.side_effects import UntouchedObjects, side_effects_of_plan
from planner.source_line_ref import SourceRef
from tests.unit.loading.fakes import manifests


def set_off(
    before: str,
    after: str,
    tmp_path: Path,
    *,
    replaced: frozenset[str] = frozenset(),
    others: UntouchedObjects | None = None,
    place: str = "",
) -> list[SideEffect]:
    """What follows when the manifests `before`, which live, become `after`; `replaced` are deleted and made anew.
    Without known callers and deliveries, which have tests of their own (`set_off_with_callers`)."""
    found = set_off_with_callers(before, after, tmp_path, replaced=replaced, others=others, place=place)
    return [one for one in found if one.kind not in (SideEffectKind.CALLERS, SideEffectKind.DELIVERY)]


def set_off_with_callers(
    before: str,
    after: str,
    tmp_path: Path,
    *,
    replaced: frozenset[str] = frozenset(),
    others: UntouchedObjects | None = None,
    place: str = "",
) -> list[SideEffect]:
    """The same, with everything."""
    old = {one.address: one for one in manifests(before, tmp_path, "a").resources} if before else {}
    new = {one.address: one for one in manifests(after, tmp_path, "a").resources} if after else {}
    changes = []
    for address, resource in new.items():
        fields = diff_documents(old[address].manifest if address in old else {}, resource.manifest)
        fields = tuple(one for one in fields if one.path[:2] != ("metadata", "annotations"))
        if fields:
            action = Action.UPDATE if address in old else Action.CREATE
            action = Action.REPLACE if address.kind in replaced else action
            changes.append(_change(address, action, resource.manifest, fields))
    gone = [one for address, one in old.items() if address not in new]
    changes += [_change(one.address, Action.DELETE, None, ()) for one in gone]
    seen = {address: PresentObject(address, "uid", "content", one.manifest) for address, one in old.items()}
    return list(
        side_effects_of_plan(
            changes, new, seen, build_graph(list(new.values())), gone, others or UntouchedObjects(), place
        )
    )


def _change(address, action, desired, fields) -> Change:  # type: ignore[no-untyped-def]
    nowhere = SourceRef("a.yaml", 1)
    return Change(address, action, "v1", "", "declared", Precondition(), nowhere, desired, fields)


def workload(kind: str, name: str = "web", *, image: str = "a:1", replicas: int | None = None, spec: str = "",
             pod: str = "", container: str = "") -> str:  # fmt: skip
    """A workload as a flow mapping of YAML; the last three are put into its spec, its pod and its container."""
    count = "" if replicas is None else f"replicas: {replicas}, "
    box = f'{{name: c, image: "{image}"{", " + container if container else ""}}}'
    inside = f"{{containers: [{box}]{', ' + pod if pod else ''}}}"
    template = f"{{metadata: {{labels: {{app: {name}}}}}, spec: {inside}}}"
    selector = f"selector: {{matchLabels: {{app: {name}}}}}"
    extra = f", {spec}" if spec else ""
    return (
        f"---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: demo}}\n"
        f"spec: {{{count}{selector}, template: {template}{extra}}}\n"
    )


def config(kind: str = "ConfigMap", name: str = "conf", **data: str) -> str:
    """A ConfigMap with these keys."""
    inside = ", ".join(f'{key}: "{value}"' for key, value in data.items())
    return f"---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: demo}}\ndata: {{{inside}}}\n"
