"""What the value rules of Kubernetes say of a new object whose namespace is only planned.

The server cannot be asked about it where it will live: there is no such namespace yet. The rules written down here are
those of one version of Kubernetes, so they only raise the question: the server itself is then asked in a namespace that
every cluster has. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planner.errors import ProviderError
from planner.field_path import FieldPath, render_path
from planner.values import JsonObject
from providers.cluster_interface import Cluster
from providers.kubernetes.errors import Invalid
from providers.kubernetes.object_location import ObjectLocation
from providers.kubernetes.preview.leftover_server_defaults import predict_as_created
from providers.kubernetes.preview.predict_apply import dry_run_apply
from providers.kubernetes.secret_values_as_fingerprints import is_secret
from providers.kubernetes.ssa.builtin_values import builtin_value_errors
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.metadata_values import metadata_value_errors

_EVERYWHERE: Final = "default"


def check_values_before_namespace_exists(
    cluster: Cluster, location: ObjectLocation, document: JsonObject, types: MergeTypeTable
) -> tuple[str, ...]:
    """Check the values of a new object whose namespace is only planned, by a dry run in another one where the rules
    find them wrong. `document` has stand-ins and all outputs.

    Returns remarks where the rules find them wrong and the server could not be asked. Raises Invalid with the causes
    that the server names. No request is made for an object with nothing wrong.
    """
    kind = location.kind
    if is_secret(document):
        return remarks_on_metadata(document)
    if types.is_custom(kind.api_version, kind.kind):
        wrong = list(metadata_value_errors(document))
    else:
        stored = predict_as_created(document, types)
        wrong = list(builtin_value_errors(types.type_of(kind.api_version, kind.kind), stored)) if stored else []
    if not wrong:
        return ()
    there = location._replace(namespace=_EVERYWHERE)
    moved = {**document, "metadata": {**document["metadata"], "namespace": _EVERYWHERE}}
    try:
        dry_run_apply(cluster, there, moved, None)
    except Invalid:
        raise
    except ProviderError:
        return _remarks(wrong)
    return ()


def remarks_on_metadata(document: JsonObject) -> tuple[str, ...]:
    """Remarks on the metadata of a new object that no server can be asked about, as its kind is not served yet."""
    return _remarks(list(metadata_value_errors(document)))


def _remarks(wrong: Sequence[tuple[FieldPath, str]]) -> tuple[str, ...]:
    said = "; ".join(f"{render_path(path)}: {message}" for path, message in wrong)
    return (f"not verified: the server will probably refuse {said}",) if wrong else ()
