"""What contains what: whether a commit is in the history of another one, at a remote or in what was fetched before."""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path
from shutil import rmtree

from planner.user_cache_folder import user_cache_folder
from planner.values import JsonObject
from providers.git.git_client import GitClient
from providers.git.object_cache import ObjectCache
from providers.git.remotes import RemoteLocations, open_remote_locations, resolve_remote


class CommitAncestry:
    """Answers whether one commit is an ancestor of another. `folder` is the configuration folder, `sandbox` that of a
    sandbox or None: what is fetched from the repositories of a sandbox goes away with this object."""

    def __init__(self, folder: Path, sandbox: Path | None) -> None:
        self.client = GitClient()
        self.places: RemoteLocations = open_remote_locations(folder, sandbox)
        self.objects = ObjectCache(self.client, self._cache(sandbox))
        self._held: dict[tuple[str, str], bool | None] = {}

    def _cache(self, sandbox: Path | None) -> Path:
        if sandbox is None:
            return user_cache_folder("git")
        folder = Path(tempfile.mkdtemp(prefix="hwplan-git-"))
        weakref.finalize(self, rmtree, folder, ignore_errors=True)
        return folder

    def contains(self, side: JsonObject, ancestor: str, descendant: str, ref: str = "") -> bool | None:
        """Whether the descendant contains the ancestor (`merge-base --is-ancestor`); None when git cannot compare them.

        `side` is the remote as a document names it, `ref` where the descendant stands there, if that is known. Commits
        never change, so what was found once stays. Raises ProviderError.
        """
        if ancestor == descendant:
            return True
        if (ancestor, descendant) not in self._held:
            self.objects.bring(resolve_remote(side, self.places), descendant, ref)
            self._held[ancestor, descendant] = self.objects.contains(descendant, ancestor)
        return self._held[ancestor, descendant]
