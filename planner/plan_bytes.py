"""The bytes of a plan: those of a plan file, and those that a state keeps. Pure; opens no file.

The file form is the document (planner.plan_document), indented, with a final newline. A file is believed only when
writing what was read gives the same bytes again, and its checksum is that of all of it but what guards said when it was
shown, which is not read.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from planner.errors import ForeignPlan
from planner.json_shape import json_shape_fault
from planner.plan import (
    SCHEMA_VERSION,
    Plan,
)
from planner.plan_document import masked_plan_document, plan_document, plan_document_with_id
from planner.plan_from_document import plan_of_document
from planner.plan_id import plan_id
from planner.plan_json_shape import PLAN_SHAPE
from planner.values import (
    JsonObject,
    JsonValue,
    canonical_bytes,
    document_digest,
)

_GUARDS = "guards"
_REMARKS = (
    _GUARDS,
    "remarks",
    "change",
    "origins",
)  # what a page says beside the plan: no part of it, and not read back
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def dump_plan(plan: Plan) -> bytes:
    """The bytes of a plan file."""
    return _file_bytes(plan_document(plan))


def dump_shown_plan(plan: Plan, *, guards: Sequence[JsonObject] = (), remarks: Sequence[JsonObject] = (),
              change: JsonObject | None = None, origins: Sequence[JsonObject] = ()) -> bytes:  # fmt: skip
    """The bytes of a plan that is shown: those of its file, but for remarks that a file has none of (what guards and
    the state of this machine say, which change is reviewed, which lines declare its fields), and for values of secrets
    that a change repeats in clear: they are masked, and load_plan refuses that."""
    said = {_GUARDS: list(guards), "remarks": list(remarks), "change": change, "origins": list(origins)}
    return _file_bytes({**masked_plan_document(plan), **{key: value for key, value in said.items() if value}})


def encode_compact_plan(plan: Plan, identifier: str) -> bytes:
    """The bytes that a state keeps of a plan with this id: the same document without white space, in a tenth of the
    time. Each value is made into bytes once, for the checksum and for the document with it."""
    parts = {key: canonical_bytes(value) for key, value in plan_document_with_id(plan, identifier).items()}
    checksum = hashlib.sha256()
    for piece in _pieces(parts):
        checksum.update(piece)
    parts["checksum"] = canonical_bytes(f"sha256:{checksum.hexdigest()}")
    return b"".join(_pieces(parts))


def _pieces(parts: Mapping[str, bytes]) -> Iterator[bytes]:
    """The canonical bytes of an object whose values are such bytes."""
    for number, key in enumerate(sorted(parts)):
        yield b"," if number else b"{"
        yield canonical_bytes(key)
        yield b":"
        yield parts[key]
    yield b"}" if parts else b"{}"


def load_plan(data: bytes) -> Plan:
    """Read a plan file, or what a state keeps.

    Raises ForeignPlan when it is no plan, of another version, or changed by one byte.
    """
    try:
        body = json.loads(data)
        version = body["schemaVersion"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ForeignPlan("this is not a plan file", remedy="make one: hwplan plan --out FILE") from None
    if type(version) is not int or version != SCHEMA_VERSION:
        shown = version if type(version) is int else "of no number"
        raise ForeignPlan(
            f"the plan has schema version {shown}, this hwplan reads {SCHEMA_VERSION}", remedy="plan again"
        )
    if not _is_as_written(body, data):
        if _is_masked(body):
            raise ForeignPlan(
                "the plan was shown and not saved: a value of a secret that it repeats is masked in it",
                remedy="save it: hwplan plan --out FILE; better, take the value out (its warnings say where it stands)",
            )
        raise ForeignPlan("the plan file was changed after it was saved", remedy="plan again; a plan is never edited")
    try:
        if json_shape_fault(PLAN_SHAPE, body):
            raise ValueError
        plan = plan_of_document(body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ForeignPlan("the plan file is not complete", remedy="plan again") from None
    if body.get("id") != plan_id(plan):
        raise ForeignPlan("the plan file has the id of another plan", remedy="plan again; a plan is never edited")
    return plan


def _is_masked(body: JsonObject) -> bool:
    changes = body.get("changes")
    return isinstance(changes, list) and any(isinstance(one, dict) and one.get("inClear") for one in changes)


def _is_as_written(body: JsonObject, data: bytes) -> bool:
    """Whether the bytes are those of the document, and its checksum is that of its content."""
    content = {key: value for key, value in body.items() if key not in ("checksum", *_REMARKS)}
    try:
        return body.get("checksum") == document_digest(content) and data in (canonical_bytes(body), _file_bytes(body))
    except (ValueError, RecursionError):  # no text, no number, or nested deeper than anything that was written here
        return False


def _file_bytes(body: JsonObject) -> bytes:
    text = io.StringIO()
    _indent(body, "\n", text.write)
    text.write("\n")
    return text.getvalue().encode()


def _indent(value: JsonValue, line: str, write: Callable[[str], object]) -> None:
    """`json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False)` in a tenth of its time and memory: that one
    passes every word up through a generator for each level. `line` is the line break before what stands beside value.
    """
    if isinstance(value, dict) and value:
        below = line + " "
        comma = "{" + below
        for key in sorted(value):
            item = value[key]
            if item.__class__ is str:
                write(f"{comma}{_ENCODE(key)}: {_ENCODE(item)}")
            else:
                write(f"{comma}{_ENCODE(key)}: ")
                _indent(item, below, write)
            comma = "," + below
        write(line + "}")
    elif isinstance(value, (list, tuple)) and value:
        below = line + " "
        comma = "[" + below
        for item in value:
            write(comma)
            _indent(item, below, write)
            comma = "," + below
        write(line + "]")
    else:
        write(_ENCODE(value))
