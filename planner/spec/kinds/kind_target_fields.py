"""Which fields of hwplan's own kinds name what they act on: a part of the kind table, read where the graph is drawn.

Data only, and without the models, whose import takes longer than a graph. A kind that acts on nothing has no entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planner.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TargetAddressField:
    """A field of a spec, an address or a list of them, whose objects stand before the resource by the edge rule `rule`.

    `named` is kind and group where the field holds `namespace/name` or a bare name that only one declared resource has.
    `before_target`: what it names also stands before the first target of the resource, and may be an output.
    `else_after`: the kind of this node and lane that the resource comes after when the target is not declared.
    """

    name: str
    rule: str = "target"
    named: tuple[str, str] | None = None
    before_target: bool = False
    else_after: str = ""


@dataclass(frozen=True, slots=True)
class KindTargetFields:
    """The fields of a kind that name what it acts on: `fields`, the target itself first; `selector` is the field that
    selects objects by kind and namespace, "" for none."""

    fields: tuple[TargetAddressField, ...] = ()
    selector: str = ""


_APPLICATION: Final = ("Application", "argoproj.io")

TARGETS: Final[Mapping[str, KindTargetFields]] = {
    "ArgoRepair": KindTargetFields((TargetAddressField("application", named=_APPLICATION),)),
    "ArgoSync": KindTargetFields((TargetAddressField("application", named=_APPLICATION),)),
    "PodExec": KindTargetFields((TargetAddressField("target", else_after="ArgoSync"),)),
    "Restart": KindTargetFields(
        (TargetAddressField("target"), TargetAddressField("on", "restart-on", before_target=True))
    ),
    "Retention": KindTargetFields(selector="selector"),
}
