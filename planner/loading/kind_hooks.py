"""The one table of what the loader does with documents of a kind besides checking them against its model.

Hooks of hwplan's own kinds stand here, those of other distributions in their planner.plugins.Plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planner.kind_hook_types import KindLoadHooks
from planner.loading.config_policies.gate_probes import check_gate_probe
from planner.loading.config_policies.image_sources import check_registry_image
from planner.loading.git_push_job import git_ref_with_job_template
from planner.loading.prometheus_of_node import query_with_prometheus_of_node
from planner.plugins import plugin_of_kind

HOOKS: Final[Mapping[str, KindLoadHooks]] = {
    "GitRef": KindLoadHooks(expand=git_ref_with_job_template),
    "HttpProbe": KindLoadHooks(check=check_gate_probe),
    "PrometheusQuery": KindLoadHooks(expand=query_with_prometheus_of_node),
    "RegistryImage": KindLoadHooks(check=check_registry_image),
}


def load_hooks_of_kind(kind: str) -> KindLoadHooks:
    """The hooks of a hwplan kind; those that do nothing where it has none."""
    if (own := HOOKS.get(kind)) is not None:
        return own
    installed = plugin_of_kind(kind)
    return installed.plugin.hooks if installed is not None else KindLoadHooks()
