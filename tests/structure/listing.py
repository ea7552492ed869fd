"""Reads the source tree and the import contracts, and lists what the house rules forbid. Imports none of the modules.

Owns the lists of docs/ARCHITECTURE.md ("Structure"); the exceptions and their reasons are in `exceptions.py`.
"""

import ast
import builtins
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("planner", "providers", "state")
_RAISES = re.compile(r"[Rr]aises ((?:[A-Z]\w+)(?:,? (?:and |or )?[A-Z]\w+)*)")
_MODULE_FILE = re.compile(r"(?<![\w/])[a-z_]+\.py(?!\w)")
SMALL = 40  # lines; below that a module with a single importer is a part of its importer


@cache
def modules() -> Mapping[str, Path]:
    """Every module of the product by its dotted name."""
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def class_names_used_twice() -> Mapping[str, tuple[str, ...]]:
    """Public class names that stand for different things, with the modules that define them."""
    owners: dict[str, list[str]] = defaultdict(list)
    for name, path in modules().items():
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                owners[node.name].append(name)
    return {name: tuple(where) for name, where in sorted(owners.items()) if len(where) > 1}


def modules_in_no_contract() -> tuple[str, ...]:
    """Modules of the product that no import contract of pyproject.toml names, by themselves or by a package above."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    named: set[str] = set()
    for contract in contracts:
        for key in ("modules", "source_modules"):
            named.update(contract.get(key, ()))
        if contract.get("exhaustive"):  # then import-linter itself refuses a module without a layer
            named.update(contract["containers"])
        for layer in contract.get("layers", ()):
            names = [part.strip(" ()") for part in layer.split("|")]
            named.update(f"{box}.{part}" for box in contract.get("containers", ()) for part in names)
            named.update(names)
    return tuple(name for name in modules() if not any(name == one or name.startswith(f"{one}.") for one in named))


def packages_without_init() -> tuple[str, ...]:
    """Folders with modules and without `__init__.py`: import-linter does not look into them."""
    folders = {path.parent for path in modules().values()}
    return tuple(sorted(str(one.relative_to(ROOT)) for one in folders if not (one / "__init__.py").exists()))


def small_modules_with_one_importer() -> Mapping[str, str]:
    """Modules under SMALL lines that a single other module imports, with that module."""
    importers: dict[str, set[str]] = defaultdict(set)
    for name, path in modules().items():
        for target in _imported(name, path):
            importers[target].add(name)
    return {
        name: next(iter(importers[name]))
        for name, path in modules().items()
        if path.name != "__init__.py" and len(importers[name]) == 1 and _lines(path) < SMALL
    }


def _lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def _imported(name: str, path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in modules() else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def docstrings_that_name_nothing() -> Mapping[str, tuple[str, ...]]:
    """Errors behind `Raises`, and modules as `name.py`, that docstrings name and the product does not have, with where.

    A docstring that names what was since renamed sends its reader to nothing.
    """
    known = set(dir(builtins))
    for path in modules().values():
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef):
                known.add(node.name)
            elif isinstance(node, ast.alias):
                known.add((node.asname or node.name).rpartition(".")[2])
            elif isinstance(node, ast.Attribute):
                known.add(node.attr)
    files = {path.name for path in ROOT.rglob("*.py") if not path.relative_to(ROOT).parts[0].startswith(".")}
    found: dict[str, list[str]] = defaultdict(list)
    for name, path in modules().items():
        for node in ast.walk(_tree(path)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                text = " ".join((ast.get_docstring(node) or "").split())
                raised = (word for names in _RAISES.findall(text) for word in re.findall(r"[A-Z]\w+", names))
                for word in {*raised} - known | {*_MODULE_FILE.findall(text)} - files:
                    found[word].append(f"{name}:{getattr(node, 'lineno', 1)}")
    return {word: tuple(where) for word, where in sorted(found.items())}
