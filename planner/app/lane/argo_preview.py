"""Predicts what Argo CD will change when a rollout is synced: the files that the promotion will commit, compared object
by object with the cluster. Writes nothing.

What each apply would make of an object is asked of the server, as Argo CD's own field manager: a dry run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from planner.address import Address, group_of_api_version
from planner.app.session import Session
from planner.dataclass import dataclass
from planner.document_diff import diff_documents
from planner.errors import ConfigError, PermanentError, ProviderError
from planner.field_path import ListItemPathElement
from planner.loading.yaml.load_documents import MANIFEST, load_documents
from planner.plan import Action, FieldChange, FieldOp
from planner.rollout.argo_prediction import AFTER_BUILD, ArgoPrediction, PredictedArgoChange
from planner.rollout.argo_tracking import FIELD_MANAGER, HOOK, TRACKING, argo_tracking_id
from planner.rollout.promotion_commit_prediction import (
    CATALOG,
    PredictedPromotionCommit,
    parse_promotable_services,
    predict_promotion_commit,
)
from planner.spec.lane import Lane
from planner.user_cache_folder import user_cache_folder
from planner.values import Json, JsonObject
from providers.cluster_interface import Cluster, ServedKubernetesKind
from providers.git.committed_files import CommittedFiles
from providers.git.git_client import GitClient
from providers.git.object_cache import ObjectCache
from providers.git.ref_listings import RefListings
from providers.git.remotes import open_remote_locations, resolve_remote
from providers.kubernetes.object_location import served_kind
from providers.kubernetes.parallel_map import ParallelMap
from providers.kubernetes.ssa.merge import comparable_document

_INSTANCE = "app.kubernetes.io/instance"
_AT_ONCE = 8
_CONTAINERS = ("spec", "template", "spec", "containers")


@dataclass(frozen=True, slots=True)
class GitOpsPromotionPreview:
    """The files of the GitOps branch as they are now, by name, and as they will be after a promotion."""

    before: Mapping[str, str]
    after: PredictedPromotionCommit


def preview_gitops_promotion(session: Session, lane: Lane, objects: ObjectCache, tree: str) -> GitOpsPromotionPreview:
    """The promotion of a source that no branch has yet: the tree of a merge, which is in `objects`.

    Raises ProviderError and ConfigError for what cannot be read.
    """
    before = _branch_files(session, lane, objects)
    return GitOpsPromotionPreview(before, _promoted(session, before, CommittedFiles(objects, tree)))


def predict_argo_sync_of_promotion(session: Session, promoted: PredictedPromotionCommit) -> ArgoPrediction:
    """What the Argo CD sync of a promotion will change in the cluster. Never raises, as
    predict_argo_sync_of_rollout."""
    try:
        return _Predictor.of(session, promoted).all()
    except ConfigError as error:
        return ArgoPrediction(problem=str(error))
    except ProviderError as error:
        return ArgoPrediction(problem=": ".join(filter(None, (error.where, error.message))))


def predict_argo_sync_of_rollout(
    session: Session, lane: Lane, commit: str, *, promotes: bool, anew: bool = False
) -> ArgoPrediction:
    """What the sync of a rollout of `commit` will change; with `anew` its run builds every service. `promotes` is
    false where the run of the commit is over, so that the branch stays as it is. Never raises: what cannot be read
    is the `problem` of the prediction."""
    sandbox = session.world.sandbox is not None
    try:
        with TemporaryDirectory(prefix="hwplan-git-") as scratch:  # of a sandbox nothing is retained elsewhere
            objects = ObjectCache(GitClient(), Path(scratch) if sandbox else user_cache_folder("git"))
            return _Predictor.of(
                session, _promotion(session, lane, commit, objects, promotes=promotes, anew=anew)
            ).all()
    except ConfigError as error:
        return ArgoPrediction(problem=str(error))
    except ProviderError as error:
        return ArgoPrediction(problem=": ".join(filter(None, (error.where, error.message))))


# --- what the branch will hold ------------------------------------------------------------------------------------


def _promotion(
    session: Session, lane: Lane, commit: str, objects: ObjectCache, *, promotes: bool, anew: bool
) -> PredictedPromotionCommit:
    before = _branch_files(session, lane, objects)
    if not promotes:
        return PredictedPromotionCommit({name: text for name, text in before.items() if name != CATALOG}, {})
    head = _spec(session, "GitHead", f"{lane.remote}-{lane.source_branch}")
    remote = resolve_remote(head, open_remote_locations(session.request.config, session.world.sandbox))
    objects.bring(remote, commit, f"refs/heads/{lane.source_branch}")
    return _promoted(session, before, CommittedFiles(objects, commit), anew=anew)


def _branch_files(session: Session, lane: Lane, objects: ObjectCache) -> Mapping[str, str]:
    flush = _spec(session, "GitRef", f"flush-{lane.remote}-{lane.gitops_branch}")
    return _files(session, objects, flush["from"], f"refs/heads/{lane.gitops_branch}", _folder(session))


def _promoted(
    session: Session, before: Mapping[str, str], source: CommittedFiles, *, anew: bool = False
) -> PredictedPromotionCommit:
    services = parse_promotable_services(_data(session, "services").get("services.json", ""))
    return predict_promotion_commit(services, _data(session, "gitops"), before, source.listing, anew=anew)


def _files(session: Session, objects: ObjectCache, side: JsonObject, ref: str, folder: str) -> Mapping[str, str]:
    """The manifests and the catalog in a folder of a branch; nothing where there is no such branch."""
    remote = resolve_remote(side, open_remote_locations(session.request.config, session.world.sandbox))
    tip = RefListings(GitClient().list_refs).of(remote).get(ref, "")
    if not tip:
        return {}
    objects.bring(remote, tip, ref)
    found = CommittedFiles(objects, tip)
    names = [name for name in found.names(folder) if name.endswith(".yaml") or name == CATALOG]
    return {name: found.text(f"{folder}/{name}") or "" for name in names}


def _spec(session: Session, kind: str, name: str = "") -> JsonObject:
    """The spec of a hwplan kind, in whatever namespace; of any name where none is given."""
    for one in session.stack.resources:
        if (one.address.kind, one.address.group) == (kind, "") and name in ("", one.address.name):
            return dict(one.manifest["spec"])
    raise PermanentError(f"the lane has no {kind}{f'/{name}' if name else ''}")


def _folder(session: Session) -> str:
    """The folder of the branch that the Application follows."""
    wanted = _spec(session, "ArgoSync")["application"]
    for one in session.stack.resources:
        if (one.address.kind, one.address.group, one.address.name) == ("Application", "argoproj.io", wanted):
            return str(one.manifest["spec"]["source"]["path"])
    raise PermanentError(f"the lane has no Application {wanted}")


def _data(session: Session, name: str) -> Mapping[str, str]:
    """What a ConfigMap of the pipeline, `PIPELINE-name`, will hold: it is given to the steps."""
    run = _spec(session, "PipelineRun")["manifest"]
    wanted = (run["metadata"]["namespace"], f"{run['spec']['pipelineRef']['name']}-{name}")
    for one in session.stack.resources:
        if one.address.kind == "ConfigMap" and (one.address.namespace, one.address.name) == wanted:
            return dict(one.manifest.get("data") or {})
    raise PermanentError(f"the product renders no ConfigMap/{'/'.join(wanted)}")


# --- what that changes --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Predictor:
    """Compares what the branch will hold with what the Application has brought to the cluster."""

    cluster: Cluster
    application: JsonObject
    promoted: PredictedPromotionCommit

    @classmethod
    def of(cls, session: Session, promoted: PredictedPromotionCommit) -> _Predictor:
        cluster = session.world.cluster
        sync = _spec(session, "ArgoSync")
        kind = served_kind(cluster, "argoproj.io/v1alpha1", "Application")
        if kind is None:
            raise PermanentError("the cluster does not serve Argo CD's kinds")
        live = cluster.get(kind, str(sync.get("namespace") or "argocd"), str(sync["application"]))
        return cls(cluster, live or {"metadata": {"name": sync["application"]}}, promoted)

    def all(self) -> ArgoPrediction:
        documents = list(self._documents())
        found = ParallelMap(_AT_ONCE).map(self._one, documents)
        changes = [one for one in found if one is not None]
        changes += self._pruned({self._address(one) for one in documents})
        ordered = tuple(sorted(changes, key=lambda one: one.address))
        return ArgoPrediction(ordered, len(found) - sum(one is not None for one in found), tuple(self.promoted.builds))

    def _documents(self) -> Iterator[JsonObject]:
        for name, text in sorted(self.promoted.files.items()):
            for one in load_documents(text.encode(), name, MANIFEST):
                value = one.value
                for item in value["items"] if isinstance(value, dict) and "items" in value else (value,):
                    if isinstance(item, dict) and item.get("kind"):
                        yield item

    def _kind(self, document: JsonObject) -> ServedKubernetesKind:
        kind = served_kind(self.cluster, str(document["apiVersion"]), str(document["kind"]))
        if kind is None:
            raise PermanentError("the cluster does not serve this kind", where=str(document["kind"]))
        return kind

    def _address(self, document: JsonObject) -> Address:
        kind, metadata = self._kind(document), document["metadata"]
        namespace = str(metadata.get("namespace") or self._destination) if kind.namespaced else ""
        name = str(metadata.get("name") or metadata.get("generateName") or "")
        return Address("", kind.kind, group_of_api_version(kind.api_version), namespace, name)

    @property
    def _destination(self) -> str:
        return str(((self.application.get("spec") or {}).get("destination") or {}).get("namespace") or "")

    def _one(self, document: JsonObject) -> PredictedArgoChange | None:
        address = self._address(document)
        if HOOK in (document["metadata"].get("annotations") or {}):
            return PredictedArgoChange(address, Action.RUN)
        kind = self._kind(document)
        live = self.cluster.get(kind, address.namespace, address.name)
        if live is None:
            return PredictedArgoChange(address, Action.CREATE)
        unknown = self._unbuilt(document, live)
        after = self.cluster.predict(kind, self._sent(document, live, address, unknown), manager=FIELD_MANAGER)
        fields = diff_documents(_shown(live), _shown(after))
        fields += tuple(unknown.values())
        if not fields:
            return None
        return PredictedArgoChange(address, Action.UPDATE, () if address.kind == "Secret" else fields)

    def _sent(self, document: JsonObject, live: JsonObject, address: Address, unknown: Collection[str]) -> JsonObject:
        """The document as Argo CD sends it: with its mark, and with the present image where the new one is unknown."""
        metadata = (
            {**document["metadata"], "namespace": address.namespace} if address.namespace else document["metadata"]
        )
        body = _with_images(document, _images(live), frozenset(unknown))
        labels = live["metadata"].get("labels") or {}
        mark = {TRACKING: argo_tracking_id(str(self.application["metadata"]["name"]), address)}
        if _INSTANCE in labels and TRACKING not in (live["metadata"].get("annotations") or {}):
            metadata = {**metadata, "labels": {**(metadata.get("labels") or {}), _INSTANCE: labels[_INSTANCE]}}
            mark = {}
        return {**body, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **mark}}}

    def _unbuilt(self, document: JsonObject, live: JsonObject) -> dict[str, FieldChange]:
        """The image of each container that is not built yet, by the container's name."""
        present = _images(live)
        return {
            name: FieldChange(
                (*_CONTAINERS, ListItemPathElement((("name", name),)), "image"),
                FieldOp.CHANGE,
                present.get(name),
                f"{image}@{AFTER_BUILD}",
            )
            for name, image in _images(document).items()
            if image in self.promoted.builds.values()
        }

    def _pruned(self, wanted: set[Address]) -> list[PredictedArgoChange]:
        """What the Application has brought and the branch will not hold any more."""
        policy = (self.application.get("spec") or {}).get("syncPolicy") or {}
        if not (policy.get("automated") or {}).get("prune"):
            return []
        brought = (self.application.get("status") or {}).get("resources") or ()
        gone = {_brought(one) for one in brought if not one.get("hook")} - wanted
        return [PredictedArgoChange(one, Action.DELETE) for one in gone]


def _brought(one: JsonObject) -> Address:
    return Address("", one["kind"], one.get("group") or "", one.get("namespace") or "", one["name"])


def _containers(document: JsonObject) -> list[JsonObject]:
    spec = document.get("spec") or {}
    template = spec.get("template") if isinstance(spec, dict) else None
    found: Json = (template.get("spec") or {}).get("containers") if isinstance(template, dict) else None
    return list(found) if isinstance(found, list) else []


def _images(document: JsonObject) -> dict[str, str]:
    return {str(one["name"]): str(one.get("image") or "") for one in _containers(document)}


def _with_images(document: JsonObject, present: Mapping[str, str], names: frozenset[str]) -> JsonObject:
    """The document with the present image in the containers that are named."""
    if not names:
        return document
    containers = [
        {**one, "image": present.get(one["name"], one["image"])} if one["name"] in names else one
        for one in _containers(document)
    ]
    template = document["spec"]["template"]
    changed = {**template, "spec": {**template["spec"], "containers": containers}}
    return {**document, "spec": {**document["spec"], "template": changed}}


def _shown(document: JsonObject) -> JsonObject:
    """What a change is reported of: neither status nor what the server counts."""
    return comparable_document({key: value for key, value in document.items() if key != "status"})
