"""The custom resource definitions that tests install: Tekton's and Argo CD's.

Owns the choice between our own small Tekton CRDs (`tekton_crds.py`) and the published ones of a folder, and the
installation. Argo CD's are the official ones, from its module. It plays no controller.
"""

import os
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.testbed import binaries
from tests.testbed.api import Api
from tests.testbed.errors import PartMissing, TestbedError
from tests.testbed.tekton_crds import small_tekton_crds

Document = dict[str, Any]
TEKTON_FOLDER_VARIABLE = "HWPLAN_TEKTON_CRDS"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def tekton_crds() -> list[Document]:
    """Return the Tekton CRDs: those of the folder that `HWPLAN_TEKTON_CRDS` names, else our own small ones."""
    folder = os.environ.get(TEKTON_FOLDER_VARIABLE)
    return published_tekton_crds(Path(folder)) if folder else small_tekton_crds()


def published_tekton_crds(folder: Path) -> list[Document]:
    """Return the CRDs of a folder, without the conversion webhook: all objects are stored as they are written."""
    documents = [document for path in sorted(folder.glob("*.yaml")) for document in read_yaml(path)]
    if not documents:
        raise PartMissing(f"no CRDs in the folder that {TEKTON_FOLDER_VARIABLE} names")
    for document in documents:
        document["spec"].pop("conversion", None)
    return documents


def argo_install_manifest() -> Path:
    """Return the path of Argo CD's official install manifest, of the pinned version."""
    return binaries.argocd_module() / "manifests" / "install.yaml"


def argo_crds() -> list[Document]:
    """Return Argo CD's CRDs: Application, ApplicationSet, AppProject."""
    folder = binaries.argocd_module() / "manifests" / "crds"
    return [document for path in sorted(folder.glob("*-crd.yaml")) for document in read_yaml(path)]


def install(api: Api, documents: Sequence[Mapping[str, Any]], deadline: float = 30.0) -> None:
    """Apply CRDs and wait until the API server serves every version of them."""
    for document in documents:
        api.apply(f"{_CRDS}/{document['metadata']['name']}", document)
    end = time.monotonic() + deadline
    for document in documents:
        while not _served(api, document):
            if time.monotonic() > end:
                raise TestbedError(f"{document['metadata']['name']} is not served within {deadline:.0f} s")
            time.sleep(0.05)


def read_yaml(path: Path) -> list[Document]:
    """Return the documents of a YAML file."""
    return [document for document in YAML(typ="safe").load_all(path) if document]


def _served(api: Api, document: Mapping[str, Any]) -> bool:
    """Say whether objects of every served version can be listed, and clients that ask for the kinds find this one."""
    spec = document["spec"]
    for version in [version["name"] for version in spec["versions"] if version["served"]]:
        path = f"/apis/{spec['group']}/{version}"
        kinds = api.find(path)
        if kinds is None or spec["names"]["plural"] not in {resource["name"] for resource in kinds["resources"]}:
            return False
        if api.raw("GET", f"{path}/{spec['names']['plural']}?limit=1")[0] != HTTPStatus.OK:
            return False
    return True
