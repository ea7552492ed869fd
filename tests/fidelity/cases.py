"""One case: a live object made on the real server by several managers, then desired objects compared with its dry run.

A case is made from one integer. Owns what happens in it; the verdict is in compare.py.
"""

from __future__ import annotations

import copy
import time
from random import Random

from planner.loading.manifest_nulls import without_nulls
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from tests.fidelity import drawing
from tests.fidelity.compare import check_update, compare, sent
from tests.fidelity.kinds import CLUSTER_SCOPED, NAMESPACED
from tests.fidelity.moving import check_moves
from tests.fidelity.server import APPLY, MERGE, Answer, Server
from tests.fidelity.story import US, Case, Doc, Verdict, apply_url, now, short

APPLIERS = (US, US, "alpha", "beta")
EDITORS = ("kubectl-edit", "controller", US)
DESIRED_PER_HISTORY = 4


def run(seed: int, server: Server, types: MergeTypeTable, namespace: str) -> Verdict:
    """Run the case of one integer: its history, then some desired objects."""
    rng = Random(seed)
    table = {**NAMESPACED, **CLUSTER_SCOPED}
    kind = rng.choices(list(table), [row[3] for row in table.values()])[0]
    api_version, plural, _, _ = table[kind]
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    place = "" if kind in CLUSTER_SCOPED else namespace
    url = f"{root}/namespaces/{place}/{plural}" if place else f"{root}/{plural}"
    run_id = namespace.rpartition("-")[2]
    name = f"{kind.lower()[:20]}-{seed}" + ("" if place else f"-{run_id}")
    if kind == "CustomResourceDefinition":
        name = f"d{seed}{run_id}.none.hwplan.dev"
    case = Case(seed, rng, types, server, kind, api_version, url, name, place, Verdict())
    _history(case)
    if kind == "CustomResourceDefinition" and case.live is not None:
        _await_names(case)
    for _ in range(DESIRED_PER_HISTORY):
        compare(case, _desired(case))
    check_moves(case, sent(case, _desired(case)))
    if not place:
        server.request("DELETE", f"{url}/{name}")
    return case.verdict


def _history(case: Case) -> None:
    steps = case.rng.choice((0, 1, 2, 2, 3, 3, 4, 5, 13))
    for number in range(steps):
        if case.live is None:
            _create(case)
        elif number > 5:
            _patch(case, f"editor-{number}")
        else:
            roll = case.rng.random()
            if roll < 0.5:
                _apply(case)
            elif roll < 0.7:
                _patch(case, case.rng.choice(EDITORS))
            elif roll < 0.85:
                _put(case)
            elif roll < 0.95:
                _status(case)
            elif roll < 0.98:
                _reset(case)


def _await_names(case: Case) -> None:
    """The server's own controllers write the status of a definition: wait until they have accepted its names."""
    for _ in range(50):
        time.sleep(0.1)
        case.live = case.server.request("GET", f"{case.url}/{case.name}").body
        status = case.live.get("status", {})
        established = any(c["type"] == "Established" and c["status"] == "True" for c in status.get("conditions") or ())
        if established and status.get("acceptedNames") == case.live["spec"]["names"]:
            return


def _create(case: Case) -> None:
    if case.rng.random() < 0.3:
        manager = case.rng.choice(EDITORS)
        document = case.fresh()
        answer = case.server.request("POST", f"{case.url}?fieldManager={manager}", document)
        if answer.ok:
            check_update(case, None, document, answer.body, manager)
        _keep(case, answer, f"create by {manager}: {short(document)}")
        return
    _apply(case)


def _apply(case: Case) -> None:
    manager = case.rng.choice(APPLIERS)
    document = _intent(case, manager)
    force = case.rng.random() < 0.6
    sent, url = document, apply_url(case, manager, force)
    if case.kind == "Widget" and manager == "beta":
        sent, url = {**document, "apiVersion": f"{document['apiVersion']}beta1"}, url.replace("/v1/", "/v1beta1/", 1)
    answer = case.server.request("PATCH", url, sent, APPLY)
    if answer.ok:
        case.applied[manager] = document
        if sent is not document:
            answer = case.server.request("GET", f"{case.url}/{case.name}")
    _keep(case, answer, f"apply by {manager}{' (force)' if force else ''}: {short(document)}")


def _intent(case: Case, manager: str) -> Doc:
    """What a manager applies next: something new at first, then variations of what it applied or of what is there."""
    rng, kind = case.rng, case.types.type_of(case.api_version, case.kind)
    fresh = case.fresh()
    if case.live is None:
        return fresh
    last = case.applied.get(manager)
    if last is None:
        base = _plain(case.live) if rng.random() < 0.3 else fresh
        return case.named(drawing.part(rng, kind, base, rng.choice((0.4, 0.8, 1.0))))
    roll = rng.random()
    if roll < 0.2:
        return copy.deepcopy(last)
    if roll < 0.8:
        return case.named(drawing.blend(rng, kind, last, fresh))
    if roll < 0.9:
        return case.named(drawing.part(rng, kind, last, 0.8))
    return case.named(drawing.part(rng, kind, fresh, 0.8))


def _plain(live: Doc) -> Doc:
    """A live object as somebody would export it: without status, server-filled metadata and nulls."""
    meta = {k: v for k, v in live["metadata"].items() if k in ("labels", "annotations", "finalizers")}
    rest = {key: value for key, value in live.items() if key != "status"}
    plain: Doc = without_nulls({**rest, "metadata": meta})
    return plain


def _patch(case: Case, manager: str) -> None:
    kind = case.types.type_of(case.api_version, case.kind)
    patch: Doc = drawing.holes(case.rng, drawing.part(case.rng, kind, case.fresh(), 0.5))
    patch = {"metadata": {k: v for k, v in patch["metadata"].items() if k != "namespace"}} | {
        k: v for k, v in patch.items() if k not in ("apiVersion", "kind", "metadata")
    }
    answer = case.server.request("PATCH", f"{case.url}/{case.name}?fieldManager={manager}", patch, MERGE)
    _keep(case, answer, f"merge patch by {manager}: {short(patch)}")


def _put(case: Case) -> None:
    assert case.live is not None
    manager = case.rng.choice(EDITORS)
    kind = case.types.type_of(case.api_version, case.kind)
    new = drawing.blend(case.rng, kind, _plain(case.live), _plain(case.fresh()))
    new = case.named(new)
    live = case.live
    answer = case.server.request("PUT", f"{case.url}/{case.name}?fieldManager={manager}", new)
    if answer.ok:
        check_update(case, live, new, answer.body, manager)
    _keep(case, answer, f"put by {manager}: {short(new)}")


def _status(case: Case) -> None:
    if not case.types.has_status(case.api_version, case.kind):
        return
    condition = {"type": "Ready", "status": "True", "reason": "R", "message": "", "lastTransitionTime": now()}
    seen = {"seen": case.rng.randint(0, 3)} if case.kind == "Widget" else {}
    patch: Doc = {"status": {"conditions": [condition], **seen}}
    answer = case.server.request("PATCH", f"{case.url}/{case.name}/status?fieldManager=status-writer", patch, MERGE)
    _keep(case, answer, "status patch")


def _reset(case: Case) -> None:
    patch: Doc = {"metadata": {"managedFields": [{}]}}
    answer = case.server.request("PATCH", f"{case.url}/{case.name}?fieldManager=resetter", patch, MERGE)
    _keep(case, answer, "managedFields reset")


def _keep(case: Case, answer: Answer, story: str) -> None:
    case.story.append(f"{answer.code} {story}")
    case.verdict.counts["history steps"] += 1
    if answer.ok:
        case.live = answer.body
    else:
        case.verdict.counts["history steps refused"] += 1


def _desired(case: Case) -> Doc:
    if case.live is not None and US in case.applied and case.rng.random() < 0.25:
        return copy.deepcopy(case.applied[US])
    return _intent(case, US)
