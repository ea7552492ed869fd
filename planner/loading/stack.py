"""The stack of a product: selected, rendered, read and expanded into resources. Reads files; touches no network.

Imports pydantic models and the template engine, so it is itself imported lazily.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from planner.errors import ConfigError
from planner.loading.config import Config, LaneEntry, NodeEntry
from planner.loading.gate_policy import check_probe
from planner.loading.git_job import with_job
from planner.loading.image_policy import check_image
from planner.loading.intake import Intake, strip_nulls
from planner.loading.kind_check import SOURCES, check_kind, validated
from planner.loading.loaded import Loaded
from planner.loading.manifest_source import expand_manifest
from planner.loading.origin import InputText, Origin
from planner.loading.problems import did_you_mean
from planner.loading.recorded_secrets import RecordedSecrets
from planner.loading.secret_reader import KubernetesReader, SecretReader
from planner.loading.secret_refs import bind_secret_refs
from planner.loading.secret_source import NeededFile, SecretSources
from planner.loading.selection import Chosen, choose
from planner.loading.yaml_source import TEMPLATE, load_documents
from planner.plan import Selection
from planner.ports import Fingerprinter
from planner.source import SourceRef
from planner.spec.base import Model
from planner.spec.kinds.sources import ManifestSource, SecretSource
from planner.spec.product import Product, Scope

SUFFIX = ".yaml.j2"


@dataclass(frozen=True, slots=True)
class _Part:
    """One rendering: a scope of a node, or of a lane on it."""

    product: Product
    scope: Scope
    node: NodeEntry
    lanes: tuple[LaneEntry, ...]
    lane: LaneEntry | None
    place: str

    @property
    def owned_by(self) -> str:
        """The owned set: `<product>.<node>` or `<product>.<node>.<lane>`."""
        base = f"{self.product.name}.{self.node.name}"
        return f"{base}.{self.lane.name}" if self.lane is not None else base


def load_stack(
    config: Config,
    selection: Selection,
    fingerprinter: Fingerprinter,
    *,
    secrets_dir: Path | None = None,
    environ: Mapping[str, str] | None = None,
    kubernetes: KubernetesReader | None = None,
    cache: Path | None = None,
    recorded: RecordedSecrets | None = None,
) -> Loaded:
    """Everything that the selection declares, in scope order.

    `secrets_dir` replaces the secrets folder of every node; `environ` is where `env` sources are looked up (None: that
    of the process); `kubernetes` reads Secrets of the cluster for `kubernetes` sources; `recorded` is what a snapshot
    knows of all these. Resources of several nodes carry `node/lane` as place. Raises SelectionError, or ConfigError
    with all problems of all templates.
    """
    chosen = choose(config, selection)
    reader = secret_reader(config, secrets_dir, environ=environ, kubernetes=kubernetes)
    stack = _Stack(config, Intake(fingerprinter, same_twice_is_one=True), reader, cache, recorded)
    parts = tuple(_parts(config, chosen))
    for part in parts:
        stack.render(part)
    stack.intake.problems.raise_any()
    intake = stack.intake
    bind_secret_refs(intake)
    return Loaded(
        tuple(intake.resources.values()),
        intake.vault,
        intake.digest(),
        tuple(intake.warnings),
        intake.blocked,
        tuple(dict.fromkeys(part.owned_by for part in parts)),
        chosen.product.name,
        tuple(node.name for node, _ in chosen.nodes),
        chosen.lane_names,
        tuple(scope.name for scope in chosen.scopes),
        tuple(needed for _, needed in sorted(stack.needed.items())),
        stack.looked,
    )


def secret_reader(
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


def _parts(config: Config, chosen: Chosen) -> Iterator[_Part]:
    several = len(chosen.nodes) > 1
    for node, lanes in chosen.nodes:
        everything = config.lanes_of(chosen.product.name, node.name)
        enabled = tuple(lane for lane in everything if lane.spec.enabled)
        for scope in chosen.scopes:
            if scope.per == "node":
                yield _Part(chosen.product, scope, node, enabled, None, f"{node.name}/-" if several else "")
                continue
            for lane in lanes:
                yield _Part(chosen.product, scope, node, enabled, lane, f"{node.name}/{lane.name}" if several else "")


@dataclass(slots=True)
class _Stack:
    """Renders part after part into one intake."""

    config: Config
    intake: Intake
    reader: SecretReader
    cache: Path | None
    recorded: RecordedSecrets | None = None
    looked: dict[str, str] = field(default_factory=dict)
    needed: dict[tuple[str, str], NeededFile] = field(default_factory=dict)
    _facts: dict[int, dict[str, Any]] = field(default_factory=dict)

    def render(self, part: _Part) -> None:
        """Take all templates of one part, in the order of their names."""
        folder = self.config.templates / part.product.templates / part.scope.name
        templates = sorted(folder.glob(f"*{SUFFIX}"))
        if not templates:
            self._no_templates(part, folder)
        context = self._context(part)
        for template in templates:
            text = self._rendered(template, context)
            if text is not None:
                self._documents(text, part)

    def _no_templates(self, part: _Part, folder: Path) -> None:
        entry = self.config.products[part.product.name]
        index = part.product.scopes.index(part.scope)
        siblings = [path.name for path in folder.parent.iterdir()] if folder.parent.is_dir() else []
        text = f"no templates in {self._name(folder)}"
        hint = did_you_mean(part.scope.name, siblings)
        entry.origin.problem(self.intake.problems, ("spec", "scopes", index), text, hint)

    def _rendered(self, template: Path, context: Mapping[str, Any]) -> InputText | None:
        from planner.templating import TemplateProblem, render

        name = self._name(template)
        try:
            return InputText(name, render(template, context), template=template.read_bytes().decode())
        except TemplateProblem as error:
            source = SourceRef(name, error.line)
            shown = InputText(name, template.read_bytes().decode("utf-8", "replace")).line_text(source)
            self.intake.problems.add(source, error.message, error.remedy, shown)
            return None

    def _name(self, path: Path) -> str:
        return f"{self.config.templates.resolve().name}/{path.relative_to(self.config.templates).as_posix()}"

    def _documents(self, text: InputText, part: _Part) -> None:
        try:
            documents = load_documents(text.text.encode(), text.name, TEMPLATE)
        except ConfigError as error:
            for problem in error.problems:
                source = text.source(problem.source.line)
                self.intake.problems.add(source, problem.message, problem.suggestion, text.line_text(source))
            return
        for index, document in enumerate(documents):
            if document.value is not None:
                self._take(strip_nulls(document.value), Origin(text, index, document.line), part, document.tagged)

    def _take(self, value: Any, origin: Origin, part: _Part, tagged: bool) -> None:
        if not check_kind(value, origin, self.intake.problems):
            return
        if isinstance(value, dict) and value.get("kind") in SOURCES:
            self._expand(value, origin, part)
            return
        if isinstance(value, dict):
            lanes = [part.lane] if part.lane else part.lanes
            check_probe(value, [lane.spec for lane in lanes], origin, self.intake.problems)
            check_image(value, part.node.spec, self.config.folder, origin, self.intake.problems)
            value = with_job(value, origin, self.intake.problems, self.config.templates)
        self.intake.add(value, origin, owned_by=part.owned_by, scope=part.scope.name, place=part.place, tagged=tagged)

    def _expand(self, value: dict[str, Any], origin: Origin, part: _Part) -> None:
        where: dict[str, str] = {"owned_by": part.owned_by, "scope": part.scope.name, "place": part.place}
        match validated(value, origin, self.intake.problems):
            case SecretSource() as source:
                print_of = self.intake.fingerprinter
                known = (self.needed, self.looked, self.recorded)
                sources = SecretSources(self.reader, print_of, self.intake, *known)
                sources.expand(source, origin, node=part.node.name, **where)
            case ManifestSource() as source:
                expand_manifest(source, origin, self.intake, self.config.folder, cache=self.cache, **where)
            case _:
                pass

    def _context(self, part: _Part) -> dict[str, Any]:
        """What templates see: plain data, and no secret."""
        lanes = [self._facts_of(lane.spec, name=lane.name, node=lane.node) for lane in part.lanes]
        context: dict[str, Any] = {
            "product": self._facts_of(part.product),
            "node": self._facts_of(part.node.spec, name=part.node.name),
            "lanes": lanes,
            "scope": part.scope.name,
            "values": {**part.product.values, **part.node.spec.values},
        }
        if part.lane is not None:
            context["lane"] = self._facts_of(part.lane.spec, name=part.lane.name, node=part.lane.node)
            context["values"] = {**context["values"], **part.lane.spec.values}
        return context

    def _facts_of(self, model: Model, **names: str) -> dict[str, Any]:
        known = self._facts.get(id(model))
        if known is None:
            known = self._facts[id(model)] = {**model.model_dump(mode="json", by_alias=True), **names}
        return known
