"""The rest of a sandbox beside its cluster: bare git repositories, an OCI layout, made-up secrets, canned answers.

Owns what a sandbox folder holds and how it is made, always the same bytes for the same input; the simulated cluster
itself belongs to providers.kubernetes.snapshot. Never overwrites anything.
"""

from __future__ import annotations

from providers.sandbox.canned_answers_file import CannedHttpAnswer, CannedPrometheusQuery, CannedScrapeTarget
from providers.sandbox.create_files import SandboxContents, fill_sandbox
from providers.sandbox.git_repositories import SandboxRemote
from providers.sandbox.initial_github_file import SandboxGitHubRepository
from providers.sandbox.secret_files import SandboxSecretFile
from providers.sandbox.simulated_pipelines_file import BuiltService, PromotedManifests, SimulatedPipeline

__all__ = [
    "BuiltService",
    "CannedHttpAnswer",
    "CannedPrometheusQuery",
    "CannedScrapeTarget",
    "PromotedManifests",
    "SandboxContents",
    "SandboxGitHubRepository",
    "SandboxRemote",
    "SandboxSecretFile",
    "SimulatedPipeline",
    "fill_sandbox",
]
