"""Plan files, and every rendering of what they may hold; the state file and its rows."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from planner.events import ChangeApplied, ChangeBegan, ChangeEnded, ChangeResult
from planner.plan import Action, Plan
from planner.plan_bytes import _GUARDS, dump_plan, encode_compact_plan, load_plan
from planner.plan_from_document import plan_of_document
from planner.plan_id import plan_id
from planner.render.plan_comparison import render_plan_comparison
from planner.render.plan_html import render_plan_html
from planner.render.plan_json import render_plan_json
from planner.render.plan_markdown import render_plan_markdown
from planner.render.plan_text import render_plan_text
from planner.values import canonical_bytes, document_digest
from state import StateStore
from tests.fuzz.fuzz_target import FuzzTarget

_CASES = Path(__file__).parents[1] / "cases" / "render"
_PLANS = tuple(json.loads(path.read_text()) for path in sorted(_CASES.glob("*/plan.json")))
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
_FOLDER = Path(tempfile.mkdtemp(prefix="hwplan-fuzz-", dir=_MEMORY))


def _resealed(data: bytes) -> bytes:
    """The same document with the checksum and the id that it should have: only then it is read at all."""
    try:
        body: Any = json.loads(data)
        content = {key: value for key, value in body.items() if key not in ("checksum", _GUARDS)}
        try:
            content["id"] = plan_id(plan_of_document(content))
        except Exception:
            content = dict(content)
        return canonical_bytes({**content, "checksum": document_digest(content)})
    except (ValueError, AttributeError, RecursionError, TypeError):
        return data


_RENDERERS: tuple[Callable[[Plan], str], ...] = (
    render_plan_text,
    lambda plan: render_plan_text(plan, width=40, colour=True),
    render_plan_markdown,
    render_plan_html,
    render_plan_json,
    lambda plan: render_plan_json(plan, for_terminal=True),
    lambda plan: render_plan_comparison(plan, plan),
)


def _read_and_show(data: bytes) -> None:
    """Read the plan, and render it in one of the ways, by what its bytes say."""
    plan = load_plan(_resealed(data))
    _RENDERERS[len(data) % len(_RENDERERS)](plan).encode()
    if len(data) % 10 == 0:
        assert load_plan(dump_plan(plan)) == plan


# --- state -----------------------------------------------------------------------------------------------------------


def _made() -> bytes:
    """A state with a run, records, a journal and whatever else commands write, in one file."""
    from tests.faults.kill_world import shape

    folder = _FOLDER / "made"
    plan = shape("diamond")
    data = encode_compact_plan(plan, plan_id(plan))
    with StateStore.open(folder / "state.db") as store:
        with store.acquire("apply", "p") as lease:
            run = store.begin_run(lease, "p", plan, data)
            for change in plan.changes[:6]:
                run.observer.on(ChangeBegan("2026-11-22T10:00:00.000Z", change.address, Action.CREATE))
                run.observer.on(ChangeApplied("2026-11-22T10:00:00.000Z", change.address, Action.CREATE, "u", {"a": 1}))
                run.observer.on(
                    ChangeEnded("2026-11-22T10:00:00.000Z", change.address, Action.CREATE, ChangeResult.DONE, 1.0)
                )
            run.end("failed")
        store.set_hold("v03", 1, "a" * 40, "why")
        store.pulls.append_cycle("v03", "monitor", "ok", "c", "{}", repeats=False)
        store.pulls.append_delivery("v03", 17, 1, "{}")
        store.create_detached_job("j", ["hwplan", "plan"])
        store.append_closeout("v03", "a" * 40, lambda _: ("{}", "held"))
    return (folder / "state.db").read_bytes()


def _use(folder: Path) -> None:
    with StateStore.open(folder / "state.db") as store:
        store.check()
        store.records()
        store.versions()
        store.snapshot(["app"])
        for run in store.history():
            store.nodes(run.number)
            store.run_plan(run.number)
        store.unfinished_run()
        store.holder()
        store.hold("v03")
        store.holds()
        store.closeouts()
        for job in store.jobs():
            str(job.state)
        store.pulls.cycles("v03")
        store.pulls.deliveries("v03")
        store.pulls.memory("v03")


def _state_file(name: str, data: bytes) -> Path:
    """A state in a new folder, with these bytes."""
    folder = _FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    path = folder / "state.db"
    path.touch(0o600)
    path.write_bytes(data)
    return path


def _file(data: bytes) -> None:
    _use(_state_file("broken", data).parent)


def _row(data: bytes) -> None:
    """One cell of one row becomes something else, by what the bytes say."""
    path = _state_file("row", _STATE)
    rng = random.Random(data)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        table = rng.choice([one for one in tables if not one.startswith("sqlite_")])
        column = rng.choice([row[1] for row in database.execute(f"PRAGMA table_info({table})")])
        value: Any = rng.choice((data.decode("latin-1"), data, None, -1, 2**62, 0.5, "", '{"a":', "[]", "9999-99-99"))
        try:
            database.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))
        except sqlite3.Error:
            return
    _use(path.parent)


_STATE = _made()

TARGETS = (
    FuzzTarget("plan file, and all renderings of it", _PLANS, _read_and_show),
    FuzzTarget("plan file: bytes", tuple(path.read_bytes() for path in sorted(_CASES.glob("*/plan.json"))), load_plan),
    FuzzTarget("state file", (_STATE,), _file),
    FuzzTarget("state rows", (b"x", b"2026-11-22T10:00:00Z", b'{"a":1}', b"9" * 30), _row),
)
