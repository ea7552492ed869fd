"""Rendering templates: Jinja2, locked down. Owns what a template may do; knows no product and no YAML.

A template sees plain data only, never a secret. It can reach no file, clock, environment or network, every name must be
defined, and its work and output are bounded: attributes and filters are allow-lists, operators that make long values
are checked, loop rounds and printed characters are counted. Heavy import: loaded when something is rendered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from planner.compiled_template_cache import compile_template_cached
from planner.dataclass import dataclass

MOST_OUTPUT: Final = 4 << 20  # characters of one rendered template, and of everything it prints on the way
MOST_ROUNDS: Final = 200_000  # of all loops of one rendering together
MOST_VALUE: Final = 1 << 20  # characters of one value
MOST_SOURCE: Final = 1 << 20

_DICT: Final = frozenset({"get", "items", "keys", "values"})
_TEXT: Final = frozenset(
    {"endswith", "isdigit", "lower", "partition", "rpartition", "rsplit", "split", "startswith", "strip", "upper"}
)
_FILTERS: Final = frozenset(
    {"abs", "capitalize", "count", "d", "default", "dictsort", "first", "groupby", "int", "items", "last", "length",
     "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "title",
     "trim", "unique", "upper"}
)  # fmt: skip
_BUDGET: Final = "_budget"
MARKER: Final = "#@"  # after `---` in rendered text: the template line of the document


class TemplateProblem(Exception):
    """A template that cannot be rendered. `line` is 0 if unknown; no rendered value in the message."""

    def __init__(self, message: str, line: int = 0, remedy: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.remedy = message, line, remedy


@dataclass(slots=True)
class _Budget:
    """What one rendering may still do."""

    rounds: int = MOST_ROUNDS
    printed: int = MOST_OUTPUT


def render_template(path: Path, context: Mapping[str, Any]) -> str:
    """The rendered text of a template file. Each line `---` of the template becomes `--- #@<line>`.

    Raises TemplateProblem. Equal files are compiled once (planner.compiled_template_cache).
    """
    try:
        source = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise TemplateProblem("not UTF-8", remedy="save the file as UTF-8") from None
    return _rendered(source, context, _compiled_file)


def render_template_text(source: str, context: Mapping[str, Any]) -> str:
    """Render the text of a template with values, as `render_template` does with a file."""
    return _rendered(source, context, _compiled)


def _rendered(source: str, context: Mapping[str, Any], compiled: Callable[[str], Template]) -> str:
    if len(source) > MOST_SOURCE:
        raise TemplateProblem(f"the template is larger than {MOST_SOURCE >> 20} MiB")
    try:
        out: list[str] = []
        size = 0
        for piece in compiled(source).generate({**context, _BUDGET: _Budget()}):
            size += len(piece)
            if size > MOST_OUTPUT:
                raise SecurityError(f"more than {MOST_OUTPUT >> 20} MiB of output")
            out.append(piece)
        return "".join(out)
    except (
        TemplateError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        NameError,  # an infinite number is a word in the code that Jinja makes
        RecursionError,
        MemoryError,
    ) as error:
        raise _problem(error) from None


@cache
def _compiled(source: str) -> Template:
    return _environment().from_string(_with_markers(source))


@cache
def _compiled_file(source: str) -> Template:
    environment = _environment()
    code = compile_template_cached(_with_markers(source), environment.compile, _version_of_code())
    return environment.template_class.from_code(environment, code, environment.make_globals(None))


@cache
def _version_of_code() -> bytes:
    """What decides, beside a template, what its code is: Jinja, and the checks that this module puts into it."""
    return hashlib.sha256(version("jinja2").encode() + Path(__file__).read_bytes()).digest()


def _with_markers(source: str) -> str:
    lines = source.split("\n")
    return "\n".join(f"--- {MARKER}{n}" if line.rstrip() == "---" else line for n, line in enumerate(lines, 1))


@cache
def _environment() -> _Environment:
    environment = _Environment(
        undefined=_Missing,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_printed,
        optimized=False,
    )
    environment.globals.clear()
    known = {name: environment.filters[name] for name in _FILTERS}
    environment.filters.clear()
    environment.filters.update(known | _OWN_FILTERS)
    return environment


_REWRITTEN: Final = (nodes.For, nodes.Concat, nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends)


class _Missing(StrictUndefined):
    """An undefined name that says what may have been meant."""

    @property
    def _undefined_message(self) -> str:
        name, known = str(self._undefined_name), self._undefined_obj
        if not isinstance(known, Mapping):
            return f'"{name}" is not defined'
        close = get_close_matches(name, [str(key) for key in known], 1, 0.6)
        return f'no "{name}" here' + (f', did you mean "{close[0]}"?' if close else "")


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox with allow-lists instead of deny-lists, and with counted loops and checked operators."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in list(tree.find_all(_REWRITTEN)):
            match node:
                case nodes.For():
                    node.iter = nodes.Filter(node.iter, "_rounds", [], [], None, None, lineno=node.lineno)
                case nodes.Concat():
                    node.nodes = [
                        nodes.Filter(part, "_part", [], [], None, None, lineno=node.lineno) for part in node.nodes
                    ]
                case _:
                    raise TemplateSyntaxError("a template stands alone: no include, import or extends", node.lineno)
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, Mapping):
            return attr in _DICT
        if isinstance(obj, str):
            return attr in _TEXT
        return isinstance(obj, LoopContext) and not attr.startswith("_")

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(obj, Macro | LoopContext) or getattr(obj, "__name__", "") in _DICT | _TEXT | {
            "cycle",
            "changed",
        }

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A key of a mapping first, so that data may be called `items` or `values`."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = all(isinstance(side, int | float) for side in (left, right))
        if operator == "**" or (operator != "+" and not numbers):
            raise SecurityError(f"the operator {operator} is not for these values")
        if numbers and max(abs(left), abs(right)) > 1e15:
            raise SecurityError("a number that is too large")
        if operator == "+" and not numbers and len(left) + len(right) > MOST_VALUE:
            raise SecurityError("a value that is too long")
        return super().call_binop(context, operator, left, right)


def _budget_of(context: Context) -> _Budget:
    budget = context.parent[_BUDGET]
    assert isinstance(budget, _Budget)
    return budget


@pass_context
def _printed(context: Context, value: Any) -> Any:
    """What `{{ }}` prints: text and numbers only, counted."""
    if isinstance(value, Undefined):
        return value
    if value is None or not isinstance(value, str | int | float):
        raise SecurityError("only text and numbers can be printed; use | json for anything else")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    budget = _budget_of(context)
    budget.printed -= len(text)
    if budget.printed < 0:
        raise SecurityError(f"more than {MOST_OUTPUT >> 20} MiB of output")
    return text


@pass_context
def _rounds(context: Context, items: Iterable[Any]) -> Iterator[Any]:
    budget = _budget_of(context)
    for item in items:
        budget.rounds -= 1
        if budget.rounds < 0:
            raise SecurityError(f"more than {MOST_ROUNDS} rounds of loops")
        yield item


@pass_context
def _part(context: Context, value: Any) -> Any:
    return _printed(context, value)


def _json(value: Any) -> str:
    """JSON, which is YAML as well: quotes whatever needs it."""
    waiting, seen = [value], 0
    while waiting:
        seen += 1
        if seen > MOST_ROUNDS:
            raise SecurityError("a value that is too large")
        match waiting.pop():
            case dict() as mapping:
                waiting.extend(mapping.values())
            case list() | tuple() as items:
                waiting.extend(items)
            case _:
                pass
    return json.dumps(value, ensure_ascii=False, sort_keys=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _indent(text: str, width: int, first: bool = False) -> str:
    """`text` with `width` spaces before each line but the first; empty lines stay empty."""
    if not 0 <= width <= 100:
        raise SecurityError("indent by 0 to 100")
    lines = text.split("\n")
    pad = " " * width
    rest = [pad + line if line else line for line in lines[1:]]
    return "\n".join([(pad if first else "") + lines[0], *rest])


def _replace(text: str, old: str, new: str) -> str:
    if not old or len(text) + text.count(old) * len(new) > MOST_VALUE:
        raise SecurityError("a value that is too long")
    return text.replace(old, new)


def _join(items: Iterable[Any], separator: str = "") -> str:
    parts = []
    room = MOST_VALUE
    for item in items:
        if not isinstance(item, str | int | float):
            raise SecurityError("only text and numbers can be joined")
        parts.append(str(item))
        room -= len(parts[-1]) + len(separator)
        if room < 0:
            raise SecurityError("a value that is too long")
    return separator.join(parts)


_OWN_FILTERS: Final[dict[str, Any]] = {
    "_part": _part,
    "_rounds": _rounds,
    "indent": _indent,
    "join": _join,
    "json": _json,
    "quote": lambda value: _json(str(value)),
    "replace": _replace,
    "sha256": _sha256,
}


def _problem(error: BaseException) -> TemplateProblem:
    line = _template_line(error)
    match error:
        case TemplateSyntaxError():
            return TemplateProblem(error.message or "not a template", error.lineno)
        case UndefinedError():
            return TemplateProblem(
                error.message or "undefined", line, "every name must be defined; see `hwplan explain`"
            )
        case SecurityError():
            return TemplateProblem(f"not allowed in a template: {_reason(error.message or '')}", line)
        case RecursionError() | MemoryError():
            return TemplateProblem("the template does not end", line)
        case _:
            return TemplateProblem(f"a {type(error).__name__} while rendering", line)


def _reason(message: str) -> str:
    """A reason without the representation of an object, which may hold a value or an address in memory."""
    if "safely callable" in message:
        return "a call of something that is not offered"
    return "an attribute that is not offered" if "access to attribute" in message else message


def _template_line(error: BaseException) -> int:
    """The template line of the innermost template frame of a traceback (jinja2 rewrites the line numbers)."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
