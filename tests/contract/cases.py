"""The providers that are judged in every run, by the name of their case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.contract.case import StateCase
from tests.contract.commands import Commands
from tests.contract.file_case import Files
from tests.contract.git_cases import Commits, JobRefs, Refs
from tests.contract.github_cases import Comments, Issues, PullRequests, Statuses
from tests.contract.image_case import Images
from tests.contract.kubernetes_cases import Objects, Restarts, Retentions
from tests.contract.rest_case import RestObjects

CASES: Mapping[str, Callable[[Path], StateCase]] = {
    "commands": Commands,
    "files": Files,
    "git": Refs,
    "commits": Commits,
    "git by job": JobRefs,
    "github comments": Comments,
    "github issues": Issues,
    "github pull requests": PullRequests,
    "github statuses": Statuses,
    "images": Images,
    "kubernetes": Objects,
    "restart": Restarts,
    "retention": Retentions,
    "rest": RestObjects,
}
