"""The evaluator of cel-python with errors as CEL has them: an error in a macro is a value, which `||` and `&&` absorb.

The library raises an error out of `map`, `filter` and `exists_one`, past an operator whose other side decides. Imports
celpy; import this module on first use.
"""

from __future__ import annotations

from typing import Any

from celpy import InterpretedRunner, celtypes
from celpy.evaluation import CELEvalError, Evaluator


class CelExpressionEvaluator(Evaluator):
    """Evaluates one expression; errors of macros are results."""

    def member_dot_arg(self, tree: Any) -> Any:
        """A method or macro of a value."""
        try:
            return super().member_dot_arg(tree)
        except CELEvalError as error:
            return error

    def sub_evaluator(self, ast: Any) -> CelExpressionEvaluator:
        """The evaluator of the expression inside of a macro."""
        return CelExpressionEvaluator(ast, activation=self.activation)


def cel_or(left: Any, right: Any) -> Any:
    """The operator `||` of CEL. Of two errors the first: the library writes both into the text of a third, which
    doubles it each time."""
    return left if _are_errors(left, right) else celtypes.logical_or(left, right)


def cel_and(left: Any, right: Any) -> Any:
    """The operator `&&` of CEL; of two errors the first."""
    return left if _are_errors(left, right) else celtypes.logical_and(left, right)


def _are_errors(left: Any, right: Any) -> bool:
    return isinstance(left, CELEvalError) and isinstance(right, CELEvalError)


class CelProgramRunner(InterpretedRunner):
    """Runs a program of `celpy.Environment` with CelExpressionEvaluator."""

    def evaluate(self, context: Any) -> Any:
        """The value of the expression. Raises CELEvalError."""
        return CelExpressionEvaluator(ast=self.ast, activation=self.new_activation()).evaluate(context)
