"""What the local merge says, held against what the server says: what counts as equal, and what as a mismatch."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from planner.errors import PermanentError
from planner.field_path import FieldPath, ListItemPathElement, SetMemberPathElement
from providers.kubernetes.ssa import merge, ownership
from providers.kubernetes.ssa.immutable_fields import immutable_changes
from providers.kubernetes.ssa.stored_nulls import without_dropped_nulls
from providers.kubernetes.ssa.typed_values import equal_json
from providers.kubernetes.ssa.validate_object import object_validation_errors
from tests.fidelity import drawing
from tests.fidelity.server import APPLY, Answer
from tests.fidelity.story import US, Case, Doc, apply_url, now, short
from tests.fidelity.taking import check_taken

_IMMUTABLE = re.compile(
    r"field is immutable|may not change once set|cannot change|are forbidden|immutable after creation|is immutable|"
    r"may not be changed in an update|may not change fields other than"
)


def check_update(case: Case, live: Doc | None, new: Doc, stored: Doc, manager: str) -> None:
    """The local `update` against what the server stored."""
    if case.kind == "Pod":
        return  # admission fills in much of a Pod; `apply` says so, a plain write has no place to
    case.verdict.counts["updates compared"] += 1
    made = merge.merge_plain_update(live, new, manager=manager, types=case.types, now=_latest(stored))
    for difference in differences(made, stored):
        case.wrong(f"update by {manager} differs: {difference}: {short(new)} onto {short(live or {})}")
        return


def _latest(document: Doc) -> str:
    times = [entry.get("time", "") for entry in document["metadata"].get("managedFields") or ()]
    return max(times, default="") or now()


def compare(case: Case, desired: Doc) -> None:
    rng, counts = case.rng, case.verdict.counts
    desired = sent(case, desired)
    force = rng.random() < 0.5
    answer = case.server.request("PATCH", apply_url(case, US, force, dry=True), desired, APPLY)
    counts["cases"] += 1
    moment = _latest(answer.body) if answer.ok else now()
    before = copy.deepcopy(case.live)
    try:
        merged = merge.merge_server_side_apply(
            case.live, desired, manager=US, types=case.types, force=force, now=moment
        )
    except PermanentError as error:
        counts["refused: typed"] += 1
        if "failed to create typed patch object" not in str(answer.body.get("message")):
            case.wrong(f"refused locally ({error}), server said {answer.code}: {short(desired)}")
        return
    if before != case.live:
        case.wrong("the live object was changed by the merge")
    case.story.append(f"{answer.code} dry run{' (force)' if force else ''}: {short(desired)}")
    if force and answer.ok and before is not None and before["metadata"].get("managedFields") and not merged.unsure:
        reported = merge.merge_server_side_apply(case.live, desired, manager=US, types=case.types, now=moment)
        case.verdict.mismatches += check_taken(case, before, answer.body, reported)
    for problem in _problems(case, desired, answer, merged):
        if merged.unsure:
            counts["wrong, but said to be unsure"] += 1
        else:
            case.wrong(problem)
        break
    counts["unsure"] += bool(merged.unsure)
    case.story.pop()


def sent(case: Case, desired: Doc) -> Doc:
    """As the provider sends it: nulls that the server would drop are left out, and do not make it own a field."""
    kind = case.types.type_of(case.api_version, case.kind)
    plain: Doc = without_dropped_nulls(kind, drawing.some_nulls(case.rng, kind, desired))
    return plain


def _problems(case: Case, desired: Doc, answer: Answer, merged: merge.ApplyOutcome) -> Iterator[str]:
    counts = case.verdict.counts
    if answer.ok:
        counts["accepted"] += 1
        if merged.conflicts:
            yield f"conflicts that the server does not see: {merged.conflicts[:3]}"
        yield from (f"object differs: {difference}" for difference in differences(merged.object, answer.body))
        if case.live is not None and (found := immutable_changes(case.live, merged.object, case.types)):
            yield f"said to be immutable, but accepted: {found[0]}"
        if wrong := object_validation_errors(desired, case.types):
            counts["checks of a part"] += all(message == "Required value" for _, message in wrong)
            if any(message != "Required value" for _, message in wrong):
                yield f"said to be invalid, but accepted: {wrong[0]}"
        yield from _unchanged(case, desired, answer.body, merged)
    elif answer.code == 409 and answer.body.get("details", {}).get("causes"):
        counts["conflicts"] += 1
        yield from _conflicts(answer.body, merged)
    else:
        counts["refused"] += 1
        yield from _refused(case, answer, merged)


def _refused(case: Case, answer: Answer, merged: merge.ApplyOutcome) -> Iterator[str]:
    message = str(answer.body.get("message"))
    if "failed to create typed patch object" in message or (answer.code == 500 and "schema" in message):
        yield f"the server refused a typed object that was merged here: {message[:300]}"
    elif answer.code == 422 and _IMMUTABLE.search(message):
        case.verdict.counts["refused: immutable"] += 1
        if case.live is None or not immutable_changes(case.live, merged.object, case.types):
            yield f"immutable for the server only: {message[:300]}"
    elif answer.code >= 500:
        yield f"the server failed with {answer.code}: {message[:300]}"


def _unchanged(case: Case, desired: Doc, after: Doc, merged: merge.ApplyOutcome) -> Iterator[str]:
    live, counts = case.live, case.verdict.counts
    if live is None:
        return
    first = next(differences(_without_order(live), _without_order(after)), None)
    same = first is None
    wanted = desired
    quick = ownership.apply_changes_nothing(live, wanted, manager=US, compare_leaves=True, types=case.types)
    counts["nothing to do"] += same
    counts["nothing to do, seen without leaves' spelling"] += same and quick
    bare = wanted.keys() <= {"apiVersion", "kind", "metadata"} and wanted["metadata"].keys() <= {"name", "namespace"}
    if bare:
        return  # such an object is only asked to exist; at most the server books its fields to `before-first-apply`
    if quick and not same:
        yield f"unchanged (with leaves) where the dry run changes something: {first}"
    if equal_json(case.applied.get(US), desired):
        by_digest = ownership.apply_changes_nothing(live, wanted, manager=US, compare_leaves=False, types=case.types)
        counts["same intent as last time, nothing to do"] += same
        counts["same intent as last time, seen"] += same and by_digest
        if by_digest and not same:
            yield f"unchanged (same digest) where the dry run changes something: {first}"
    mine, theirs, was = (_without_generation(document) for document in (merged.object, after, live))
    if (mine == was) != (theirs == was):
        first = next(_walk("", *((mine, was) if theirs == was else (theirs, was))), "")
        yield f"only {'the server' if theirs == was else 'the merge'} leaves the object byte for byte: {first}"


def _without_order(document: Doc) -> Doc:
    """Another spelling of the same value (an empty map) renews the time of our entry, and with it the order."""
    entries = document["metadata"].get("managedFields") or []
    ordered = sorted(entries, key=lambda entry: json.dumps({**entry, "time": ""}, sort_keys=True))
    return {**document, "metadata": {**document["metadata"], "managedFields": ordered}}


def _without_generation(document: Doc) -> Doc:
    """The server counts a NetworkPolicy's generation up for an empty list that was absent."""
    return {**document, "metadata": {k: v for k, v in document["metadata"].items() if k != "generation"}}


def differences(mine: Doc, theirs: Doc) -> Iterator[str]:
    """Where two stored objects differ, server-filled values and times aside."""
    yield from _walk("", merge.comparable_document(mine), merge.comparable_document(theirs))
    one, other = (_entries(document) for document in (mine, theirs))
    if len(one) != len(other):
        yield f"managedFields: {[e[:3] for e in one]} here, {[e[:3] for e in other]} there"
        return
    for left, right in zip(one, other, strict=True):
        if left[:4] != right[:4]:
            yield f"managedFields entry: {left[:4]} here, {right[:4]} there"
            return
        yield from _walk(f"managedFields[{left[0]}/{left[1]}]", left[4], right[4])


def _entries(document: Doc) -> list[tuple[str, str, str, str, Doc]]:
    return [
        (e.get("manager", ""), e["operation"], e["apiVersion"], e.get("subresource", ""), e["fieldsV1"])
        for e in document["metadata"].get("managedFields") or ()
    ]


def _walk(path: str, mine: Any, theirs: Any) -> Iterator[str]:
    if equal_json(mine, theirs):
        return
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for key in sorted(mine.keys() | theirs.keys()):
            if key not in mine:
                yield f"{path}.{key} only there: {json.dumps(theirs[key])[:200]}"
            elif key not in theirs:
                yield f"{path}.{key} only here: {json.dumps(mine[key])[:200]}"
            else:
                yield from _walk(f"{path}.{key}", mine[key], theirs[key])
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for index, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            yield from _walk(f"{path}[{index}]", one, other)
    else:
        yield f"{path}: {json.dumps(mine)[:300]} here, {json.dumps(theirs)[:300]} there"


_MANAGER = re.compile(r'conflicts? with "([^"]*)"')


def _conflicts(body: Doc, merged: merge.ApplyOutcome) -> Iterator[str]:
    theirs = {(_manager(cause["message"]), cause["field"]) for cause in body["details"]["causes"]}
    mine = {(conflict.manager, server_text(conflict.path)) for conflict in merged.conflicts}
    if mine != theirs:
        yield f"conflicts: only here {sorted(mine - theirs)[:4]}, only there {sorted(theirs - mine)[:4]}"


def _manager(message: str) -> str:
    match = _MANAGER.search(message)
    return match[1] if match else message


def server_text(path: FieldPath) -> str:
    """A path in the server's words: `.spec.ports[port=80,protocol="TCP"].name`."""
    out = []
    for element in path:
        match element:
            case str():
                out.append("." + element)
            case int():
                out.append(f"[{element}]")
            case ListItemPathElement(keys):
                out.append("[" + ",".join(f"{name}={json.dumps(value)}" for name, value in keys) + "]")
            case SetMemberPathElement(value):
                out.append(f"[={json.dumps(value)}]")
    return "".join(out)
