"""What a provider brings along to be judged by the contract suite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from planner.ports import PreviewEffect, Provider
from planner.resource import Resource
from planner.values import Vault

SECRET = b"a-secret-of-the-contract"


class StateCase(Protocol):
    """One case of the suite: real systems in a folder, and resources wanted in them: none is there, or has run, at
    first.

    A case may have a method `close`, which is called after the test, and should have `requests`, which gives how many
    requests the world was asked so far: then the suite sees whether many resources are read in bulk.
    """

    vault: Vault
    effect: PreviewEffect  # what the provider does at first: it makes something, or it runs over what is there
    refused_as_a_whole: bool  # a damaged snapshot gives an error in place of any observation

    def provider(self) -> Provider:
        """The provider of a new command: it remembers nothing."""
        ...

    def wanted(self) -> Sequence[Resource]:
        """At least three."""
        ...

    def holds(self, resource: Resource) -> bool:
        """Whether the world is as the resource asks, reported without the provider."""
        ...

    def state(self) -> object:
        """All that counts of the world, to be compared."""
        ...

    def meddle(self, resource: Resource) -> None:
        """Somebody else puts another thing in the place of `resource`."""
        ...

    def break_it(self) -> None:
        """Make the world unreadable."""
        ...


class RemoteCase(StateCase, Protocol):
    """A world behind a network that can be made worse. `harms` are names of what can be wrong with it, no more of them
    than resources that are wanted; with the first one nothing gets through at all."""

    harms: Sequence[str]

    def harm(self, how: str | None) -> None:
        """From now on this is wrong with the network, for as long as it takes; with None, nothing is."""
        ...


class RunCase(Protocol):
    """One case of the suite for kinds that only run, with real systems: they ask, or do something, and leave no state
    to compare."""

    vault: Vault

    def provider(self) -> Provider:
        """The provider of a new command: it remembers nothing."""
        ...

    def wanted(self) -> Sequence[Resource]:
        """At least three, and none of them ends well as the world is at first; each gives up only after a minute."""
        ...

    def fulfil(self) -> None:
        """Make the world such that all of them end well."""
        ...

    def state(self) -> object:
        """All that counts of the world, to be compared."""
        ...

    def break_it(self) -> None:
        """Make the world unreadable."""
        ...


def folder_digest(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of all files below a folder; locks and what is hidden do not count."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
