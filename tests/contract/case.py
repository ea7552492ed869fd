"""What a provider brings along to be judged: the names that cases import, from where they are published."""

from __future__ import annotations

from dataclasses import dataclass

from planner.contract.case import SECRET, Case, RemoteCase, RunCase, tree
from planner.errors import PermanentError
from planner.values import SecretValue, Vault

__all__ = ["SECRET", "Case", "RemoteCase", "RunCase", "VaultSource", "tree"]


@dataclass(frozen=True)
class VaultSource:
    """A planner.ports.SecretSource that has the values of a vault, and no others."""

    values: Vault

    def value(self, ref: str) -> SecretValue:
        """The value now."""
        if ref not in self.values:
            raise PermanentError("no such secret")
        return self.values[ref]
