"""What a PodExec asks for, read from its document. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from planner import duration
from planner.address import Address
from planner.values import JsonObject, Ref, Sub, canonical
from providers.kubernetes.operations.once import Key


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command in a container of a workload, once for each value. `key` is None while the value is not known."""

    target: Address
    container: str
    command: tuple[str, ...]
    key: Key | None
    seconds: float
    idempotent: bool

    @property
    def api_version(self) -> str:
        """That of the target."""
        return f"{self.target.group}/v1" if self.target.group else "v1"


def parse_wanted(document: JsonObject) -> Wanted:
    """Read a document that fits its model (planner.spec.kinds.runs)."""
    spec = document["spec"]
    target = Address.parse(str(spec["target"]))
    container, once_per = str(spec["container"]), spec["oncePer"]
    key = None
    if not isinstance(once_per, Ref | Sub):
        value = once_per if isinstance(once_per, str) else canonical(once_per).decode()
        key = Key(target.namespace, str(document["metadata"]["name"]), target.local, container, value)
    return Wanted(
        target=target,
        container=container,
        command=tuple(spec["command"]),
        key=key,
        seconds=duration.parse(str(spec.get("timeout", "5m"))),
        idempotent=bool(spec.get("idempotent", False)),
    )
