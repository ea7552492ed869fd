"""From YAML to resources: bounded loading, configuration, templates, secrets, and every problem at once.

Imports its parts lazily where they are heavy; nothing here touches a network.
"""

from planner.loading.load_result import LoadResult

__all__ = ["LoadResult"]
