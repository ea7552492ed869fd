"""Verbs and options of other tools are answered by meaning; an option with one dash is never read letter by letter."""

from __future__ import annotations

import pytest

from planner.cli.main import run_command_line as run

SENTENCES = {"version": "hwplan --version", "help": "hwplan VERB --help", "logs": "hwplan job logs", "fmt": "validate"}
VERBS = {
    "diff": "plan",
    "delete": "destroy",
    "deploy": "apply",
    "rollback": "undo",
    "lint": "validate",
    "get": "state",
    "matrix": "fleet",
}


@pytest.mark.parametrize(("word", "verb"), VERBS.items())
def test_a_verb_of_another_tool(word: str, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([word]) == 1
    assert f"hwplan {verb} --help" in capsys.readouterr().err


@pytest.mark.parametrize(("word", "remedy"), SENTENCES.items())
def test_a_word_that_is_no_verb_here(word: str, remedy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([word]) == 1
    assert remedy in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["apply", "--auto-approve"], "--confirm applies"),
        (["apply", "-auto-approve"], "--confirm applies"),
        (["destroy", "-y"], "--confirm applies"),
        (["plan", "-target", "x"], "-target has two dashes here: --target"),
        (["plan", "-target=x"], "-target has two dashes here: --target"),
        (["plan", "-out", "x"], "-out has two dashes here: --out"),
        (["plan", "-no-color"], "-no-color has two dashes here: --no-color"),
        (["-no-color", "plan"], "-no-color has two dashes here: --no-color"),
        (["mirror", "status", "-json"], "-json has two dashes here: --json"),
        (["plan", "--dry-run=server"], "it asks the server for its dry run"),
        (["apply", "--dry-run=server"], "it asks the server for its dry run"),
        (["plan", "-f", "x", "--server-side"], "every apply is a server-side apply"),
        (["apply", "-f", "x", "--name", "x", "--force-conflicts"], "hwplan.dev/adopt-fields"),
        (["plan", "-l", "app=x"], "--target KIND"),
        (["plan", "--all"], "hwplan fleet looks at every lane on every node"),
        (["drift", "--all-nodes"], "hwplan fleet"),
        (["fleet", "--render"], "--format job or --format cronjob"),
    ],
)
def test_an_option_of_another_tool(words: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 1
    assert hint in capsys.readouterr().err


def test_a_value_glued_to_its_short_option_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "-fmissing-file.yaml", "--name", "x"]) == 1
    assert "missing-file.yaml does not exist" in capsys.readouterr().err
