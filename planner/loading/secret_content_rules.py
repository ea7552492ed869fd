"""What the API server asks of a Secret's content, checked where the values are at hand: before anything is written.

Sources: pkg/apis/core/validation ValidateSecret and apimachinery IsConfigMapKey of Kubernetes 1.36. Messages name keys
and sizes, never a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from planner.values import SecretValue

MOST_BYTES = 1 << 20  # of all values of one Secret together
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_REQUIRED = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
}
_JSON = (".dockerconfigjson", ".dockercfg")


def secret_key_problem(key: object) -> str:
    """What is wrong with a key; empty when nothing is."""
    if isinstance(key, str) and _KEY.fullmatch(key) and key not in (".", "..") and not key.startswith(".."):
        return ""
    return "a key of a Secret is letters, digits, - _ and . (at most 253), and does not start with .."


def secret_content_problems(of_type: str, values: Mapping[str, SecretValue], keys: frozenset[str]) -> Iterator[str]:
    """Everything that the server would refuse. `keys` are all keys, also those whose value is not known yet."""
    size = sum(len(value.reveal()) for value in values.values())
    if size > MOST_BYTES:
        largest = max(values, key=lambda key: len(values[key].reveal()))
        yield f"its values are {size:,} bytes together, and a Secret holds at most {MOST_BYTES:,} (largest: {largest})"
    for key in _REQUIRED.get(of_type, ()):
        if key not in keys:
            yield f"a Secret of type {of_type} needs the key {key}"
    for key in _JSON:
        if of_type.startswith("kubernetes.io/docker") and key in values and not _is_object(values[key]):
            yield f"the value of {key} is not a JSON object"


def _is_object(value: SecretValue) -> bool:
    try:
        return isinstance(json.loads(value.reveal()), dict)
    except (ValueError, RecursionError):
        return False
