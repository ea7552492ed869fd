"""What a PodExec asks for, read from its document. Pure."""

from __future__ import annotations

from dataclasses import replace

from planner import duration
from planner.address import Address
from planner.dataclass import dataclass
from planner.values import JsonObject, OutputRef, OutputTemplate, canonical_bytes
from providers.kubernetes.operations.command_once_marks import CommandOnceKey


@dataclass(frozen=True, slots=True)
class PodExecCommand:
    """A command in a container of a workload, once for each value. `key` is None while the value is not known; with
    `per_image` it is the image that the container runs, which only its pod says."""

    target: Address
    container: str
    command: tuple[str, ...]
    key: CommandOnceKey | None
    seconds: float
    idempotent: bool
    keep_output: bool = False
    name: str = ""
    per_image: bool = False

    def for_value(self, value: str) -> PodExecCommand:
        """The same with the value known."""
        key = CommandOnceKey(self.target.namespace, self.name, self.target.local, self.container, value)
        return replace(self, key=key)

    @property
    def api_version(self) -> str:
        """That of the target."""
        return f"{self.target.group}/v1" if self.target.group else "v1"


def parse_pod_exec_command(document: JsonObject) -> PodExecCommand:
    """The command that the document of a PodExec asks for. The document fits the model in
    planner.spec.kinds.pod_exec_restart_retention."""
    spec = document["spec"]
    target = Address.parse(str(spec["target"]))
    once_per = spec.get("oncePer")
    wanted = PodExecCommand(
        target=target,
        container=str(spec["container"]),
        command=tuple(spec["command"]),
        key=None,
        seconds=duration.parse_duration(str(spec.get("timeout", "5m"))),
        idempotent=bool(spec.get("idempotent", False)),
        keep_output=bool(spec.get("keepOutput", False)),
        name=str(document["metadata"]["name"]),
        per_image=bool(spec.get("oncePerImage", False)),
    )
    if wanted.per_image or isinstance(once_per, OutputRef | OutputTemplate):
        return wanted
    return wanted.for_value(once_per if isinstance(once_per, str) else canonical_bytes(once_per).decode())
