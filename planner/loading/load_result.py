"""What loading ends in: the desired resources, the secret values they refer to, and what was selected. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from planner.address import Address
from planner.dataclass import dataclass
from planner.resource import Resource
from planner.values import Vault

if TYPE_CHECKING:
    from planner.loading.secrets.secret_source_expansion import NeededSecretFile


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The result of `load_plain_manifests` and `load_product_stack`.

    `vault` maps `SealedSecret.ref` to values and lives in memory only. `digest` is that of the desired resources,
    without any secret value. `blocked` gives resources that are declared but whose source is missing, and why; they are
    among `resources` all the same. `owned` are the owned sets of the selection, also those that came out empty;
    `scopes` the resolved scope names in order (empty for plain manifests); `secret_files` where its secrets are read
    from; `fingerprints` of every reference to a secret that was tried, "" where there was no value; `obsolete` are
    Secrets that are declared as no longer wanted: an identity, and no content.
    """

    resources: tuple[Resource, ...]
    vault: Vault = field(repr=False)
    digest: str
    warnings: tuple[str, ...] = ()
    blocked: Mapping[Address, str] = field(default_factory=dict)
    owned: tuple[str, ...] = ()
    product: str = ""
    nodes: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    secret_files: tuple[NeededSecretFile, ...] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    obsolete: tuple[Resource, ...] = ()
