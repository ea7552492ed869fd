"""What a provider brings along to be judged: the names that cases import, from where they are published."""

from __future__ import annotations

from dataclasses import dataclass

from planner.contract.contract_case import SECRET, RemoteCase, RunCase, StateCase, folder_digest
from planner.errors import PermanentError
from planner.values import SecretValue, Vault

__all__ = ["SECRET", "RemoteCase", "RunCase", "StateCase", "VaultSource", "folder_digest"]


@dataclass(frozen=True)
class VaultSource:
    """A planner.ports.SecretValueReader that has the values of a vault, and no others."""

    values: Vault

    def value(self, ref: str) -> SecretValue:
        """The value now."""
        if ref not in self.values:
            raise PermanentError("no such secret")
        return self.values[ref]
