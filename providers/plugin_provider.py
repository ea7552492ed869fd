"""Providers of other distributions, held to what planner.ports asks of every provider.

Owns making them and turning their mistakes into named ones: a plan says which distribution failed and where, and goes
on with everything else. What goes wrong in an effect or a look is the executor's to name, as with any provider.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import HwplanError, PermanentError
from planner.plan import Change
from planner.plugins import InstalledPlugin, innermost_traceback_line
from planner.ports import (
    Observation,
    Preview,
    PreviewEffect,
    Provider,
    Readiness,
    ReadResult,
    UnreadableObject,
    Written,
)
from planner.resource import Resource
from planner.values import Vault

_METHODS = ("read", "preview", "apply", "delete", "readiness")


def create_plugin_provider(installed: InstalledPlugin, tools: Any) -> Provider:
    """The provider of a plug-in, made with `tools`. Raises PermanentError, which names the distribution, for none."""
    try:
        inner = installed.plugin.create(tools)
    except HwplanError:
        raise
    except Exception as error:
        raise PermanentError(_internal(installed.origin, error)) from error
    missing = [name for name in _METHODS if not callable(getattr(inner, name, None))]
    if missing:
        raise PermanentError(f"the factory of {installed.origin} made no provider: {', '.join(missing)} is missing")
    return PluginProvider(inner, installed.origin)


@dataclass(frozen=True, slots=True)
class PluginProvider:
    """Delegates to the provider of an installed plug-in (planner.ports.Provider). `origin` is the distribution of
    `inner`."""

    inner: Provider
    origin: str

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider. What fails in a way that nobody meant, or is left out, is an UnreadableObject."""
        try:
            found = self.inner.read(wanted, owned, also)
        except HwplanError:
            raise
        except Exception as error:
            reason = _internal(self.origin, error)
            return ReadResult({one.address: UnreadableObject(one.address, reason) for one in wanted})
        left_out = f"the provider of {self.origin} says nothing about it"
        unseen = {one.address: UnreadableObject(one.address, left_out) for one in wanted}
        return ReadResult({**unseen, **found.observations}, found.strays, found.unlisted, found.warnings)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. What fails in a way that nobody meant, or is left out, is blocked."""
        reason = f"the provider of {self.origin} says nothing about it"
        found: Mapping[Address, Preview] = {}
        try:
            found = self.inner.preview(items)
        except HwplanError:
            raise
        except Exception as error:
            reason = _internal(self.origin, error)
        readable = [one.address for one, seen in items if not isinstance(seen, UnreadableObject)]
        return {address: found.get(address) or Preview(PreviewEffect.NONE, blocked=reason) for address in readable}

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider."""
        return self.inner.apply(change, vault)

    def delete(self, change: Change) -> Written:
        """See Provider."""
        return self.inner.delete(change)

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See Provider."""
        return self.inner.readiness(changes)


def _internal(origin: str, error: Exception) -> str:
    return f"internal error in the provider of {origin}: {type(error).__name__}{innermost_traceback_line(error)}"
