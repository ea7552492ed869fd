"""Kinds that other distributions bring, by the entry-point group `hwplan.providers`: one entry for each kind.

Owns finding and checking them, and the question which model belongs to a kind, built in or not. Entry points are read
when a hwplan kind is first asked about, never when a command starts, and the code of a distribution only for its own
kinds. Knows no provider.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import PurePath
from typing import Any, get_args

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.kind_hook_types import KindLoadHooks
from planner.ports import Provider
from planner.spec.kinds import TABLE
from planner.spec.kinds import builtin_model_of_kind as built_in
from planner.spec.kinds.envelope import KindModel

GROUP = "hwplan.providers"
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")


@dataclass(frozen=True, slots=True)
class Plugin:
    """What an entry point of the group leads to: the model of a kind, and what makes its provider.

    `create` takes `providers.provider_tools.ProviderTools` and is called once in a command, when a resource of the kind
    turns up; it is where to import what is slow. Plug-ins with the same `create` share one provider.
    """

    model: type[KindModel]
    create: Callable[[Any], Provider]
    hooks: KindLoadHooks = field(default_factory=KindLoadHooks)


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """A plug-in and the distribution that it came with, as messages show it: `hwplan-note 1.0`."""

    plugin: Plugin
    origin: str


def all_kind_names() -> tuple[str, ...]:
    """The names of all hwplan kinds, built in or claimed by a distribution, sorted."""
    return tuple(sorted({*TABLE, *_claims()}))


def model_of_kind(kind: str) -> type[KindModel] | None:
    """The model of a hwplan kind, None when nobody has it. Raises PermanentError as `plugin_of_kind` does."""
    found = plugin_of_kind(kind)
    return found.plugin.model if found is not None else built_in(kind)


@cache
def plugin_of_kind(kind: str) -> InstalledPlugin | None:
    """The plug-in of a kind, None when no distribution claims it.

    Raises PermanentError that names the distribution: it claims a kind of hwplan itself or of another distribution, its
    entry point cannot be imported, or leads to something else than a plug-in of this kind.
    """
    claims = _claims().get(kind, ())
    if not claims:
        return None
    origins = [_origin(entry) for entry in claims]
    if kind in TABLE:
        raise PermanentError(f"{_all(origins)} claims the kind {kind}, which hwplan has itself", remedy=_UNINSTALL)
    if len(claims) > 1:
        raise PermanentError(f"{_all(origins)} claim the same kind {kind}", remedy=_UNINSTALL)
    return InstalledPlugin(_loaded(claims[0], origins[0]), origins[0])


_UNINSTALL = "uninstall it, or have it name its kind otherwise"


@cache
def _claims() -> Mapping[str, tuple[EntryPoint, ...]]:
    """Kind -> entries, of the distributions that this Python sees now."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in sorted(entry_points(group=GROUP), key=_origin):
        found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


def _origin(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "unknown"


def _all(origins: list[str]) -> str:
    return f"the distribution{'s' if len(origins) > 1 else ''} {' and '.join(origins)}"


def _loaded(entry: EntryPoint, origin: str) -> Plugin:
    try:
        found = entry.load()
    except (Exception, SystemExit) as error:
        raise PermanentError(
            f"the kind {entry.name} comes from {_all([origin])}, and its entry point {entry.value} cannot be imported: "
            f"{_cause(error)}",
            remedy=f"mend or uninstall it; python -c 'import {entry.module}' shows more",
        ) from error
    if wrong := _wrong(entry.name, found):
        raise PermanentError(
            f"the kind {entry.name} comes from {_all([origin])}, and its entry point {entry.value} is no plug-in: "
            f"{wrong}",
            remedy="docs/providers.md shows what a distribution brings",
        )
    assert isinstance(found, Plugin)
    return found


def _wrong(kind: str, found: object) -> str:
    """What keeps `found` from being the plug-in of this kind; "" if nothing does."""
    if not _KIND.fullmatch(kind):
        return "a kind is named by letters and digits, the first of them a capital"
    if not isinstance(found, Plugin):
        return f"it is a {type(found).__name__}, not a planner.plugins.Plugin"
    model: object = found.model  # what a distribution gives, whatever the types ask for
    create: object = found.create
    if not callable(create):
        return "it has no factory: `create` cannot be called"
    if not (isinstance(model, type) and issubclass(model, KindModel)):
        return "its model is no planner.spec.kinds.envelope.KindModel"
    fields = model.model_fields
    if "kind" not in fields or get_args(fields["kind"].annotation) != (kind,) or "spec" not in fields:
        return f'its model needs the fields kind: Literal["{kind}"] and spec'
    return ""


def _cause(error: BaseException) -> str:
    """The type of a foreign error and where it was raised. Never its text: that may quote anything."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"no module {error.name}"
    return f"{type(error).__name__}{innermost_traceback_line(error)}"


def innermost_traceback_line(error: BaseException) -> str:
    """` at provider.py:12`, the innermost line of the traceback; "" without one."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
