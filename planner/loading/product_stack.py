"""The stack of a product: selected, rendered, read and expanded into resources. Reads files; touches no network.

Imports pydantic models and the template engine, so it is itself imported lazily.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from planner.dataclass import dataclass
from planner.errors import ConfigError
from planner.kind_hook_types import DocumentContext
from planner.loading.config import Config, ConfiguredLane, ConfiguredNode
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.hwplan_kind_check import SOURCES, apply_load_hooks, check_hwplan_document, validated_model
from planner.loading.load_result import LoadResult
from planner.loading.manifest_nulls import without_meaningless_nulls
from planner.loading.manifests.manifest_source import ManifestExpansionContext, expand_manifest_source
from planner.loading.manifests.published_manifest import FetchManifest
from planner.loading.output_ref_check import check_output_refs
from planner.loading.problems import did_you_mean
from planner.loading.resource_collector import ResourceCollector
from planner.loading.secrets.secret_reader import KubernetesReader, SecretReader
from planner.loading.secrets.secret_refs import seal_secret_refs
from planner.loading.secrets.secret_source_expansion import NeededSecretFile, SecretSourceToSecretExpander
from planner.loading.secrets.snapshot_secret_fingerprints import RecordedSecretFingerprints
from planner.loading.selection import ResolvedSelection, resolve_selection_per_product
from planner.loading.template_context import (
    SUFFIX,
    TemplateContext,
    render_template_file,
    shown_template_path,
    template_files_of_folder,
)
from planner.loading.yaml.load_documents import TEMPLATE, load_documents
from planner.plan import Selection
from planner.ports import Fingerprinter
from planner.spec.kinds.secret_and_manifest_sources import ManifestSource, SecretSource
from planner.spec.product import Product, ProductTemplateScope

_LIKE_TEMPLATES = (".j2", ".jinja", ".jinja2", ".tpl", ".tmpl", ".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class ScopeRendering:
    """One rendering: a scope of a node, or of a lane on it."""

    product: Product
    scope: ProductTemplateScope
    node: ConfiguredNode
    lanes: tuple[ConfiguredLane, ...]
    lane: ConfiguredLane | None
    node_lane: str

    @property
    def folders(self) -> tuple[str, ...]:
        """Where its templates are, below the root of all templates."""
        return self.scope.folders or (f"{self.product.templates}/{self.scope.name}",)

    @property
    def owned_by(self) -> str:
        """The owned set: `<product>.<node>` or `<product>.<node>.<lane>`."""
        base = f"{self.product.name}.{self.node.name}"
        return f"{base}.{self.lane.name}" if self.lane is not None else base


def load_product_stack(
    config: Config,
    selection: Selection,
    fingerprinter: Fingerprinter,
    *,
    secrets_dir: Path | None = None,
    environ: Mapping[str, str] | None = None,
    kubernetes: KubernetesReader | None = None,
    cache: Path | None = None,
    recorded: RecordedSecretFingerprints | None = None,
    fetch: FetchManifest | None = None,
) -> LoadResult:
    """Everything that the selection declares, in scope order.

    `secrets_dir` replaces the secrets folder of every node; `environ` is where `env` sources are looked up (None: that
    of the process); `kubernetes` reads Secrets of the cluster for `kubernetes` sources; `recorded` is what a snapshot
    knows of all these; `fetch` downloads published manifests (None: only those that were fetched before). Resources of
    several lanes carry their node_lane. Raises SelectionError, or ConfigError with all problems of all templates.
    """
    chosen = resolve_selection_per_product(config, selection)
    reader = open_secret_reader(config, secrets_dir, environ=environ, kubernetes=kubernetes)
    stack = _Stack(config, ResourceCollector(fingerprinter, same_twice_is_one=True), reader, cache, recorded, fetch)
    parts = tuple(part for one in chosen for part in renderings_of_selection(config, one))
    for part in parts:
        stack.render(part)
    intake = stack.intake
    intake.check_obsolete()
    check_output_refs(intake)
    intake.problems.raise_any()
    seal_secret_refs(intake)
    return LoadResult(
        tuple(intake.resources.values()),
        intake.vault,
        intake.digest(),
        tuple(intake.warnings),
        intake.blocked,
        tuple(dict.fromkeys(part.owned_by for part in parts)),
        selection.product if len(chosen) > 1 else chosen[0].product.name,
        tuple(dict.fromkeys(node.name for one in chosen for node, _ in one.nodes)),
        tuple(dict.fromkeys(name for one in chosen for name in one.lane_names)),
        tuple(dict.fromkeys(scope.name for one in chosen for scope in one.scopes)),
        tuple(needed for _, needed in sorted(stack.needed.items())),
        stack.looked,
        tuple(intake.obsolete.values()),
    )


def open_secret_reader(
    config: Config,
    secrets_dir: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    kubernetes: KubernetesReader | None = None,
) -> SecretReader:
    """A reader for the secrets of all nodes. A relative secretsDir starts at the configuration folder."""
    folders = {
        name: secrets_dir or config.folder / Path(entry.spec.secrets_dir or "secrets").expanduser()
        for name, entry in config.nodes.items()
    }
    reader = SecretReader(folders, kubernetes=kubernetes)
    return replace(reader, environ=environ) if environ is not None else reader


def renderings_of_selection(config: Config, chosen: ResolvedSelection) -> Iterator[ScopeRendering]:
    """The renderings of a selection: node after node, scope after scope."""
    several = len(chosen.nodes) > 1
    for node, lanes in chosen.nodes:
        everything = config.lanes_of(chosen.product.name, node.name)
        enabled = tuple(lane for lane in everything if lane.spec.enabled)
        for scope in chosen.scopes:
            if scope.per == "node":
                yield ScopeRendering(chosen.product, scope, node, enabled, None, f"{node.name}/-" if several else "")
                continue
            for lane in lanes:
                yield ScopeRendering(
                    chosen.product, scope, node, enabled, lane, f"{node.name}/{lane.name}" if several else ""
                )


@dataclass(slots=True)
class _Stack:
    """Renders part after part into one intake."""

    config: Config
    intake: ResourceCollector
    reader: SecretReader
    cache: Path | None
    recorded: RecordedSecretFingerprints | None = None
    fetch: FetchManifest | None = None
    looked: dict[str, str] = field(default_factory=dict)
    needed: dict[tuple[str, str], NeededSecretFile] = field(default_factory=dict)
    _facts: TemplateContext = field(default_factory=TemplateContext)
    _sources: SecretSourceToSecretExpander | None = None

    def render(self, part: ScopeRendering) -> None:
        """Take all templates of one part, in the order of their names."""
        templates: list[Path] = []
        for name in part.folders:
            folder = self.config.templates / name
            templates += (found := template_files_of_folder(folder))
            if not found:
                self._no_templates(part, folder)
            self._not_read(folder)
        context = self._facts.context(part.product, part.node, part.lanes, part.lane, part.scope.name)
        for template in templates:
            text = render_template_file(template, self.config.templates, context, self.intake.problems)
            if text is not None:
                self._documents(text, part)

    def _no_templates(self, part: ScopeRendering, folder: Path) -> None:
        entry = self.config.products[part.product.name]
        index = part.product.scopes.index(part.scope)
        siblings = [path.name for path in folder.parent.iterdir()] if folder.parent.is_dir() else []
        text = f"no templates in {shown_template_path(folder, self.config.templates)}"
        hint = did_you_mean(part.scope.name, siblings)
        entry.origin.problem(self.intake.problems, ("spec", "scopes", index), text, hint)

    def _not_read(self, folder: Path) -> None:
        """Name the files that look like templates and are not read, for their names end otherwise."""
        for file in sorted(folder.glob("*")):
            if file.name.endswith(_LIKE_TEMPLATES) and not file.name.endswith(SUFFIX) and file.is_file():
                warning = f"{shown_template_path(file, self.config.templates)} is not read: templates end in {SUFFIX}"
                if warning not in self.intake.warnings:
                    self.intake.warnings.append(warning)

    def _documents(self, text: DocumentText, part: ScopeRendering) -> None:
        try:
            documents = load_documents(text.text.encode(), text.name, TEMPLATE)
        except ConfigError as error:
            for problem in error.problems:
                source = text.source(problem.source.line)
                self.intake.problems.add(source, problem.message, problem.suggestion, text.line_text(source))
            return
        for index, document in enumerate(documents):
            if document.value is not None:
                self._take(
                    without_meaningless_nulls(document.value),
                    DocumentOrigin(text, index, document.line),
                    part,
                    document.tagged,
                )

    def _take(self, value: Any, origin: DocumentOrigin, part: ScopeRendering, tagged: bool) -> None:
        if not check_hwplan_document(value, origin, self.intake.problems):
            return
        if isinstance(value, dict) and value.get("kind") in SOURCES:
            self._expand(value, origin, part)
            return
        lanes = [part.lane] if part.lane else part.lanes
        specs = tuple(lane.spec for lane in lanes)
        context = DocumentContext(part.node.spec, specs, self.config.folder, self.config.templates)
        value = apply_load_hooks(value, context, origin, self.intake.problems)
        self.intake.add(
            value, origin, owned_by=part.owned_by, scope=part.scope.name, node_lane=part.node_lane, tagged=tagged
        )

    def _expand(self, value: dict[str, Any], origin: DocumentOrigin, part: ScopeRendering) -> None:
        where: dict[str, str] = {"owned_by": part.owned_by, "scope": part.scope.name, "node_lane": part.node_lane}
        match validated_model(value, origin, self.intake.problems):
            case SecretSource() as source:
                self._secret_sources().expand(source, origin, node=part.node.name, **where)
            case ManifestSource() as source:
                config = ManifestExpansionContext(self.config.folder, part.node.spec, self.fetch, self.cache)
                expand_manifest_source(source, origin, self.intake, config, **where)
            case _:
                pass

    def _secret_sources(self) -> SecretSourceToSecretExpander:
        """The same for the whole load."""
        if self._sources is None:
            known = (self.needed, self.looked, self.recorded)
            self._sources = SecretSourceToSecretExpander(self.reader, self.intake.fingerprinter, self.intake, *known)
        return self._sources
