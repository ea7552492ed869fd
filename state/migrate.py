"""Brings a database to the schema of this version, one numbered step per transaction. Refuses what it does not know."""

from __future__ import annotations

from pathlib import Path

from planner.errors import StateError
from planner.failpoint import hit_failpoint
from state.sqlite_connection import APPLICATION_ID, Database

STEPS = ("0001_initial.sql", "0002_closeouts.sql", "0003_jobs.sql", "0004_holds.sql", "0005_pulls.sql")


def migrate_schema(database: Database) -> None:
    """Apply the missing steps; each is durable, with its number, or was not begun. Raises StateError."""
    hit_failpoint("state.migrate.begin")
    for number in range(_version(database), len(STEPS)):
        script = (Path(__file__).parent / "migrations" / STEPS[number]).read_text(encoding="utf-8")
        with database.transaction():
            if _version(database) != number:  # another process was faster
                continue
            for statement in _statements(script):
                database.run(statement)
                hit_failpoint("state.migrate.step")
            database.run(f"PRAGMA application_id = {APPLICATION_ID}")
            database.run(f"PRAGMA user_version = {number + 1}")
            hit_failpoint("state.migrate.commit")
    hit_failpoint("state.migrated")


def check_schema_version(database: Database) -> None:
    """Raise StateError unless the database is a state of ours that this version can read."""
    if database.pragma("application_id") != APPLICATION_ID:
        raise StateError(
            "this is a database, but not a state of hwplan",
            where=str(database.path),
            remedy="name another place with HWPLAN_STATE",
        )
    _version(database)


def _version(database: Database) -> int:
    version = int(database.pragma("user_version"))
    if version > len(STEPS):
        raise StateError(
            f"the state was written by a newer hwplan (schema {version}, this one knows {len(STEPS)})",
            where=str(database.path),
            remedy="use that version or a newer one",
        )
    return version


def _statements(script: str) -> list[str]:
    """Statements end with a semicolon at the end of a line; comments of whole lines may stand between them."""
    parts = [part.strip() for part in script.split(";\n")]
    return [part for part in parts if part.replace(";", "").strip()]
