"""The one table of what the loader does with documents of a kind besides checking them against its model.

Hooks of hwplan's own kinds stand here, those of other distributions in their planner.plugins.Plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planner.kind_hook_types import LoadHooks
from planner.loading.config_policies.gate_probes import check_gate_probe
from planner.loading.config_policies.image_sources import check_registry_image
from planner.loading.git_push_job import expand_git_job
from planner.loading.node_prometheus import with_prometheus_server
from planner.plugins import plugin_of_kind

HOOKS: Final[Mapping[str, LoadHooks]] = {
    "GitRef": LoadHooks(expand=expand_git_job),
    "HttpProbe": LoadHooks(check=check_gate_probe),
    "PrometheusQuery": LoadHooks(expand=with_prometheus_server),
    "RegistryImage": LoadHooks(check=check_registry_image),
}


def hooks_of_kind(kind: str) -> LoadHooks:
    """The hooks of a hwplan kind; those that do nothing where it has none."""
    if (own := HOOKS.get(kind)) is not None:
        return own
    installed = plugin_of_kind(kind)
    return installed.plugin.hooks if installed is not None else LoadHooks()
