"""The file of ignore rules: fields of a kind that are left to another owner for good. Every problem at once.

    - kind: Deployment.apps                 # a glob over Kind or Kind.group
      manager: kube-controller-manager      # a glob over field managers; left out: whoever it was
      fields: [spec.replicas]               # these and what is below; left out: all fields
      reason: the autoscaler decides

Reads one file; whether a rule applies to a field is decided by planner.planning.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, StringConstraints

from planner.drift import DriftIgnoreRule
from planner.field_path import parse_path
from planner.loading.drift_acknowledgements import FieldName
from planner.loading.entry_list_file import load_entry_list_file
from planner.spec.base import StrictModel, Text


def _kind(text: str) -> str:
    if "/" in text:
        raise ValueError("expected a kind or a glob of kinds: Deployment, Deployment.apps, *.networking.k8s.io")
    return text


_Kind: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=512), AfterValidator(_kind)]
_Manager: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=128)]  # the API server's own limit


class DriftIgnoreRuleEntry(StrictModel):
    """One rule as it is written down."""

    kind: _Kind
    reason: Text
    manager: _Manager = "*"
    fields: tuple[FieldName, ...] = ()


def load_ignore_rules(file: Path) -> tuple[DriftIgnoreRule, ...]:
    """The rules of a file, in its order. Raises ConfigError with every problem, SelectionError without a file."""
    return tuple(
        DriftIgnoreRule(rule.kind, rule.manager, tuple(map(parse_path, rule.fields)), rule.reason, source)
        for rule, source in load_entry_list_file(file, DriftIgnoreRuleEntry, what="ignore rules", option="--ignore")
    )
