"""Reading the state of the declared Secrets: fingerprints of source and live value, key by key. Never a value."""

from __future__ import annotations

from collections.abc import Iterator

from planner.address import Address
from planner.app.plan_with_inputs import GatheredPlanInputs, gather_plan_inputs
from planner.app.request import Request
from planner.app.resource_filters import is_declared_secret, is_secret_address
from planner.app.session import open_session
from planner.ports import PresentObject, UnreadableObject
from planner.resource_status import SecretKeyStatus, SecretStatusTable
from planner.values import JsonValue, SealedSecret


def read_secret_status(request: Request) -> SecretStatusTable:
    """The status of the selection's Secrets. Raises only when nothing at all can be judged."""
    with open_session(request) as session:
        gathered = gather_plan_inputs(session, only=is_declared_secret, prune=is_secret_address)
    keys = tuple(key for address in gathered.inputs.graph.order() for key in _keys(gathered, address))
    obsolete = tuple(sorted(stray.address for stray in gathered.inputs.strays))
    foreign = tuple(sorted(one.address for one in gathered.obsolete.foreign))
    unreadable = {one.address: one.reason for one in gathered.obsolete.unreadable}
    return SecretStatusTable(gathered.inputs.cluster, keys, obsolete, foreign, unreadable)


def _keys(gathered: GatheredPlanInputs, address: Address) -> Iterator[SecretKeyStatus]:
    inputs = gathered.inputs
    seen = inputs.observations.get(address)
    problem = f"unreadable: {seen.reason}" if isinstance(seen, UnreadableObject) else ""
    if reason := inputs.unsourced.get(address):
        problem = f"{reason} (declared in {inputs.resources[address].source})"
    live = (seen.value or {}).get("data") or {} if isinstance(seen, PresentObject) else {}
    for key, value in sorted((inputs.resources[address].manifest.get("data") or {}).items()):
        source = value.ref if isinstance(value, SealedSecret) else "in the manifest"
        yield SecretKeyStatus(address, key, source, _fingerprint(value), _fingerprint(live.get(key)), problem)


def _fingerprint(value: JsonValue) -> str:
    return value.fingerprint if isinstance(value, SealedSecret) else ""
