"""The rest of a sandbox beside its cluster: bare git repositories, an OCI layout, made-up secrets, canned answers.

Owns what a sandbox folder holds and how it is made, always the same bytes for the same input; the simulated cluster
itself belongs to providers.kubernetes.snapshot. Never overwrites anything.
"""

from __future__ import annotations

from providers.sandbox.folder import Contents, fill
from providers.sandbox.probes import CannedAnswer
from providers.sandbox.repositories import Remote
from providers.sandbox.secrets import SecretFile

__all__ = ["CannedAnswer", "Contents", "Remote", "SecretFile", "fill"]
