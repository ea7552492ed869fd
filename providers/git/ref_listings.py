"""What the refs of each remote are, asked once per remote in a plan, and again only after we pushed there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import field

from planner.dataclass import dataclass
from planner.errors import ProviderError
from providers.git.git_ssh import GitSshSettings
from providers.git.remotes import GitRemoteUrls

_MOST_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class RefListings:
    """Caches the refs that `git ls-remote` lists for each remote, and failures too: a remote that could not be read is
    not asked again in the same plan."""

    ask: Callable[[GitRemoteUrls], Mapping[str, str]]
    _known: dict[tuple[str, GitSshSettings], Future[Mapping[str, str]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, remote: GitRemoteUrls) -> Mapping[str, str]:
        """All refs of a remote with their object ids. Raises what the question raised."""
        with self._lock:
            known = self._known.get(remote.key)
            answer = known or self._known.setdefault(remote.key, Future())
        if known is None:
            try:
                answer.set_result(self.ask(remote))
            except BaseException as error:
                answer.set_exception(error)
                if not isinstance(error, ProviderError):
                    self.forget(remote)
        return answer.result()

    def warm(self, remotes: Iterable[GitRemoteUrls]) -> None:
        """Ask all of them at once; failures come when they are used."""
        wanted = list({remote.key: remote for remote in remotes}.values())
        if len(wanted) > 1:
            with ThreadPoolExecutor(min(len(wanted), _MOST_AT_ONCE)) as pool:
                for future in [pool.submit(self.of, remote) for remote in wanted]:
                    future.exception()

    def forget(self, remote: GitRemoteUrls) -> None:
        """Ask again the next time."""
        with self._lock:
            self._known.pop(remote.key, None)
