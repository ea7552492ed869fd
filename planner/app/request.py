"""What the user asked for, as one frozen value: the selecting words and the common options of every verb (spec 05)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from planner.plan import Selection


@dataclass(frozen=True, slots=True)
class Request:
    """The request of one command.

    `files` with `name` plan plain manifests; otherwise `config` with product, nodes, lanes and scopes select resources.
    `live` is a snapshot file or folder, or a sandbox; None means the cluster of kubeconfig and context. `state` is the
    path of the state file, None for the default place. `stdin` holds what `-f -` read. Without `dry_creates`
    the server is not asked about new objects before they are made (docs/adr/0011).
    """

    config: Path
    product: str = ""
    nodes: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    name: str = ""
    stdin: bytes | None = None
    namespace: str = "default"
    kubeconfig: str = ""
    context: str = ""
    live: Path | None = None
    state: str = ""
    parallelism: int = 16
    dry_creates: bool = True
    quiet: bool = False
    verbose: bool = False
    debug: bool = False

    @property
    def plain(self) -> bool:
        """Whether this is about plain manifests instead of a product."""
        return bool(self.files)


def as_selected(request: Request, selection: Selection) -> Request:
    """The request with the selecting words of an earlier plan. What came from standard input is gone."""
    return replace(
        request,
        product=selection.product,
        nodes=selection.nodes,
        lanes=selection.lanes,
        scopes=selection.scopes,
        files=tuple(file for file in selection.files if file != "-"),
        name=selection.name,
    )
