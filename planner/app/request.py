"""What the user asked for, as one frozen value: the selecting words and the common options of every verb (spec 05)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from planner.dataclass import dataclass
from planner.loading.manifest_files import KUSTOMIZE
from planner.plan import Selection


@dataclass(frozen=True, slots=True)
class Request:
    """The request of one command.

    `files` with `name` plan plain manifests; otherwise `config` with product, nodes, lanes and scopes select resources.
    `live` is a snapshot file or folder, or a sandbox; None means the cluster of kubeconfig and context. `state` is the
    path of the state file, None for the default place. `stdin` holds what `-f -` read. Without `dry_creates`
    the server is asked about a sample where new objects are many (docs/adr/0034). `take_over` are field managers whose
    fields become ours, `reset_undeclared` globs of the addresses whose undeclared fields go. A file that begins with
    KUSTOMIZE is the folder of a kustomization. With `hooks_as_objects` Helm hooks are objects like all others.
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
    namespace_given: bool = False
    hooks_as_objects: bool = False
    kubeconfig: str = ""
    context: str = ""
    live: Path | None = None
    state: str = ""
    parallelism: int = 16
    dry_creates: bool = True
    take_over: tuple[str, ...] = ()
    reset_undeclared: tuple[str, ...] = ()
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    full: bool = False

    @property
    def plain(self) -> bool:
        """Whether this is about plain manifests instead of a product."""
        return bool(self.files)

    @property
    def selecting_words(self) -> tuple[tuple[str, str], ...]:
        """The options that select, as they were given."""
        return (
            *(("--product", word) for word in (self.product,) if word),
            *(("--node", word) for word in self.nodes),
            *(("--lane", word) for word in self.lanes),
            *(("--scope", word) for word in self.scopes),
            *(("--target", word) for word in self.targets),
            *(("--exclude", word) for word in self.exclude),
            *self.manifest_words,
        )

    @property
    def world_words(self) -> tuple[tuple[str, str], ...]:
        """The options that say where: the same command must ask the same world."""
        pairs = (
            ("--live", str(self.live) if self.live else ""),
            ("--kubeconfig", self.kubeconfig),
            ("--context", self.context),
            ("--state", self.state),
        )
        return tuple((option, word) for option, word in pairs if word)

    @property
    def manifest_words(self) -> tuple[tuple[str, str], ...]:
        """The options that select plain manifests, as they were given."""
        files = (
            ("-k", file.removeprefix(KUSTOMIZE)) if file.startswith(KUSTOMIZE) else ("-f", file) for file in self.files
        )
        return (
            *files,
            *(("--name" if self.files else "--set", word) for word in (self.name,) if word),
            *(("-n", word) for word in (self.namespace,) if word != "default" or self.namespace_given),
            *(("--helm-hooks", "as-objects") for _ in range(self.hooks_as_objects)),
        )


def request_of_earlier_plan(request: Request, selection: Selection) -> Request:
    """The request with the selecting words of an earlier plan; what came from standard input is gone."""
    return replace(
        request,
        product=selection.product,
        nodes=selection.nodes,
        lanes=selection.lanes,
        scopes=selection.scopes,
        files=tuple(file for file in selection.files if file != "-"),
        name=selection.name,
    )
