"""What an API server answers: lists, objects and what is read of them, refusals, discovery, exec, logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner.address import address_of_document
from planner.app.lane import cluster_evidence
from planner.values import JsonObject
from providers.cluster_interface import ServedKubernetesKind
from providers.http.connections import UpgradedConnection
from providers.json_answer import parse_json_answer
from providers.kubernetes import answer_shape
from providers.kubernetes.applied_digest_annotation import applied_digest_annotation
from providers.kubernetes.client import discovery, exec_stream, websocket
from providers.kubernetes.client.answer_errors import classify_answer
from providers.kubernetes.client.safe_field_error_text import field_error_detail_without_value, field_error_value
from providers.kubernetes.field_ownership_migration import has_client_side_apply_fields, named_managers_owning_fields
from providers.kubernetes.object_content_digest import object_content_digest
from providers.kubernetes.object_outputs import object_outputs
from providers.kubernetes.operations import (
    argo_state,
    argo_sync_operation,
    stuck_argo_resources,
    tekton_run_failure,
    tekton_run_state,
)
from providers.kubernetes.operations.object_end import how_object_ended
from providers.kubernetes.operations.redacted_command_output import redacted_output_tail_lines
from providers.kubernetes.read_observations import observe_object
from providers.kubernetes.readiness import object_readiness
from providers.kubernetes.secret_values_as_fingerprints import seal_live_document
from providers.kubernetes.ssa.crd_types import served_crd_versions
from providers.kubernetes.ssa.field_set import FieldSet, check_fields_v1
from providers.kubernetes.ssa.managed_fields import read_managers, write_managers
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.ownership import fields_owned_by_others
from providers.kubernetes.ssa.validate_object import object_validation_errors
from state.fingerprint import KeyedFingerprinter
from tests.fuzz.fuzz_target import FuzzTarget

_FOLDER = Path(__file__).parent / "recorded"
OBJECTS: tuple[JsonObject, ...] = tuple(json.loads((_FOLDER / "kubernetes_objects.json").read_text()))
_ANSWERS = json.loads((Path(__file__).parent.parent / "unit" / "kubernetes_live" / "answers.json").read_text())
_REFUSALS = tuple(one for one in _ANSWERS.values() if one["body"].startswith("{"))
_NOW = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
_FINGERPRINTER = KeyedFingerprinter(b"k" * 32)
_CLUSTER_KINDS = ("Namespace", "CustomResourceDefinition")
_STATUSES = (400, 403, 404, 409, 422, 429, 500, 503)
_CUSTOM = ("Application", "PipelineRun", "TaskRun")
_KEY = websocket.new_websocket_key()


def _kind_of(document: JsonObject) -> ServedKubernetesKind:
    kind = document["kind"]
    return ServedKubernetesKind(document["apiVersion"], kind, f"{kind.lower()}s", kind not in _CLUSTER_KINDS)


def _entered(body: bytes, kind: ServedKubernetesKind, namespace: str) -> list[JsonObject]:
    """The objects of a list as the client lets them in."""
    page = answer_shape.parse_answer_document(body, "x")
    answer_shape.continue_token(page, "x")
    found = answer_shape.parse_objects_of_list_answer(page, kind, namespace, "x")
    for one in found:
        answer_shape.check_shape_of_kind(one, "x")
        answer_shape.check_managed_fields(one, "x")
    return found


def _read_everything(live: JsonObject) -> None:
    """All that the product reads of a live object without asking anybody else."""
    read_managers(live)
    write_managers(read_managers(live))
    has_client_side_apply_fields(live)
    named_managers_owning_fields(live, ("kubectl",))
    fields_owned_by_others(live, "hwplan")
    applied_digest_annotation(live)
    object_content_digest(live, _FINGERPRINTER)
    sealed = seal_live_document(live, _FINGERPRINTER)
    object_outputs(sealed)
    observe_object(address_of_document(live), live, _FINGERPRINTER)
    object_readiness(sealed)
    object_readiness(sealed, converge=True, binds_at_once=True)
    how_object_ended(live)
    if (read := _BY_KIND.get(live["kind"])) is not None:
        read(live)


def _application(live: JsonObject) -> None:
    seen = argo_state.parse_argo_application(live)
    str(seen.words)
    seen.holds("a" * 40, lambda *_: True)
    argo_state.is_same_or_later_time(seen.reconciled, seen.operation.finished if seen.operation else "")
    argo_sync_operation.argo_sync_outputs(seen)
    argo_sync_operation._as_declared(live)
    around = stuck_argo_resources.ApplicationWithWorkloads(live, (), (), ())
    stuck_argo_resources.find_stuck_argo_resources(around, 60.0, _NOW)
    stuck_argo_resources.destination_namespace(live)
    cluster_evidence._argo_value(live)
    list(cluster_evidence._managed(live))


def _run(live: JsonObject) -> None:
    tekton_run_state.pipeline_run_outputs(live, {"build": live})
    tekton_run_state.succeeded_condition_text(live)
    tekton_run_state.task_run_state(live)
    list(
        tekton_run_state.evidence_missing_in_successful_run(
            live, {"taskRuns": ["build"], "results": ["x"]}, {"build": live}
        )
    )
    tekton_run_failure.tekton_failure_lines(_Logs(), "ci", {"build": live})  # type: ignore[arg-type]
    cluster_evidence._pipeline(live)


def _pod(live: JsonObject) -> None:
    cluster_evidence._pod(live)
    around = stuck_argo_resources.ApplicationWithWorkloads(None, (), (live,), (OBJECTS[3],), frozenset({("demo", "a")}))
    stuck_argo_resources.find_stuck_argo_resources(around, 60.0, _NOW)


def _workload(live: JsonObject) -> None:
    cluster_evidence._workload_value(live, (), simulated=True)
    cluster_evidence._selects(live, OBJECTS[6])


def _job(live: JsonObject) -> None:
    application = next(one for one in OBJECTS if one["kind"] == "Application")
    stuck_argo_resources.find_stuck_argo_resources(
        stuck_argo_resources.ApplicationWithWorkloads(application, (live,)), 60.0, _NOW
    )


def _crd(live: JsonObject) -> None:
    discovery.kinds_of_crd(live)
    served_crd_versions(live)
    types = MergeTypeTable.builtin().with_crds([live])
    widget = {"apiVersion": "example.test/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"size": 3}}
    object_validation_errors(live, types)
    object_validation_errors(widget, types)


_BY_KIND: dict[str, Callable[[JsonObject], object]] = {
    "Application": _application, "PipelineRun": _run, "TaskRun": _run, "Pod": _pod, "Deployment": _workload,
    "StatefulSet": _workload, "Job": _job, "CustomResourceDefinition": _crd,
}  # fmt: skip


class _Logs:
    """A cluster that has nothing but logs."""

    def logs(self, *_: object, **__: object) -> bytes:
        return b"one\ntwo\n"


def _listed(name: str, kinds: Collection[str]) -> FuzzTarget:
    """Lists of these kinds; which one is asked for is what the seed is of, and in one of ten any other."""
    items = [one for one in OBJECTS if one["kind"] in kinds]
    pages = [
        {
            "apiVersion": one["apiVersion"],
            "kind": f"{one['kind']}List",
            "metadata": {"resourceVersion": "9"},
            "items": [one],
        }
        for one in items
    ]
    asked = {f"{one['kind']}List": one for one in items}

    def parse(body: bytes) -> None:
        page = answer_shape.parse_answer_document(body, "x")
        one = asked.get(str(page.get("kind")), items[0])
        for live in _entered(body, _kind_of(one), str(one["metadata"].get("namespace", ""))):
            _read_everything(live)

    return FuzzTarget(name, tuple(pages), parse)


def _single(body: bytes) -> None:
    document = answer_shape.parse_answer_document(body, "x")
    kind = next((one for one in OBJECTS if one["kind"] == document.get("kind")), OBJECTS[0])
    info, metadata = _kind_of(kind), kind["metadata"]
    name = document["metadata"].get("name") if isinstance(document.get("metadata"), dict) else ""
    live = answer_shape.parse_object_answer(document, info, str(metadata.get("namespace", "")), str(name), "x")
    answer_shape.check_managed_fields(live, "x")
    _read_everything(live)


def _refusal(body: bytes) -> None:
    status = _STATUSES[len(body) % len(_STATUSES)]
    str(classify_answer(status, "application/json", body, where="ConfigMap/a/b", retry_after="5"))


def _fields(body: bytes) -> None:
    document: Any = parse_json_answer(body)
    check_fields_v1(document)
    fields = FieldSet.parse(document)
    fields.serialise()
    fields.leaves()


# --- exec ----------------------------------------------------------------------------------------------------------


class _Socket:
    """A connection on which everything has arrived, in pieces."""

    def __init__(self, data: bytes) -> None:
        self._left = [data[at : at + 700] for at in range(0, len(data), 700)]

    def recv(self, _: int) -> bytes:
        return self._left.pop(0) if self._left else b""

    def sendall(self, _: bytes) -> None:
        pass

    def settimeout(self, _: float) -> None:
        pass


def _frame(payload: bytes, opcode: int = 2, final: bool = True) -> bytes:
    head = bytes(((0x80 if final else 0) | opcode,))
    size = len(payload)
    return head + (bytes((size,)) if size < 126 else b"\x7e" + size.to_bytes(2, "big")) + payload


_ENDED = b'\x03{"metadata":{},"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}'
_STREAMS = (
    _frame(b"\x01one\n") + _frame(b"ping", 9) + _frame(b"\x02two\n") + _frame(b'\x03{"status":"Success"}') + _frame(b"", 8),
    _frame(b"\x01" + b"x" * 500, 2, False) + _frame(b"y" * 300, 0) + _frame(_ENDED) + _frame(b"\x03\xe8", 8),
)  # fmt: skip


def _exec(data: bytes) -> None:
    accept = websocket.expected_websocket_accept(_KEY)
    headers = {"sec-websocket-protocol": exec_stream.PROTOCOLS[0], "sec-websocket-accept": accept}
    connection = UpgradedConnection(_Socket(data), headers)  # type: ignore[arg-type]
    run = exec_stream._Run(connection, "Pod/a/b", 1e18)
    run.check(_KEY, exec_stream.PROTOCOLS)
    run.result()


_DISCOVERY = {
    "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
    "items": [{"metadata": {"name": "apps"}, "versions": [{"version": "v1", "freshness": "Current", "resources": [
        {"resource": "deployments", "responseKind": {"group": "", "version": "", "kind": "Deployment"},
         "scope": "Namespaced", "singularResource": "deployment", "verbs": ["get", "list", "patch"],
         "subresources": [{"subresource": "status", "verbs": ["get"]}]}]}]}],
}  # fmt: skip
_OLD_DISCOVERY = (
    {"kind": "APIVersions", "versions": ["v1"]},
    {"kind": "APIGroupList", "groups": [{"name": "apps", "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
                                         "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"}}]},
)  # fmt: skip
_MESSAGES = tuple(json.loads(one["body"])["message"] for one in _REFUSALS if "message" in json.loads(one["body"]))


def _old(body: bytes) -> None:
    document = answer_shape.parse_answer_document(body, "x")
    discovery._versions(document, "/api" if "versions" in document else "/apis")


TARGETS = (
    _listed("kubernetes: lists of built-in kinds", {one["kind"] for one in OBJECTS} - {*_CUSTOM, "CustomResourceDefinition"}),
    _listed("kubernetes: list of definitions", ("CustomResourceDefinition",)),
    *(_listed(f"kubernetes: list of {kind}", (kind,)) for kind in _CUSTOM),
    FuzzTarget("kubernetes: object", OBJECTS, _single),
    FuzzTarget("kubernetes: Status of a refusal", tuple(json.loads(one["body"]) for one in _REFUSALS), _refusal),
    FuzzTarget("kubernetes: words of a refusal", _MESSAGES, lambda text: (field_error_detail_without_value(text), field_error_value(text))),
    FuzzTarget("kubernetes: discovery", (_DISCOVERY,), lambda body: discovery.parse_aggregated_discovery(
        answer_shape.parse_answer_document(body, "x"))),
    FuzzTarget("kubernetes: discovery of old servers", _OLD_DISCOVERY, _old),
    FuzzTarget("kubernetes: field sets", tuple(entry["fieldsV1"] for one in OBJECTS for entry in one["metadata"]["managedFields"]),
               _fields, (ValueError,)),
    FuzzTarget("kubernetes: exec", _STREAMS, _exec),
    FuzzTarget("kubernetes: log", (b"one\ntwo \x1b[31m\n" * 9, b"\x00\xff\n\r\n"), lambda data: (
        redacted_output_tail_lines(data, {}), redacted_output_tail_lines(data, {}, cut_bytes=3, complete=False, max_lines=2))),
)  # fmt: skip
