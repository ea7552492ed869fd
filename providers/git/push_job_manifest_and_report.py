"""The Job that pushes in our place: its name, what it is reported, and what its last word means. Pure.

How it runs is the `jobTemplate` of the document; what is planned is added here, as environment of its container. The
name is made of all that, so that the same planned push is the same Job, however often it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil
from pathlib import Path

from planner.address import Address
from planner.commit_id import is_commit_id
from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import Json, JsonObject, document_digest
from providers.git.checked_names import short_commit
from providers.git.git_ref_reader import ParsedGitRefSpec, ResolvedRefSide
from providers.json_answer import parse_json_answer

CONTAINER = "push"
LABEL = "hwplan.dev/git-ref"  # the name of the GitRef
TARGET = "hwplan.dev/git-ref-target"  # annotation: URL and ref, with a space between them
_CONNECTOR = Path(__file__).with_name("ssh_proxy_tunnel.py")
_MOST_WORDS = 4096  # the kubelet keeps no longer a termination message
# The last words of the script of templates/hwplan/git-ref/job.yaml.j2, as sentences.
_SENTENCES: Mapping[str, str] = {
    "pushed": "it was pushed",
    "already": "it stood there already",
    "moved": "the target is not where the plan saw it",
    "source-snapshot-missing": "source-snapshot-missing: the source does not have the commit",
    "source-unreadable": "the source cannot be read",
    "target-unreadable": "the target cannot be read",
    "not-fast-forward": "the commit is no descendant of the target: a push is never forced",
    "refused": "the server refused the push",
    "exhausted": "the connection of ssh failed each time (exhausted)",
    "push-failed": "the push failed",
    "push-unknown": "the answer to the push was lost, and then the target could not be read",
    "push-succeeded-fetch-failed": "partialSuccess=push-succeeded-fetch-failed",
}
_REMEDIES: Mapping[str, str] = {
    "moved": "plan again: the world moved since this plan was made",
    "not-fast-forward": "bring the target's commits into the source first",
}


@dataclass(frozen=True, slots=True)
class PushJobReport:
    """The last word of a Job. `commit` is where the target stood then, "" for nowhere, None where it does not say.

    `partial` is true when the first look after the push failed, and the second did not.
    """

    result: str
    commit: str | None
    tries: int = 1
    partial: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the target stood on the wanted commit."""
        return self.result in ("pushed", "already")

    @property
    def sentence(self) -> str:
        """The same for people."""
        at = f"; it stands on {short_commit(self.commit)}" if self.result == "moved" and self.commit else ""
        tries = f" after {self.tries} tries" if self.result == "exhausted" else ""
        remedy = f": {_REMEDIES[self.result]}" if self.result in _REMEDIES else ""
        return _SENTENCES[self.result] + at + tries + remedy


def build_push_job(address: Address, wish: ParsedGitRefSpec, old: str, new: str) -> JsonObject:
    """The whole Job that moves the target from `old` ("": nowhere) to `new`. Raises PermanentError for a template
    without a container `push`."""
    template = wish.template or {}
    spec = _told(template.get("spec"), {LABEL: _label(address.name)}, _target(wish), _environment(wish, old, new))
    metadata: JsonObject = {**_metadata(template, {LABEL: _label(address.name)}, _target(wish))}
    body: JsonObject = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
    unique = document_digest([address.namespace, body]).removeprefix("sha256:")[:12]
    stem = re.sub(r"[^a-z0-9]+", "-", address.name.lower()).strip("-")[:40].rstrip("-")
    return {**body, "metadata": {**metadata, "name": f"git-ref-{stem}-{unique}", "namespace": address.namespace}}


def parse_push_job_report(words: Json) -> PushJobReport | None:
    """What a termination message says; None for anything but the form of our script."""
    if not isinstance(words, str) or len(words) > _MOST_WORDS:
        return None
    try:
        said = parse_json_answer(words.encode())
    except ValueError:
        return None
    result = said.get("result") if isinstance(said, dict) else None
    if not isinstance(result, str) or result not in _SENTENCES:
        return None
    commit, tries = said.get("commit"), said.get("tries")
    known = isinstance(commit, str) and (is_commit_id(commit) or (not commit and result in _LOOKED))
    return PushJobReport(
        result,
        commit if known else None,
        tries if isinstance(tries, int) else 1,
        said.get("partialSuccess") is True,
    )


_LOOKED = ("moved", "source-snapshot-missing", "source-unreadable", "refused", "push-failed", "exhausted")


def push_job_target(metadata: JsonObject) -> tuple[str, str]:
    """URL and ref of the target of a Job or a pod of ours; twice "" for any other."""
    url, _, ref = str((metadata.get("annotations") or {}).get(TARGET, "")).partition(" ")
    return url, ref


def _told(spec: Json, labels: JsonObject, annotations: JsonObject, environment: list[Json]) -> JsonObject:
    """The spec of the template with what the container and its pod are reported."""
    pod = spec.get("template") if isinstance(spec, dict) else None
    inner = pod.get("spec") if isinstance(pod, dict) else None
    containers = inner.get("containers") if isinstance(inner, dict) else None
    found = [one for one in containers or () if isinstance(one, dict) and one.get("name") == CONTAINER]
    if not isinstance(spec, dict) or not isinstance(pod, dict) or not isinstance(inner, dict) or len(found) != 1:
        raise PermanentError(
            f"`jobTemplate` has no container `{CONTAINER}`", remedy="see templates/hwplan/git-ref/job.yaml.j2"
        )
    mine = {**found[0], "env": [*(found[0].get("env") or ()), *environment]}
    changed = [mine if one is found[0] else one for one in containers or ()]
    return {
        **spec,
        "template": {
            **pod,
            "metadata": _metadata(pod, labels, annotations),
            "spec": {**inner, "containers": changed},
        },
    }


def _metadata(holder: JsonObject, labels: JsonObject, annotations: JsonObject) -> JsonObject:
    given = holder.get("metadata") or {}
    return {
        "labels": {**(given.get("labels") or {}), **labels},
        "annotations": {**(given.get("annotations") or {}), **annotations},
    }


def _environment(wish: ParsedGitRefSpec, old: str, new: str) -> list[Json]:
    """Everything that is planned, as the script reads it. Holds no secret: keys are mounted."""
    origin, target = wish.origin, wish.target
    hosts = dict.fromkeys((*origin.remote.ssh.known_hosts, *target.remote.ssh.known_hosts))
    retry = target.remote.retry if target.remote.over_ssh else origin.remote.retry
    proxies = _proxy(origin), _proxy(target)
    words = {
        "FROM_URL": origin.remote.shown,
        "FROM_REF": origin.ref,
        "FROM_PROXY": proxies[0],
        "TO_URL": target.remote.shown,
        "TO_REF": target.ref,
        "TO_PROXY": proxies[1],
        "OLD": old,
        "NEW": new,
        "MODE": "create" if wish.creates_only else "forward",
        "KNOWN_HOSTS": "".join(f"{line}\n" for line in hosts),
        "RETRY_ATTEMPTS": str(retry.attempts),
        "RETRY_DELAY": str(ceil(retry.delay)),
        "RETRY_MAX_DELAY": str(ceil(retry.max_delay)),
    }
    if any(proxies):
        words["CONNECTOR"] = _CONNECTOR.read_text()
    return [{"name": name, "value": _literal(value)} for name, value in words.items()]


def _literal(value: str) -> str:
    """Kubernetes expands `$(NAME)` in the values of an environment, and takes `$$` for `$`."""
    return value.replace("$", "$$")


def _proxy(side: ResolvedRefSide) -> str:
    proxy = side.remote.ssh.proxy if side.remote.over_ssh else None
    return f"{proxy[0]} {proxy[1]}" if proxy else ""


def _target(wish: ParsedGitRefSpec) -> JsonObject:
    return {TARGET: f"{wish.target.remote.shown} {wish.target.ref}"}


def _label(name: str) -> str:
    return name[:63].rstrip("-._")
