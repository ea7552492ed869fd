"""Small CRDs for `tekton.dev/v1`, written for these tests.

Owns just what server-side apply and hwplan can determine apart: which lists are atomic, which fields are known,
required or defaulted, the status subresource, names and printer columns. What is inside an atomic list is left open:
nobody owns parts of it, and checking it is the business of Tekton's own webhook. Outside of such lists each field is
named, since ownership of a map looks different where the schema does not know its fields."""

from typing import Any

Schema = dict[str, Any]

_ANY: Schema = {"x-kubernetes-preserve-unknown-fields": True}
_OPEN: Schema = {"type": "object"} | _ANY
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer"}
_FLAG: Schema = {"type": "boolean"}
_QUANTITY: Schema = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}


def _record(*required: str, **fields: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": fields}
    return schema | ({"required": list(required)} if required else {})


def _open_record(*required: str, **fields: Schema) -> Schema:
    return _record(*required, **fields) | _ANY


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _atomic(items: Schema) -> Schema:
    return {"type": "array", "x-kubernetes-list-type": "atomic", "items": items}


_NAMED = _atomic(_open_record("name", name=_TEXT))
_VALUES = _atomic(_open_record("name", "value", name=_TEXT, value=_ANY))
_PARAMS = _atomic(_open_record("name", name=_TEXT, type=_TEXT, description=_TEXT, default=_ANY))
_WORKSPACES = _atomic(_open_record("name", name=_TEXT, subPath=_TEXT, volumeClaimTemplate=_ANY))
_PORTS: Schema = {
    "type": "array",
    "items": _open_record("containerPort", containerPort=_NUMBER, protocol=_TEXT | {"default": "TCP"}),
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
}
_REF = {"apiVersion": _TEXT, "kind": _TEXT, "name": _TEXT, "params": _atomic(_OPEN), "resolver": _TEXT}
_CONDITIONS: Schema = {"type": "array", "items": _open_record("type", "status", type=_TEXT, status=_TEXT)}
_RUN_STATUS = {
    "startTime": _TEXT,
    "completionTime": _TEXT,
    "observedGeneration": _NUMBER,
    "conditions": _CONDITIONS,
    "results": _VALUES,
}
_PIPELINE_TASKS = _atomic(
    _open_record(
        name=_TEXT,
        params=_atomic(_OPEN),
        runAfter=_atomic(_TEXT),
        workspaces=_atomic(_OPEN),
        taskSpec=_ANY,
        taskRef=_OPEN,
    )
)

_RESOURCES = _record(
    claims=_NAMED | {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    limits=_map(_QUANTITY),
    requests=_map(_QUANTITY),
)
_PROFILE = _record("type", type=_TEXT, localhostProfile=_TEXT)
_SECURITY_CONTEXT = _record(
    allowPrivilegeEscalation=_FLAG,
    appArmorProfile=_PROFILE,
    capabilities=_record(add=_atomic(_TEXT), drop=_atomic(_TEXT)),
    privileged=_FLAG,
    procMount=_TEXT,
    readOnlyRootFilesystem=_FLAG,
    runAsGroup=_NUMBER,
    runAsNonRoot=_FLAG,
    runAsUser=_NUMBER,
    seLinuxOptions=_record(level=_TEXT, role=_TEXT, type=_TEXT, user=_TEXT),
    seccompProfile=_PROFILE,
)
_STEP_TEMPLATE = _record(
    args=_atomic(_TEXT),
    command=_atomic(_TEXT),
    computeResources=_RESOURCES,
    env=_NAMED,
    envFrom=_atomic(_OPEN),
    image=_TEXT,
    imagePullPolicy=_TEXT,
    securityContext=_SECURITY_CONTEXT,
    volumeDevices=_NAMED,
    volumeMounts=_NAMED,
    workingDir=_TEXT,
)
_POD_TEMPLATE = _record(
    affinity=_ANY,
    automountServiceAccountToken=_FLAG,
    dnsConfig=_record(nameservers=_atomic(_TEXT), options=_atomic(_OPEN), searches=_atomic(_TEXT)),
    dnsPolicy=_TEXT,
    enableServiceLinks=_FLAG,
    env=_NAMED,
    hostAliases=_atomic(_OPEN),
    hostNetwork=_FLAG,
    hostUsers=_FLAG,
    imagePullSecrets=_atomic(_open_record(name=_TEXT | {"default": ""})),
    nodeSelector=_map(_TEXT),
    priorityClassName=_TEXT,
    runtimeClassName=_TEXT,
    schedulerName=_TEXT,
    securityContext=_ANY,
    tolerations=_atomic(_OPEN),
    topologySpreadConstraints=_atomic(_OPEN),
    volumes=_ANY,
)

_SPECS: dict[str, Schema] = {
    "Task": _record(
        description=_TEXT,
        displayName=_TEXT,
        params=_PARAMS,
        results=_NAMED,
        sidecars=_atomic(_open_record("name", name=_TEXT, ports=_PORTS)),
        stepTemplate=_STEP_TEMPLATE,
        steps=_NAMED,
        volumes=_ANY,
        workspaces=_WORKSPACES,
    ),
    "Pipeline": _record(
        description=_TEXT,
        displayName=_TEXT,
        params=_PARAMS,
        results=_VALUES,
        tasks=_PIPELINE_TASKS,
        workspaces=_WORKSPACES,
    ),
    "TaskRun": _record(
        computeResources=_RESOURCES,
        debug=_record(breakpoints=_record(beforeSteps=_atomic(_TEXT), onFailure=_TEXT)),
        managedBy=_TEXT,
        params=_VALUES,
        podTemplate=_POD_TEMPLATE,
        retries=_NUMBER,
        serviceAccountName=_TEXT,
        sidecarSpecs=_NAMED,
        status=_TEXT,
        statusMessage=_TEXT,
        stepSpecs=_NAMED,
        taskRef=_record(**_REF),
        taskSpec=_ANY,
        timeout=_TEXT,
        workspaces=_WORKSPACES,
    ),
    "PipelineRun": _record(
        managedBy=_TEXT,
        params=_VALUES,
        pipelineRef=_record(**{name: schema for name, schema in _REF.items() if name != "kind"}),
        pipelineSpec=_ANY,
        status=_TEXT,
        taskRunSpecs=_atomic(_OPEN),
        taskRunTemplate=_record(podTemplate=_POD_TEMPLATE, serviceAccountName=_TEXT),
        timeouts=_record(pipeline=_TEXT, tasks=_TEXT, **{"finally": _TEXT}),
        workspaces=_WORKSPACES,
    ),
}
_SPECS["Pipeline"]["properties"]["finally"] = _PIPELINE_TASKS
_STATUSES: dict[str, Schema] = {
    "TaskRun": _open_record("podName", podName=_TEXT, steps=_atomic(_OPEN), sidecars=_atomic(_OPEN), **_RUN_STATUS),
    "PipelineRun": _open_record(childReferences=_atomic(_OPEN), skippedTasks=_atomic(_OPEN), **_RUN_STATUS),
}
_SHORT_NAMES = {"TaskRun": ["tr", "trs"], "PipelineRun": ["pr", "prs"]}
_COLUMNS = [
    {"name": "Succeeded", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Succeeded")].status'},
    {"name": "Reason", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Succeeded")].reason'},
    {"name": "StartTime", "type": "date", "jsonPath": ".status.startTime"},
    {"name": "CompletionTime", "type": "date", "jsonPath": ".status.completionTime"},
]


def small_tekton_crds() -> list[dict[str, Any]]:
    """Return CRDs for Task, Pipeline, TaskRun and PipelineRun."""
    return [_crd(kind) for kind in _SPECS]


def _crd(kind: str) -> dict[str, Any]:
    singular = kind.lower()
    names: dict[str, Any] = {
        "kind": kind,
        "plural": f"{singular}s",
        "singular": singular,
        "categories": ["tekton", "tekton-pipelines"],
    }
    properties = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"}, "spec": _SPECS[kind]}
    version: dict[str, Any] = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    if kind in _STATUSES:
        properties["status"] = _STATUSES[kind]
        names["shortNames"] = _SHORT_NAMES[kind]
        version["additionalPrinterColumns"] = _COLUMNS
    version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{singular}s.tekton.dev", "labels": {"app.kubernetes.io/part-of": "tekton-pipelines"}},
        "spec": {"group": "tekton.dev", "names": names, "scope": "Namespaced", "versions": [version]},
    }
