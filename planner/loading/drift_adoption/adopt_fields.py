"""Adopting what lives: which keys have to become what, so that the configuration renders the live fields.

Sound by construction: a patch is believed only when everything that its edit can reach was rendered again, and nothing
changed there but the fields that are adopted, each to its live value. Reads files; touches no network, writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import field
from typing import Any

from planner.address import is_hwplan_kind
from planner.dataclass import dataclass
from planner.document_diff import equal_documents
from planner.document_editing import MISSING, value_at
from planner.drift_adoption import (
    AdoptedField,
    ConfigurationPatch,
    DriftAdoption,
    EditedKeyLocation,
    FieldToAdopt,
    UnadoptableField,
)
from planner.errors import ConfigError
from planner.loading.config import ALL, Config, load_config
from planner.loading.drift_adoption.candidate_config_keys import (
    CandidateConfigKey,
    find_candidate_config_keys,
    key_value_seen_by_template,
    template_context_with_candidate,
)
from planner.loading.drift_adoption.configuration_edits import edits_of_candidate
from planner.loading.drift_adoption.render_selected_templates import RenderedTemplate, render_selected_templates
from planner.loading.drift_adoption.rendered_objects import (
    RenderedObject,
    declares_object,
    first_unadopted_rendering_difference,
    objects_in_rendered_template,
    parse_rendered_text,
)
from planner.plan import Selection
from planner.source_line_ref import SourceRef
from planner.values import JsonValue


@dataclass(slots=True)
class RenderingCache:
    """What one configuration renders, by product and node, and what its templates see; filled in as it is asked for."""

    texts: dict[tuple[str, str], tuple[RenderedTemplate, ...]] = field(default_factory=dict)
    facts: dict[tuple[str, str], Any] = field(default_factory=dict)
    documents: dict[int, tuple[RenderedTemplate, tuple[RenderedObject, ...]]] = field(default_factory=dict)

    def texts_of(self, config: Config, product: str, node: str) -> tuple[RenderedTemplate, ...]:
        """Every template of a product on a node."""
        if (product, node) not in self.texts:
            self.texts[product, node] = _rendered(config, product, node)
        return self.texts[product, node]

    def facts_of(self, config: Config, product: str, node: str) -> Any:
        """Everything that these templates depend on."""
        if (product, node) not in self.facts:
            self.facts[product, node] = _facts(config, product, node)
        return self.facts[product, node]

    def places(self, text: RenderedTemplate) -> tuple[RenderedObject, ...]:
        """The objects that a text declares."""
        if id(text) not in self.documents:
            self.documents[id(text)] = (
                text,
                tuple(objects_in_rendered_template(text)),
            )  # with the text: an id alone may come again
        return self.documents[id(text)][1]

    def without(self, nodes: Collection[str]) -> RenderingCache:
        """What is still known when these nodes see something else."""
        texts = {key: value for key, value in self.texts.items() if key[1] not in nodes}
        return RenderingCache(texts, {}, self.documents)


@dataclass(slots=True)
class _Search:
    """One adoption. `config` and `patch` grow with each field that is adopted."""

    config: Config
    products: tuple[str, ...]
    selection: Selection
    patch: ConfigurationPatch
    allowed: dict[tuple[object, ...], list[FieldToAdopt]] = field(default_factory=dict)
    known: RenderingCache = field(default_factory=RenderingCache)  # of `config`

    def find(self, wanted: FieldToAdopt) -> RenderedObject | None:
        """The document of an object. Of several nodes the address says which."""
        address, file = wanted.address, wanted.source.file
        node, _, lane = address.node_lane.partition("/")
        for product, name in self._parts((node,) if node else self.selection.nodes):
            for text in self.known.texts_of(self.config, product, name):
                of_another_lane = text.lane and text.lane not in ((lane,) if lane else self.selection.lanes)
                if of_another_lane or (file and text.text.name != file):
                    continue
                for place in self.known.places(text):
                    if declares_object(place.document, address):
                        return place
        return None

    def _parts(self, nodes: Collection[str]) -> Iterator[tuple[str, str]]:
        for product in self.products:
            yield from ((product, one) for one in self.config.nodes_of(product) if one in nodes)

    def adopt(self, wanted: FieldToAdopt, place: RenderedObject, declared: JsonValue) -> AdoptedField | str:
        """Adopt one field, or say why not."""
        fitting = self._fitting(wanted, place, declared)
        found: list[tuple[AdoptedField, Config, ConfigurationPatch]] = []
        reached: list[str] = []
        for candidate in fitting.values():
            result = self._verified(candidate, place, wanted)
            if isinstance(result, str):
                reached.append(result)
            else:
                found.append(result)
        if len(found) > 1:
            return f"more than one key would do: {', '.join(one.name for one, _, _ in found)}"
        if not found:
            return "; ".join(dict.fromkeys(reached)) or "no single key of the configuration feeds it"
        adopted, config, patch = found[0]
        changed = {node for product in config.products for node in self._changed_nodes(config, product)}
        self.config, self.patch = config, patch
        self.known = self.known.without(changed)
        return adopted

    def _fitting(
        self, wanted: FieldToAdopt, place: RenderedObject, declared: JsonValue
    ) -> dict[object, CandidateConfigKey]:
        """The keys that would make the template render the live value."""
        found = find_candidate_config_keys(place.text, declared, wanted.live)
        return {one.key: one for one in found if self._makes(one, place, wanted)}

    def key_of(self, wanted: FieldToAdopt, place: RenderedObject, declared: JsonValue) -> EditedKeyLocation | None:
        """The one key that feeds a field, whatever else it feeds; None where none or several do."""
        fitting = list(self._fitting(wanted, place, declared).values())
        if len(fitting) != 1:
            return None
        return next((key for _, key in edits_of_candidate(self.config, place.text, fitting[0], self.patch)), None)

    def _makes(self, candidate: CandidateConfigKey, place: RenderedObject, wanted: FieldToAdopt) -> bool:
        """Whether the template would render the live value: a look at one template, before anything is edited."""
        from planner.jinja_templating import TemplateProblem, render_template

        try:
            text = render_template(place.text.template, template_context_with_candidate(place.text, candidate))
        except (TemplateProblem, LookupError, TypeError):
            return False
        if text == place.text.text.text:
            return False
        after = parse_rendered_text(text, place.text.text.name)
        if after is None or place.index >= len(after):
            return False
        value = value_at(after[place.index].value, wanted.path, MISSING)
        return value is not MISSING and equal_documents(value, wanted.live)

    def _verified(
        self, candidate: CandidateConfigKey, place: RenderedObject, wanted: FieldToAdopt
    ) -> tuple[AdoptedField, Config, ConfigurationPatch] | str:
        """The first edit of a key after which everything is rendered as before, but for what is adopted."""
        reasons: list[str] = []
        for patch, key in edits_of_candidate(self.config, place.text, candidate, self.patch):
            try:
                config = load_config(self.config.folder, self.config.templates, patch.after)
                reason = self._beyond(config)
            except ConfigError as error:
                reason = f"{candidate} cannot have that value: {error.message}"
            if not reason:
                before = key_value_seen_by_template(place.text, candidate)
                return AdoptedField(wanted, key, str(candidate), before), config, patch
            reasons.append(reason if reason.startswith(str(candidate)) else f"{candidate} also feeds {reason}")
        return reasons[-1] if reasons else f"{candidate} is not written in a form that can be edited"

    def _beyond(self, config: Config) -> str:
        """What a changed configuration renders differently beyond the adopted fields; empty when nothing."""
        for product in config.products:
            for node in self._changed_nodes(config, product):
                before = self.known.texts_of(self.config, product, node)
                if beyond := first_unadopted_rendering_difference(
                    before, _rendered(config, product, node), self.allowed
                ):
                    return beyond
        return ""

    def _changed_nodes(self, config: Config, product: str) -> list[str]:
        """The nodes whose templates see anything else: rendering is a function of what they see."""
        nodes = config.nodes_of(product)
        known = self.known
        return [node for node in nodes if _facts(config, product, node) != known.facts_of(self.config, product, node)]


def adopt_live_fields(
    config: Config, selection: Selection, wanted: Sequence[FieldToAdopt], known: RenderingCache | None = None
) -> DriftAdoption:
    """Find the keys that feed the fields, and the patch that writes the live values there.

    `known` is what is known of this very `config` from a call before. `selection` is resolved: its product (or `all`),
    nodes and lanes are names. Raises ConfigError when the configuration cannot be rendered as it is.
    """
    search = _search(config, selection, known)
    for one in wanted:
        if (place := search.find(one)) is not None and not one.refused:
            search.allowed.setdefault(place.key, []).append(one)
    adopted: list[AdoptedField] = []
    refused: list[UnadoptableField] = []
    for one in wanted:
        found = _adopted(search, one)
        if isinstance(found, AdoptedField):
            adopted.append(found)
        elif found is not None:
            refused.append(found)
    patch = ConfigurationPatch(config.folder) if refused else search.patch
    return DriftAdoption(patch, tuple(adopted), tuple(refused))


@dataclass(frozen=True, slots=True)
class DeclaringPlace:
    """Where a field is declared: the line of its template, and the one key that feeds it, where one single key does."""

    template: SourceRef
    key: EditedKeyLocation | None = None


def declaring_place(config: Config, selection: Selection, field: FieldToAdopt, known: RenderingCache) -> DeclaringPlace:
    """The place of a field: the one key that makes it another value than `field.live`, and the line of the template;
    where no template renders it, `field.source`. The rest is as for `adopt_fields`."""
    search = _search(config, selection, known)
    place = search.find(field)
    if place is None:
        return DeclaringPlace(field.source)
    declared = value_at(place.document, field.path, MISSING)
    line = place.source(field.path)
    if field.refused or declared is MISSING or equal_documents(declared, field.live):
        return DeclaringPlace(line)
    return DeclaringPlace(line, search.key_of(field, place, declared))


def _search(config: Config, selection: Selection, known: RenderingCache | None) -> _Search:
    products = tuple(config.products) if selection.product == ALL else (selection.product,)
    return _Search(config, products, selection, ConfigurationPatch(config.folder), known=known or RenderingCache())


def _adopted(search: _Search, wanted: FieldToAdopt) -> AdoptedField | UnadoptableField | None:
    """One field, adopted or refused; None when an earlier one brought it along."""
    place = search.find(wanted)
    if place is None:
        reason = wanted.refused or "no document of a template declares it: hwplan makes it of another one"
        return UnadoptableField(wanted, reason, wanted.source)
    declared = value_at(place.document, wanted.path, MISSING)
    if wanted.refused or declared is MISSING or is_hwplan_kind(str(place.document.get("apiVersion"))):
        own = "" if declared is MISSING else "what lives of a hwplan kind is no value of its YAML"
        return UnadoptableField(wanted, wanted.refused or own or "no template renders it", place.source(wanted.path))
    if equal_documents(declared, wanted.live):
        return None
    found = search.adopt(wanted, place, declared)
    return found if isinstance(found, AdoptedField) else UnadoptableField(wanted, found, place.source(wanted.path))


def _facts(config: Config, product: str, node: str) -> Any:
    if product not in config.products or node not in config.nodes:
        return None
    lanes = [(lane.name, lane.spec.model_dump()) for lane in config.lanes_of(product, node)]
    return config.products[product].spec.model_dump(), config.nodes[node].spec.model_dump(), lanes


def _rendered(config: Config, product: str, node: str) -> tuple[RenderedTemplate, ...]:
    """All lanes and scopes of a product on a node, those included that are not taken by default."""
    scopes = tuple(scope.name for scope in config.products[product].spec.scopes)
    lanes = tuple(lane.name for lane in config.lanes_of(product, node))
    return render_selected_templates(config, Selection(product, "", (node,), lanes, scopes))
