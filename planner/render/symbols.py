"""The one character that stands for an action, and for what becomes of a field."""

from __future__ import annotations

from typing import assert_never

from planner.plan import Action, FieldOp


def action_symbol(action: Action) -> str:
    """The one character that stands for an action."""
    match action:
        case Action.CREATE:
            return "+"
        case Action.UPDATE:
            return "~"
        case Action.REPLACE:
            return "±"
        case Action.DELETE:
            return "-"
        case Action.ADOPT:
            return "^"
        case Action.RUN:
            return ">"
        case Action.FORGET:
            return "o"
        case Action.NOOP:
            return "="
        case _ as never:
            assert_never(never)


def field_sign(op: FieldOp) -> str:
    """The character in front of a field."""
    match op:
        case FieldOp.ADD:
            return "+"
        case FieldOp.CHANGE:
            return "~"
        case FieldOp.REMOVE:
            return "-"
        case FieldOp.DISOWN:
            return "="
        case _ as never:
            assert_never(never)
