"""What a kind may have the loader do with its documents, besides checking them against its model. Types only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from planner.dataclass import dataclass
from planner.values import JsonObject

if TYPE_CHECKING:
    from planner.spec.lane import Lane
    from planner.spec.node import NodeConfig

Report: TypeAlias = Callable[[tuple[str | int, ...], str, str], None]  # path in the document, what is wrong, remedy


@dataclass(frozen=True, slots=True)
class DocumentContext:
    """Where a document stands: `node` and `lanes` of the product that it is a template of (None and none for a plain
    manifest), `folder` of its configuration, `templates` of it."""

    node: NodeConfig | None = None
    lanes: tuple[Lane, ...] = ()
    folder: Path | None = None
    templates: Path | None = None


@dataclass(frozen=True, slots=True)
class KindLoadHooks:
    """What the loader does with checked documents of a kind, besides what its model declares.

    `check` reports what the policy of a product forbids; called for templates only. `expand` gives the document that
    stands for a short one; called for all. Both only report problems, and raise none.
    """

    check: Callable[[JsonObject, DocumentContext, Report], None] | None = None
    expand: Callable[[JsonObject, DocumentContext, Report], JsonObject] | None = None
