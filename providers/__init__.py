"""The outside world: one package for each system, behind the ports of planner.ports."""
