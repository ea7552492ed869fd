"""The one table of targets."""

from __future__ import annotations

from tests.fuzz import git_targets, kubernetes_targets, plan_targets, text_targets, web_targets

TARGETS = (
    *kubernetes_targets.TARGETS,
    *web_targets.TARGETS,
    *git_targets.TARGETS,
    *text_targets.TARGETS,
    *plan_targets.TARGETS,
)
