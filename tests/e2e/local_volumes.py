"""What the local-path provisioner of k3s would do, by hand: a class that binds late, and volumes to bind."""

from __future__ import annotations

import uuid

from tests.testbed.api import Api

CLASS = "local-path"


def add_local_volumes(api: Api, number: int) -> None:
    """Add so many volumes; the class is there afterwards, whoever added it."""
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    api.apply(f"/apis/storage.k8s.io/v1/storageclasses/{CLASS}", storage_class)
    for _ in range(number):
        name = f"volume-{uuid.uuid4().hex[:10]}"
        spec = {
            "capacity": {"storage": "500Gi"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "storageClassName": CLASS,
            "hostPath": {"path": f"/volumes/{name}"},
        }
        api.create("/api/v1/persistentvolumes", {"metadata": {"name": name}, "spec": spec})
