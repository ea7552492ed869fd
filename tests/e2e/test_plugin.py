"""A kind of another distribution, installed with pip: it is checked, explained, planned and applied as any other.

The sample is tests/plugin; broken distributions are made here, by the two files that an installer leaves.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan, change_of, changes

SAMPLE = REPOSITORY / "tests" / "plugin"
CANARY = "a-value-that-nobody-shows"

STACK = f"""\
apiVersion: v1
kind: Namespace
metadata: {{name: demo}}
---
apiVersion: v1
kind: Secret
metadata: {{name: pen, namespace: demo}}
stringData: {{KEY: {CANARY}}}
---
apiVersion: hwplan.dev/v1
kind: Note
metadata: {{name: second}}
spec:
  text: !sub "the first has ${{Note/first#length}} letters"
  color: blue
---
apiVersion: hwplan.dev/v1
kind: Note
metadata: {{name: first}}
spec:
  text: hello
  signature: {{secret: demo/pen, key: KEY}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: copy, namespace: demo}}
data: {{digest: !ref Note/first#digest}}
"""
WORDS = ("-f", "stack.yaml", "--name", "notes")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed the sample into: built from a copy, without a network."""
    source, target = tmp_path_factory.mktemp("source") / "plugin", tmp_path_factory.mktemp("site")
    shutil.copytree(SAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps",
         "--no-build-isolation", "--target", str(target), str(source)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def noting(simulated: Hwplan, installed: Path) -> Hwplan:
    """The command with the sample beside it, in a folder with a stack of notes."""
    (simulated.folder / "stack.yaml").write_text(STACK)
    return Hwplan(simulated.folder, simulated.where, {"PYTHONPATH": str(installed)})


def _notes(hwplan: Hwplan) -> dict[str, dict[str, str]]:
    return {path.stem: json.loads(path.read_text()) for path in (hwplan.folder / "box" / "notes").glob("*.json")}


def test_notes_are_planned_applied_and_left_alone(noting: Hwplan) -> None:
    assert "5 resources" in Hwplan(noting.folder, (), noting.env)("validate", *WORDS).out
    plan = noting.plan(*WORDS)
    assert changes(plan)["Note/first"] == "create"
    assert change_of(plan, "Note/second")["needs"] == ["Note/first"]
    signed = {field["path"]: field for field in change_of(plan, "Note/first")["fields"]}["signature"]
    assert signed["sensitive"] and signed["after"].startswith("hmac-sha256:")
    assert change_of(plan, "Note/first")["needs"] == ["Secret/demo/pen"], "the edge of the secret"
    noting("apply", *WORDS, "--plan-id", plan["id"], "--confirm")
    notes = _notes(noting)
    assert notes["first"]["text"] == "hello" and notes["first"]["mac"]
    assert notes["second"] == {"text": "the first has 5 letters", "color": "blue", "fingerprint": "", "mac": ""}
    noting.empty(*WORDS)


def test_what_somebody_else_wrote_is_shown_and_a_stale_plan_is_refused(noting: Hwplan) -> None:
    noting("apply", *WORDS, "--confirm")
    path = noting.folder / "box" / "notes" / "second.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "color": "yellow"}))
    (field,) = change_of(noting.plan(*WORDS), "Note/second")["fields"]
    assert (field["path"], field["before"], field["after"]) == ("color", "yellow", "blue")
    noting("plan", *WORDS, "--out", "plan.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "text": "theirs"}))
    refused = noting("apply", "plan.json", "--confirm", code=3)
    assert "Note/second was changed" in refused.err
    assert _notes(noting)["second"]["text"] == "theirs"


def test_a_changed_secret_is_a_change_and_its_value_is_nowhere(noting: Hwplan) -> None:
    said = [noting("apply", *WORDS, "--confirm")]
    before = _notes(noting)["first"]["mac"]
    (noting.folder / "stack.yaml").write_text(STACK.replace(CANARY, CANARY + "-2"))
    said.append(noting("plan", *WORDS))
    assert "Note/first" in said[-1].out and "Note/second" not in said[-1].out
    said.append(noting("apply", *WORDS, "--confirm"))
    assert _notes(noting)["first"]["mac"] != before
    assert not any(CANARY in text for ran in said for text in (ran.out, ran.err))
    cluster = noting.folder / "box" / "cluster"  # that is the API server, which holds the Secret
    files = [path for path in noting.folder.rglob("*") if path.is_file() and not path.is_relative_to(cluster)]
    assert [path.name for path in files if CANARY.encode() in path.read_bytes()] == ["stack.yaml"]


@pytest.mark.parametrize(
    ("wrong", "right", "position", "words"),
    [
        ("  txet: hello", "  text: hello", "21:3", 'unknown field "txet"'),
        ("  color: green", "  color: blue", "15:3", "expected 'yellow' or 'blue'"),
        ("kind: Nope", "kind: Note", "11:1", 'did you mean "Note"?'),
        ("secret: pen", "secret: demo/pen", "22:15", "spec.signature.secret: not in the expected form"),
    ],
)
def test_a_mistake_is_shown_with_line_and_column(
    noting: Hwplan, wrong: str, right: str, position: str, words: str
) -> None:
    (noting.folder / "stack.yaml").write_text(STACK.replace(right, wrong, 1))
    refused = Hwplan(noting.folder, (), noting.env)("validate", *WORDS, code=1)
    assert f"stack.yaml:{position}: " in refused.err and words in refused.err


def test_a_reference_to_an_output_of_no_note_is_refused(noting: Hwplan) -> None:
    (noting.folder / "stack.yaml").write_text(STACK.replace("Note/first#digest", "Note/frist#digest"))
    refused = Hwplan(noting.folder, (), noting.env)("validate", *WORDS, code=1)
    assert "Note/frist, which is not declared" in refused.err and "Note/first" in refused.err


def test_it_is_explained_and_has_a_schema(noting: Hwplan) -> None:
    bare = Hwplan(noting.folder, (), noting.env)
    assert "spec  <NoteSpec>  required" in bare("explain", "Note").out
    assert "default yellow" in bare("explain", "Note.spec").out
    assert 'did you mean "Note"?' in bare("explain", "Nota", code=1).err
    bare("schema", "--out", "schemas")
    schema = json.loads((noting.folder / "schemas" / "Note.schema.json").read_text())
    assert schema["additionalProperties"] is False and "NoteSpec" in schema["$defs"]


def test_a_product_declares_it_in_its_templates(noting: Hwplan) -> None:
    shutil.copytree(REPOSITORY / "tests" / "cases" / "config" / "base", noting.folder, dirs_exist_ok=True)
    template = noting.folder / "templates" / "demo" / "app" / "20-note.yaml.j2"
    template.write_text(
        "apiVersion: hwplan.dev/v1\nkind: Note\nmetadata:\n  name: {{ lane.name }}\n"
        "spec:\n  text: {{ lane.publicUrl | json }}\n"
    )
    words = ("--config", "config", "--node", "N1", "--lane", "l1")
    bare = Hwplan(noting.folder, (), noting.env)
    bare("validate", *words[:2])
    plan = noting.plan(*words)
    assert changes(plan)["Note/l1"] == "create"
    noting("apply", *words, "--confirm")
    noting.empty(*words)
    assert _notes(noting)["l1"]["text"] == "https://demo.example"
    template.write_text(template.read_text().replace("text:", "txet:"))
    assert "templates/demo/app/20-note.yaml.j2:6: unknown field" in bare("validate", *words[:2], code=1).err


def test_without_the_distribution_the_kind_is_unknown(noting: Hwplan) -> None:
    (noting.folder / "stack.yaml").write_text(
        STACK[STACK.index("apiVersion: hwplan") :].split("---")[0].replace("!sub ", "")
    )
    noting("plan", *WORDS, "--out", "plan.json")
    without = Hwplan(noting.folder, noting.where)
    assert "unknown hwplan kind" in without("plan", *WORDS, code=1).err
    assert "no provider for the hwplan kind Note" in without("apply", "plan.json", "--confirm", code=1).err


def test_the_distribution_passes_the_contract_suite(installed: Path, tmp_path: Path) -> None:
    """As its authors run it: its tests beside the installed package, in a process of their own."""
    shutil.copytree(SAMPLE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SAMPLE / "pyproject.toml", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert "13 passed" in done.stdout


# --- distributions that are broken ---------------------------------------------------------------------------------

GOOD = """\
from typing import Any, Literal
from planner.plugins import Plugin
from planner.spec.kinds.envelope import KindModel
class Memo(KindModel):
    "A memo."
    kind: Literal["Memo"]
    spec: dict[str, Any]
"""
MEMO = "apiVersion: hwplan.dev/v1\nkind: {}\nmetadata: {{name: a}}\nspec: {{path: a, content: text}}\n"


@pytest.fixture
def broken(simulated: Hwplan, tmp_path: Path) -> Callable[..., Hwplan]:
    """Makes a command with distributions beside it: for each a name, its one entry and its module."""

    def make(*distributions: tuple[str, str, str], kind: str = "Memo") -> Hwplan:
        site = tmp_path / "site"
        for name, entry, code in distributions:
            meta = site / f"{name}-2.1.dist-info"
            meta.mkdir(parents=True)
            (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.1\n")
            (meta / "entry_points.txt").write_text(f"[hwplan.providers]\n{entry}\n")
            (site / f"{name}.py").write_text(code)
        (simulated.folder / "memo.yaml").write_text(MEMO.format(kind))
        return Hwplan(simulated.folder, simulated.where, {"PYTHONPATH": str(site)})

    return make


MEMO_WORDS = ("-f", "memo.yaml", "--name", "memos")


def test_a_distribution_that_cannot_be_imported_is_named(broken: Callable[..., Hwplan]) -> None:
    hwplan = broken(("notes", "Memo = notes:memo", f"raise ValueError('{CANARY}')"))
    wrong = "the kind Memo comes from the distribution notes 2.1, and its entry point notes:memo cannot be imported"
    refused = hwplan("apply", *MEMO_WORDS, "--confirm", code=1)
    assert f"memo.yaml:2:1: {wrong}: ValueError at notes.py:1" in refused.err and CANARY not in refused.err
    bare = Hwplan(hwplan.folder, (), hwplan.env)
    assert wrong in bare("explain", "Memo", code=1).err
    assert wrong in bare("schema", "--out", "schemas", code=1).err and not (hwplan.folder / "schemas").exists()
    assert "LocalFile" in bare("explain", "LocalFile").out, "others are not touched"


def test_a_kind_of_hwplan_cannot_be_taken_over(broken: Callable[..., Hwplan]) -> None:
    touch = "import pathlib\npathlib.Path('imported').touch()\n"
    hwplan = broken(("notes", "LocalFile = notes:memo", touch), kind="LocalFile")
    refused = hwplan("apply", *MEMO_WORDS, "--confirm", code=1)
    assert "memo.yaml:2:1: the distribution notes 2.1 claims the kind LocalFile, which hwplan has" in refused.err
    assert not (hwplan.folder / "imported").exists() and not (hwplan.folder / "box" / "files").exists()


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        ("def create(tools): return object()", "made no provider: read, preview, apply, delete, readiness is missing"),
        (f"def create(tools): raise KeyError('{CANARY}')", "error in the provider of notes 2.1: KeyError at notes.py:"),
        (
            f"class P:\n def read(self, *a): raise KeyError('{CANARY}')\n preview = apply = delete = readiness = read\n"
            "def create(tools): return P()",
            "error in the provider of notes 2.1: KeyError at notes.py:",
        ),
    ],
)
def test_a_provider_that_fails_blocks_its_own_resources_only(
    broken: Callable[..., Hwplan], factory: str, words: str
) -> None:
    hwplan = broken(("notes", "Memo = notes:memo", f"{GOOD}{factory}\nmemo = Plugin(Memo, create)\n"))
    with (hwplan.folder / "memo.yaml").open("a") as file:
        file.write("---\n" + MEMO.format("LocalFile"))
    ran = hwplan("apply", *MEMO_WORDS, "--confirm", code=1)
    assert words in ran.out and CANARY not in ran.out + ran.err
    assert (hwplan.folder / "box" / "files" / "relative" / "a").read_text() == "text", "the file was written"


def test_entry_points_are_read_for_kinds_of_hwplan_only(simulated: Hwplan) -> None:
    (simulated.folder / "map.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\ndata: {a: b}\n"
    )
    code = (
        "import sys, planner.cli\n"
        "from planner.cli.main import cli\n"
        "for words in (['--help'], sys.argv[1:]):\n"
        "    try: cli(words, standalone_mode=False)\n"
        "    except SystemExit: pass\n"
        "    assert not {'planner.plugins', 'importlib.metadata', 'pydantic'} & set(sys.modules), words\n"
    )
    words = ("plan", "-f", "map.yaml", "--name", "maps", *simulated.where)
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=simulated.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 and "ConfigMap/default/a" in done.stdout, done.stderr
