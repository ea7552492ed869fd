"""What a provider brings along to be judged by the contract suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from planner.errors import PermanentError
from planner.ports import Provider
from planner.resource import Resource
from planner.values import SecretValue, Vault

SECRET = b"a-secret-of-the-contract"


class Case(Protocol):
    """A small world of real parts in a folder, and resources wanted in it, none of which is there at first."""

    vault: Vault
    refused_as_a_whole: bool  # a damaged snapshot gives an error in place of any observation

    def provider(self) -> Provider:
        """The provider of a new command: it remembers nothing."""
        ...

    def wanted(self) -> Sequence[Resource]:
        """At least three."""
        ...

    def holds(self, resource: Resource) -> bool:
        """Whether the world is as the resource asks, told without the provider."""
        ...

    def state(self) -> object:
        """All that counts of the world, to be compared."""
        ...

    def meddle(self, resource: Resource) -> None:
        """Somebody else puts another thing in the place of `resource`."""
        ...

    def break_it(self) -> None:
        """Make the world unreadable."""
        ...


@dataclass(frozen=True)
class VaultSource:
    """A planner.ports.SecretSource that has the values of a vault, and no others."""

    values: Vault

    def value(self, ref: str) -> SecretValue:
        """The value now."""
        if ref not in self.values:
            raise PermanentError("no such secret")
        return self.values[ref]


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of all files below a folder; locks and what is hidden do not count."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
