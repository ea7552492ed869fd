"""The real Tekton on a cluster of the testbed: controller and webhook of the folder that `HWPLAN_TEKTON` names.

The folder has the two programs `controller` and `webhook` (without a commit in their build information: recordings say
`unknown`) and `config/`, the folder of that name beside their source; how it is made is not part of this project. Owns
their processes and the objects without which they do not start. The webhook listens on all addresses of the machine,
because it has no setting for less; all else is on 127.0.0.1.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.testbed import crds, processes
from tests.testbed.api import Api
from tests.testbed.cluster import TestCluster
from tests.testbed.errors import PartMissing

FOLDER_VARIABLE = "HWPLAN_TEKTON"
NAMESPACE = "tekton-pipelines"
_WEBHOOK = "tekton-pipelines-webhook"
_REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
_RATE = "500"  # requests a second: the default would make the tests wait
_IMAGES = (
    "entrypoint-image",
    "nop-image",
    "sidecarlogresults-image",
    "workingdirinit-image",
    "shell-image",
    "shell-image-win",
)
# The ones of the controller would listen on one port, and nobody reads them.
_SETTINGS = {"config-observability": {"metrics-protocol": "none"}}


def folder() -> Path | None:
    """The folder that `HWPLAN_TEKTON` names; None where it names none. Raises PartMissing when a part is not there."""
    named = os.environ.get(FOLDER_VARIABLE)
    if not named:
        return None
    found = Path(named).resolve()
    if missing := [one for one in ("controller", "webhook", "config/300-crds") if not (found / one).exists()]:
        raise PartMissing(f"the folder that {FOLDER_VARIABLE} names has no {', no '.join(missing)}")
    return found


@contextmanager
def running(cluster: TestCluster, binaries: Path, scratch: Path, selector: str) -> Iterator[None]:
    """Tekton on `cluster` while the block lasts. Its admission looks at namespaces with the label `selector` only, as
    that of the stand-in does; its controller at all."""
    api = cluster.api()
    api.apply(f"/api/v1/namespaces/{NAMESPACE}", _document("v1", "Namespace", NAMESPACE))
    crds.install(api, crds.published_tekton_crds(binaries / "config" / "300-crds"), deadline=60)
    _configure(api, binaries / "config")
    port, *probes = processes.free_ports(5)
    _reach(api, port)
    with ExitStack() as stack:
        for name, more, probe in (
            ("webhook", {"WEBHOOK_PORT": str(port)}, probes[:2]),
            ("controller", {}, probes[2:]),
        ):
            words = _images() if name == "controller" else []
            argv = [str(binaries / name), "-kubeconfig", str(cluster.kubeconfig), *words]
            env = {**_environment(scratch, name), **more, "PROBES_PORT": str(probe[0]), "PROFILING_PORT": str(probe[1])}
            process = processes.start(f"tekton-{name}", argv, scratch / f"{name}.log", env=env)
            stack.callback(processes.stop, process, 2.0)  # the webhook drains for 45 s otherwise
        documents = _admission(binaries / "config", selector, port)
        for plural, document in documents:
            path = f"{_REGISTRATION}/{plural}/{document['metadata']['name']}"
            api.apply(path, document)
            stack.callback(api.delete, path)
        processes.wait_until("Tekton's admission is registered", lambda: _registered(api, documents), process)
        yield


def _configure(api: Api, folder: Path) -> None:
    for path in sorted(folder.glob("config-*.yaml")):
        for document in crds.read_yaml(path):
            if document["kind"] == "ConfigMap":
                name = document["metadata"]["name"]
                document["data"] = {**(document.get("data") or {}), **_SETTINGS.get(name, {})}
                api.apply(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{name}", document)
    secret = next(one for one in crds.read_yaml(folder / "500-webhooks.yaml") if one["kind"] == "Secret")
    api.apply(f"/api/v1/namespaces/{NAMESPACE}/secrets/{secret['metadata']['name']}", secret)


def _reach(api: Api, port: int) -> None:
    """Tekton's webhook insists on a Service; one of this type needs no pod and no address but this machine's."""
    spec = {"type": "ExternalName", "externalName": "localhost", "ports": [{"name": "https", "port": port}]}
    service = {**_document("v1", "Service", _WEBHOOK, NAMESPACE), "spec": spec}
    api.apply(f"/api/v1/namespaces/{NAMESPACE}/services/{_WEBHOOK}", service)


def _admission(folder: Path, selector: str, port: int) -> list[tuple[str, dict[str, Any]]]:
    """Its configurations for Tekton's own kinds, by plural; that for its ConfigMaps is left out."""
    found = []
    for document in crds.read_yaml(folder / "500-webhooks.yaml"):
        if document["kind"] == "Secret" or document["metadata"]["name"].startswith("config."):
            continue
        for one in document["webhooks"]:
            one["clientConfig"]["service"]["port"] = port
            one["namespaceSelector"] = {"matchExpressions": [{"key": selector, "operator": "Exists"}]}
        found.append((f"{document['kind'].lower()}s", document))
    return found


def _registered(api: Api, documents: list[tuple[str, dict[str, Any]]]) -> bool:
    """Whether the webhook has written its rules and its certificate into each."""
    lives = [api.get(f"{_REGISTRATION}/{plural}/{one['metadata']['name']}") for plural, one in documents]
    return all(one.get("rules") and one["clientConfig"].get("caBundle") for live in lives for one in live["webhooks"])


def _environment(scratch: Path, name: str) -> Mapping[str, str]:
    """Only what it needs: no proxies and no credentials of this machine reach it."""
    home = scratch / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "SYSTEM_NAMESPACE": NAMESPACE,
        "POD_NAME": f"tekton-{name}",
        "KUBERNETES_MIN_VERSION": "v1.28.0",
        "CONFIG_LEADERELECTION_NAME": f"config-leader-election-{name}",
        "METRICS_DOMAIN": "tekton.dev/pipeline",
        "WEBHOOK_SERVICE_NAME": _WEBHOOK,
        "WEBHOOK_SECRET_NAME": "webhook-certs",
        "KUBE_API_QPS": _RATE,
        "KUBE_API_BURST": _RATE,
    }


def _images() -> list[str]:
    """What its pods would run; kwok runs nothing."""
    return [word for name in _IMAGES for word in (f"-{name}", f"registry.example/{name}:1")]


def _document(api: str, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata}
