"""Variables of Tekton pipelines, `$(params.x)` and `$(tasks.t.results.r)`: finding and filling them. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
_VARIABLE = re.compile(r"\$\(([^()\s]+)\)")
_RESULT = re.compile(r"tasks\.([^.]+)\.results\.(.+)")


@dataclass(frozen=True)
class Values:
    """What variables stand for, by name; `known` are the tasks whose results are all there."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, run: Document, spec: Document, children: Mapping[str, Document]) -> "Values":
        """Those of a run: parameters (its own before defaults), its name, and results of TaskRuns that succeeded."""
        metadata = run["metadata"]
        found: dict[str, Any] = {f"context.pipelineRun.{key}": metadata[key] for key in ("name", "namespace", "uid")}
        found["context.pipeline.name"] = (run["spec"].get("pipelineRef") or {}).get("name") or metadata["name"]
        for param in spec.get("params") or ():
            if "default" in param:
                found[f"params.{param['name']}"] = param["default"]
        for param in run["spec"].get("params") or ():
            found[f"params.{param['name']}"] = param["value"]
        for task, child in children.items():
            for result in (child.get("status") or {}).get("results") or ():
                found[f"tasks.{task}.results.{result['name']}"] = result["value"]
        return cls(found)

    def lacks(self, node: Any) -> bool:
        """Whether a result that `node` names is not there."""
        return any(_RESULT.fullmatch(name) and name.removesuffix("[*]") not in self.values for name in names_in(node))

    def results_of(self, spec: Document) -> list[Document]:
        """The results of a pipeline that all values are there for."""
        wanted = [one for one in spec.get("results") or () if not self.lacks(one["value"])]
        return [{"name": one["name"], "value": filled(one["value"], self)} for one in wanted]


def names_in(node: Any) -> Iterator[str]:
    """All variables that a document names."""
    if isinstance(node, str):
        yield from _VARIABLE.findall(node)
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from names_in(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from names_in(value)


def results_in(node: Any) -> Iterator[tuple[str, str]]:
    """Task and result of each result that a document names."""
    for name in names_in(node):
        if found := _RESULT.fullmatch(name):
            yield found[1], found[2]


def filled(node: Any, values: Values) -> Any:
    """The document with variables filled in; what is not known stays as it is written. A text that is one variable of a
    list or map becomes that."""
    if isinstance(node, str):
        whole = _VARIABLE.fullmatch(node)
        if whole and whole[1].removesuffix("[*]") in values.values:
            return values.values[whole[1].removesuffix("[*]")]
        return _VARIABLE.sub(lambda found: str(values.values.get(found[1], found[0])), node)
    if isinstance(node, Mapping):
        return {key: filled(value, values) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [filled(value, values) for value in node]
    return node
