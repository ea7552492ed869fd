"""Reads the evidence of one lane: git, cluster, registry, probe. What follows from it is planner.rollout's."""
