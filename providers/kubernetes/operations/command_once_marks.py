"""The marks of what is done once: a ConfigMap for each command and key, in the namespace of the target.

A mark is written before the effect and completed after it, so that it outlives this process, its state and this
machine, and every operator of the cluster sees it. Every write names the version that was read (or that there is none),
so that of two who begin one wins. Owns their names, their form and these writes; decides nothing. See docs/adr/0024.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import field, replace
from datetime import UTC, datetime

from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, TemporaryError
from planner.values import JsonObject, canonical_bytes, document_digest
from providers.cluster_interface import Cluster, ServedKubernetesKind
from providers.kubernetes.preview.predict_apply import CREATE_ONLY

_LABELS = {"app.kubernetes.io/managed-by": "hwplan", "hwplan.dev/record": "pod-exec"}


@dataclass(frozen=True, slots=True)
class CommandOnceKey:
    """What is done once: a named command, in a container of a target, for a value. The command itself is not part of
    it, because the value is what the author chose to say one time from another."""

    namespace: str
    exec: str  # the name of the PodExec
    target: str
    container: str
    value: str

    @property
    def name(self) -> str:
        """Name of the ConfigMap; the same on every machine."""
        parts = [self.exec, self.target, self.container, self.value]
        return "hwplan-exec-" + hashlib.sha256(canonical_bytes(parts)).hexdigest()[:20]

    @property
    def shown(self) -> str:
        """The mark as an address."""
        return f"ConfigMap/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class CommandOnceMark:
    """A mark as it stands: who began (`token`), when, the how-manieth time, in which pod with which command, and the
    exit code (None: no end is on record). `uid` and `version` are those of the ConfigMap."""

    token: str
    attempt: int
    begun: str
    pod: str
    command: str
    exit_code: int | None
    uid: str = field(default="", compare=False)
    version: str = field(default="", compare=False)

    @property
    def is_done(self) -> bool:
        """Whether the command succeeded: then it is never run again."""
        return self.exit_code == 0

    @property
    def is_open(self) -> bool:
        """Whether the command was begun and its end is not on record: it runs, or it may have run."""
        return self.exit_code is None

    @property
    def content(self) -> str:
        """The version token of plans. A success is like any other, each failure and each begin is one of its own."""
        return DONE if self.is_done else document_digest([self.token, self.exit_code])


DONE = document_digest([0])


def command_text_for_once_mark(command: tuple[str, ...]) -> str:
    """The text by which a mark names its command."""
    return canonical_bytes(list(command)).decode()


def read_command_once_mark(cluster: Cluster, key: CommandOnceKey) -> CommandOnceMark | None:
    """The mark in its ConfigMap, or None when nobody began. Raises PermanentError when it cannot be understood."""
    live = cluster.get(_kind(cluster), key.namespace, key.name)
    return None if live is None else _mark(live, key)


def write_once_mark_before_command(
    cluster: Cluster, key: CommandOnceKey, before: CommandOnceMark | None, pod: str, command: tuple[str, ...]
) -> CommandOnceMark:
    """Write the mark of a command before it runs, in place of `before`.

    Raises PreconditionError when somebody else wrote it since, TemporaryError when it may not be there.
    """
    attempt = before.attempt + 1 if before else 1
    mark = CommandOnceMark(secrets.token_hex(8), attempt, _now(), pod, command_text_for_once_mark(command), None)
    return _write(cluster, key, mark, _this(before) if before else {"resourceVersion": CREATE_ONLY})


def complete_once_mark_after_command(
    cluster: Cluster, key: CommandOnceKey, mark: CommandOnceMark, exit_code: int
) -> CommandOnceMark:
    """Write the end into our own mark. Raises PreconditionError when it is ours no longer, TemporaryError."""
    ended = replace(mark, exit_code=exit_code)
    try:
        return _write(cluster, key, ended, _this(mark))
    except PreconditionError:
        now = read_command_once_mark(cluster, key)
        if now != mark:
            raise
        return _write(cluster, key, ended, _this(now))  # a label, or the like


def restore_previous_once_mark(
    cluster: Cluster, key: CommandOnceKey, mark: CommandOnceMark, before: CommandOnceMark | None
) -> None:
    """Put back what stood there before our own mark: the command was not started."""
    if before is None:
        cluster.delete(_kind(cluster), key.namespace, key.name, uid=mark.uid, resource_version=mark.version)
    else:
        _write(cluster, key, before, _this(mark))


def _this(mark: CommandOnceMark) -> JsonObject:
    """The precondition that this version of a mark stands there."""
    return {"uid": mark.uid, "resourceVersion": mark.version}


def _write(cluster: Cluster, key: CommandOnceKey, mark: CommandOnceMark, precondition: JsonObject) -> CommandOnceMark:
    """Force: the mark is ours alone, and the precondition says that we have seen what anybody else put into it."""
    try:
        return _mark(cluster.apply(_kind(cluster), _document(key, mark, precondition), force=True), key)
    except OutcomeUnknown:
        now = read_command_once_mark(cluster, key)
        if now == mark:
            return now
        raise TemporaryError("its mark could not be written", where=key.shown) from None


def _document(key: CommandOnceKey, mark: CommandOnceMark, precondition: JsonObject) -> JsonObject:
    data = {
        "exec": f"PodExec/{key.exec}",
        "target": key.target,
        "container": key.container,
        "oncePer": key.value,
        "command": mark.command,
        "pod": mark.pod,
        "token": mark.token,
        "attempt": str(mark.attempt),
        "begun": mark.begun,
        "exitCode": "" if mark.exit_code is None else str(mark.exit_code),
    }
    metadata = {"name": key.name, "namespace": key.namespace, "labels": _LABELS, **precondition}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _mark(live: JsonObject, key: CommandOnceKey) -> CommandOnceMark:
    data, metadata = live.get("data") or {}, live["metadata"]
    code = data.get("exitCode")
    try:
        if not isinstance(code, str) or data["oncePer"] != key.value:
            raise ValueError
        return CommandOnceMark(
            token=str(data["token"]),
            attempt=int(data["attempt"]),
            begun=str(data["begun"]),
            pod=str(data["pod"]),
            command=str(data["command"]),
            exit_code=int(code) if code else None,
            uid=str(metadata["uid"]),
            version=str(metadata["resourceVersion"]),
        )
    except (KeyError, ValueError):
        remedy = f"find out whether the command ran; then delete {key.shown}, or write it anew"
        raise PermanentError("the mark of this command is damaged", where=key.shown, remedy=remedy) from None


def _kind(cluster: Cluster) -> ServedKubernetesKind:
    found = cluster.kind("v1", "ConfigMap")
    assert found is not None  # every cluster serves it
    return found


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
