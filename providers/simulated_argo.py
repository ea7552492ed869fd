"""The Argo CD of a sandbox: a sync brings what the GitOps repository has at a revision into the simulated cluster.

As the real one does: it applies each manifest of the Application's folder by server-side apply as its own field manager
and with its mark, makes hooks anew, and takes away what it brought before where the Application prunes. Everything is
ready at once, because nothing runs. What it does not play: sync waves and options, Helm and Kustomize, several sources.

Joins the saved cluster and the git repositories of a sandbox, so it stands above them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from planner.address import Address, group_of_api_version
from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.rollout.argo_tracking import FIELD_MANAGER, HOOK, TRACKING, argo_tracking_id
from planner.values import JsonObject
from providers.cluster_interface import ServedKubernetesKind
from providers.git.remotes import UnknownSandboxRemote, open_remote_locations, resolve_remote
from providers.kubernetes.object_location import served_kind
from providers.kubernetes.snapshot.folder_layout import ObjectIdentity, identity_of_document, parse_object_yaml
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from providers.sandbox.git_repositories import run_git
from providers.simulated_deployed_commits import record_simulated_deployed_commit

_MANIFESTS = (".yaml", ".yml", ".json")
_DOCUMENTS = re.compile(r"^---(?:\s.*)?$", re.MULTILINE)
_PROMOTED = re.compile(r"promote ([0-9a-f]{40}(?:[0-9a-f]{24})?)")
_LOOK_BACK = 100  # commits that somebody made beside the promoted ones
_PHASES = ("PreSync", "Sync", "PostSync")


@dataclass(frozen=True, slots=True)
class SimulatedArgo:
    """Simulates Argo CD for the sandbox in `folder`; `configuration` is where relative remotes start."""

    folder: Path
    configuration: Path
    cluster: SnapshotCluster

    def bring(self, kind: ServedKubernetesKind, application: JsonObject, revision: str) -> None:
        """Bring the content of `revision` ("": the tip of its branch) into the cluster, and note on the Application
        what it consists of. An Application of a repository that the sandbox does not have brings nothing.

        Raises PermanentError where a manifest is none, or the cluster refuses it.
        """
        source = (application.get("spec") or {}).get("source") or {}
        repository = self._repository(source)
        if repository is None:
            return
        commit = run_git(repository, "rev-parse", "--verify", f"{_commit(source, revision)}^{{commit}}")
        objects = [self._marked(application, one) for one in _manifests(repository, commit, source)]
        for phase in _PHASES:
            for one in objects:
                if _phase_of(one.document) == phase:
                    self._hook(one, commit)
            if phase == "Sync":
                for one in objects:
                    if not _phase_of(one.document):
                        self.cluster.apply_as(one.kind, one.document, manager=FIELD_MANAGER)
        wanted = [one for one in objects if not _phase_of(one.document)]
        if _prunes(application):
            self._prune(application, {one.address for one in wanted})
        if source_commit := _source_commit(repository, commit):
            record_simulated_deployed_commit(self.folder, str(application["metadata"]["name"]), source_commit)
        self.cluster.set_status(
            identity_of_document(application),
            {"resources": [_row(one) for one in sorted(wanted, key=lambda one: one.address)]},
        )

    def _repository(self, source: JsonObject) -> Path | None:
        """The bare repository that stands for the URL of the source."""
        try:
            places = open_remote_locations(self.configuration, self.folder)
            remote = resolve_remote({"remote": source.get("repoURL")}, places)
        except UnknownSandboxRemote:
            return None
        return Path(unquote(remote.url.path))

    def _marked(self, application: JsonObject, document: JsonObject) -> _Brought:
        """A manifest as it is applied: in the Application's namespace where it names none, and with the mark."""
        kind = served_kind(self.cluster, str(document.get("apiVersion")), str(document.get("kind")))
        if kind is None:
            raise PermanentError(
                "the cluster does not serve this kind", where=f"{document.get('apiVersion')} {document.get('kind')}"
            )
        metadata = dict(document["metadata"])
        if kind.namespaced:
            destination = (application["spec"].get("destination") or {}).get("namespace")
            metadata["namespace"] = str(metadata.get("namespace") or destination or "")
        else:
            metadata.pop("namespace", None)
        name = str(metadata.get("name") or metadata.get("generateName") or "")
        address = Address("", kind.kind, group_of_api_version(kind.api_version), metadata.get("namespace", ""), name)
        mark = argo_tracking_id(str(application["metadata"]["name"]), address)
        metadata["annotations"] = {**(metadata.get("annotations") or {}), TRACKING: mark}
        return _Brought(kind, address, {**document, "metadata": metadata})

    def _hook(self, one: _Brought, commit: str) -> None:
        """Make a hook anew; one with `generateName` beside those of other revisions."""
        metadata = {key: value for key, value in one.document["metadata"].items() if key != "generateName"}
        if not metadata.get("name"):
            metadata["name"] = f"{one.document['metadata']['generateName']}{commit[:7]}"
        document = {**one.document, "metadata": metadata}
        self.cluster.drop(identity_of_document(document))
        self.cluster.add(document, manager=FIELD_MANAGER)

    def _prune(self, application: JsonObject, wanted: set[Address]) -> None:
        for row in (application.get("status") or {}).get("resources") or ():
            address = Address("", row["kind"], row.get("group") or "", row.get("namespace") or "", row["name"])
            if address not in wanted:
                self.cluster.drop(ObjectIdentity(address.group, address.kind, address.namespace, address.name))


@dataclass(frozen=True, slots=True)
class _Brought:
    kind: ServedKubernetesKind
    address: Address
    document: JsonObject


def _source_commit(repository: Path, commit: str) -> str:
    """What was promoted last, by the subject of its commit; "" where nothing was."""
    subjects = run_git(repository, "log", f"--max-count={_LOOK_BACK}", "--format=%s", commit).splitlines()
    return next((found[1] for subject in subjects if (found := _PROMOTED.fullmatch(subject.strip()))), "")


def _commit(source: JsonObject, revision: str) -> str:
    if revision:
        return revision
    branch = str(source.get("targetRevision") or "HEAD")
    return branch if branch == "HEAD" else f"refs/heads/{branch}"


def _manifests(repository: Path, commit: str, source: JsonObject) -> Iterator[JsonObject]:
    """The manifests of the folder, as a directory source reads them: by name, and only where they are to be read."""
    folder = str(source.get("path") or ".").strip("/")
    directory = source.get("directory") or {}
    listed = run_git(
        repository, "ls-tree", "-r", "--name-only", commit, "--", *([] if folder == "." else [f"{folder}/"])
    )
    for path in sorted(listed.splitlines()):
        inside = path if folder == "." else path.removeprefix(f"{folder}/")
        if "/" in inside and not directory.get("recurse"):
            continue
        if PurePosixPath(path).suffix in _MANIFESTS and _is_read(inside, directory):
            yield from _documents(run_git(repository, "show", f"{commit}:{path}"), path)


def _is_read(path: str, directory: JsonObject) -> bool:
    """Whether `include` and `exclude` let a file through; each is a glob, or several in braces."""
    include, exclude = str(directory.get("include") or ""), str(directory.get("exclude") or "")
    return (not include or _matches(path, include)) and not (exclude and _matches(path, exclude))


def _matches(path: str, globs: str) -> bool:
    each = globs[1:-1].split(",") if globs.startswith("{") and globs.endswith("}") else [globs]
    return any(fnmatch(path, one.strip()) for one in each)


def _documents(text: str, path: str) -> Iterator[JsonObject]:
    for part in _DOCUMENTS.split(text):
        if not any(line.strip() and not line.lstrip().startswith("#") for line in part.splitlines()):
            continue
        document: Any = _plain(parse_object_yaml(part, path))
        found = (
            document["items"] if str(document.get("kind", "")).endswith("List") and "items" in document else [document]
        )
        for one in found:
            if not (one.get("apiVersion") and one.get("kind") and isinstance(one.get("metadata"), dict)):
                remedy = "leave it out: `directory.include` or `exclude` of the Application's source"
                raise PermanentError("it is no manifest, and Argo CD reads it as one", where=path, remedy=remedy)
            yield one


def _plain(value: Any) -> Any:
    """A value of the reader as plain dicts and lists."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _phase_of(document: JsonObject) -> str:
    """The first phase in which an object is a hook; "" for one that is none."""
    named = str((document["metadata"].get("annotations") or {}).get(HOOK) or "")
    return next((phase for phase in _PHASES if phase in named.split(",")), "")


def _prunes(application: JsonObject) -> bool:
    policy = (application.get("spec") or {}).get("syncPolicy") or {}
    return bool((policy.get("automated") or {}).get("prune"))


def _row(one: _Brought) -> JsonObject:
    """As `status.resources` has it."""
    group, _, version = one.kind.api_version.rpartition("/")
    names: JsonObject = {"kind": one.address.kind, "version": version, "name": one.address.name, "status": "Synced"}
    names |= {"namespace": one.address.namespace} if one.address.namespace else {}
    return names | ({"group": group} if group else {})
