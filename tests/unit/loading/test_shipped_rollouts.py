"""Rollouts of the shipped products, as they are rendered for each node."""

from __future__ import annotations

from pathlib import Path

from planner.app.load_desired import load_desired_offline
from planner.app.request import Request

CONFIG = Path(__file__).parents[3] / "config"


def test_r3_each_sync_takes_a_later_commit_that_contains_the_wanted_one() -> None:
    """Who pushes to the branch during a wait does not leave it pending: the branch is named to look it up in."""
    syncs = {}
    for node in ("G14", "D601", "D518", "JD01"):
        stack = load_desired_offline(Request(config=CONFIG, product="all", nodes=(node,), scopes=("rollout",)))
        for one in stack.resources:
            if one.address.kind == "ArgoSync" and not one.address.group:
                syncs[f"{one.address.node_lane} {one.address.name}"] = one.manifest["spec"]
    assert len(syncs) >= 6 and {name for name in syncs if "agentrun" in name} and {n for n in syncs if "sentinel" in n}
    for name, spec in syncs.items():
        history = spec.get("history") or {}
        assert spec["revision"] and history.get("branch") and str(history.get("remote")).endswith(".git"), name
