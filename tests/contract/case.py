"""What a provider brings along to be judged: the names that cases import, from where they are published."""

from planner.contract.case import SECRET, Case, RemoteCase, RunCase, tree

__all__ = ["SECRET", "Case", "RemoteCase", "RunCase", "tree"]
