"""kwok, which plays the kubelet: nodes are Ready, pods run, jobs complete, `exec` and `logs` answer.

Owns kwok's configuration, its command line and the Node objects. What pods do is decided by the stages of kwok's own
module and by `stages/outcomes.yaml`. It does not start the process.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.testbed import binaries
from tests.testbed.certificates import KeyPair

NODES = ("node-a", "node-b")
OUTCOME_LABEL = "testbed.hwplan/pod"
_STAGES = ("node/fast", "node/heartbeat", "pod/fast")
_OWN_STAGES = Path(__file__).parent / "stages"
_POD_CIDR = "10.244.0.1/16"


def command(kubeconfig: Path, folder: Path, port: int, pair: KeyPair) -> list[str]:
    """Return the command line of kwok; what it needs is written below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    configs = [str(path) for path in (*_stage_files(), _kubelet_config(folder))]
    return [
        str(binaries.ensure_one(binaries.KWOK, "kwok")),
        f"--kubeconfig={kubeconfig}",
        "--manage-all-nodes=true",
        f"--cidr={_POD_CIDR}",
        "--node-ip=127.0.0.1",
        f"--node-port={port}",
        f"--server-address=127.0.0.1:{port}",
        f"--tls-cert-file={pair.certificate}",
        f"--tls-private-key-file={pair.key}",
        "--node-lease-duration-seconds=40",
        *(f"--config={path}" for path in configs),
    ]


def pod_log(folder: Path) -> Path:
    """Return the file that every container of the cluster has as its log."""
    return folder / "pod.log"


def log_lines(*lines: str) -> str:
    """Return lines of output as a container runtime writes them to a log file."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    return "".join(f"{now} stdout F {line}\n" for line in lines)


def node(name: str) -> Mapping[str, Any]:
    """Return the Node object that kwok takes care of; it has room for any test."""
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "type": "kwok",
    }
    metadata = {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}


def _stage_files() -> list[Path]:
    module = binaries.module_folder(binaries.KWOK, "sigs.k8s.io/kwok") / "kustomize" / "stage"
    theirs = [path for folder in _STAGES for path in sorted((module / folder).glob("*.yaml"))]
    return [path for path in theirs if path.name != "kustomization.yaml"] + sorted(_OWN_STAGES.glob("*.yaml"))


def _kubelet_config(folder: Path) -> Path:
    """Write what `exec` and `logs` do: run the command on this machine, and read the one log file."""
    log = pod_log(folder)
    log.write_text(log_lines("container started"))
    specs = {"ClusterExec": {"execs": [{"local": {}}]}, "ClusterLogs": {"logs": [{"logsFile": str(log)}]}}
    documents = [
        {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": kind, "metadata": {"name": "all"}, "spec": spec}
        for kind, spec in specs.items()
    ]
    path = folder / "kubelet.yaml"
    path.write_text("\n---\n".join(json.dumps(document) for document in documents) + "\n")
    return path
