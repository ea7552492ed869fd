"""The reader of manifests against kubectl's own: sigs.k8s.io/yaml and the decoder of apimachinery, run beside it.

HWPLAN_READER_DOCUMENTS is how many generated inputs are compared (10,000 by default), HWPLAN_READER_SEED the seed.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.errors import ConfigError
from planner.loading.yaml import value_builder
from planner.loading.yaml.event_parser import pure_yaml_events
from planner.loading.yaml.load_documents import MANIFEST, load_documents
from tests.integration.manifest_documents import Documents
from tests.testbed import binaries

pytestmark = pytest.mark.integration

DOCUMENTS = int(os.environ.get("HWPLAN_READER_DOCUMENTS", "10000"))
SEED = int(os.environ.get("HWPLAN_READER_SEED", "1"))
# What is refused although kubectl takes it, each with a remedy that works: it drops one of two values, or the rest of
# a document, in silence (with whatever stood there); a local tag may be a misspelt !ref.
OURS_REFUSES = (
    "the same key twice in one mapping",
    "an unknown tag",
    "a tag on a mapping or a list",
    "not YAML: did not find expected <document start>",
    "not YAML: expected '<document start>'",  # the same, by the pure parser
    "not YAML: did not find expected tag URI",  # in newer YAML a tag ends before [ ] { } and a comma
    "not YAML: did not find expected whitespace or line break",
    "this unquoted value is not a number that JSON can hold",
    "a number that is too large",
)
# What is taken although kubectl refuses it: newer YAML (`[a?b]`), content on the line of a marker, a JSON stream that
# goes on as YAML.
OURS_TAKES = (
    "did not find expected ',' or",
    "invalid Yaml document separator",
    "json: offset",
    "invalid character",
)


class Oracle:
    """The program `manifests` of the testbed."""

    def __init__(self) -> None:
        program = binaries.ensure_one(binaries.MANIFESTS, "manifests")
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, data: bytes) -> tuple[list[Any], str]:
        """The documents of an input, and why it is refused."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(b"%d\n" % len(data) + data)
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["documents"] or [], answer.get("error", "")


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    found = Oracle()
    with found.process:
        yield found
        assert found.process.stdin
        found.process.stdin.close()


def read(data: bytes) -> tuple[list[Any], tuple[str, ...]]:
    """The documents that hwplan reads, and its problems."""
    try:
        documents = load_documents(data, "input", MANIFEST)
    except ConfigError as error:
        return [], tuple(problem.message for problem in error.problems)
    return [document.value for document in documents if document.value is not None], ()


def difference(oracle: Oracle, data: bytes) -> str:
    """How the two readings differ; empty where they are equal, or both refuse."""
    expected, refused = oracle.read(data)
    found, problems = read(data)
    if problems:
        allowed = refused or any(problem.startswith(OURS_REFUSES) for problem in problems)
        return "" if allowed else f"refused: {problems}"
    if refused:
        return "" if any(reason in refused for reason in OURS_TAKES) else f"taken, and it is {refused}"
    return "" if exact(found) == exact(expected) else f"read as {found}, and it is {expected}"


def exact(value: Any) -> str:
    """A value with its types, a number as JSON has it."""
    return json.dumps(_doubles(value), sort_keys=True)


def _doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_doubles(item) for item in value]
    is_long = isinstance(value, int) and not -(1 << 63) <= value < 1 << 63
    return float(value) if is_long else value


@pytest.mark.timeout(1800)
def test_generated_documents(oracle: Oracle) -> None:
    documents = Documents(SEED)
    inputs = (documents.next() for _ in range(DOCUMENTS))
    differences = [(data, found) for data in inputs if (found := difference(oracle, data))]
    assert differences == []


def test_generated_documents_are_read_for_the_most_part(oracle: Oracle) -> None:
    """A generator of nothing but errors would prove nothing."""
    documents = Documents(SEED)
    readings = [read(documents.next()) for _ in range(500)]
    assert sum(not problems for _, problems in readings) > 250


def published() -> list[Path]:
    """Every YAML file that the pinned modules of the testbed ship."""
    folders = [
        binaries.module_folder(binaries.KUBERNETES, "k8s.io/kubernetes"),
        binaries.module_folder(binaries.KUBERNETES, "k8s.io/apiextensions-apiserver"),
        binaries.module_folder(binaries.KWOK, "sigs.k8s.io/kwok"),
        binaries.argocd_module(),
    ]
    return sorted(path for folder in folders for suffix in ("*.yaml", "*.yml") for path in folder.rglob(suffix))


@pytest.mark.timeout(600)
def test_published_files(oracle: Oracle) -> None:
    files = published()
    assert len(files) > 2500
    found = {path.name: difference(oracle, path.read_bytes()) for path in files}
    assert {name: text for name, text in found.items() if text} == {}


@pytest.mark.timeout(600)
def test_without_the_c_library(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_builder, "yaml_events", pure_yaml_events)
    documents = Documents(SEED + 1)
    inputs = (documents.next() for _ in range(DOCUMENTS // 10))
    assert [(data, found) for data in inputs if (found := difference(oracle, data))] == []
    files = [path for path in published()[::40] if path.stat().st_size < 20_000]
    assert {path.name: text for path in files if (text := difference(oracle, path.read_bytes()))} == {}
