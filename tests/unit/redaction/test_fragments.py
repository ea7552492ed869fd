"""What is left of a secret where a command folds, cuts, quotes or encodes it; judged by the commands themselves."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from planner.redaction.redactor import MASK, Redactor
from planner.redaction.secret_fragments import looks_random
from tests.canaries.canary import canary

VALUE = canary("fragments")
QUOTED = "it's a \"secret\" $1 pass' word9 \\n"
LEAST = 8  # characters of a random value that must not be left in one piece


def knowing(*values: str) -> Redactor:
    redactor = Redactor()
    for value in values:
        redactor.learn(value.encode())
    return redactor


def output_of(command: str, value: str) -> str:
    if (program := command.split()[0]) not in ("set", "declare", "printf", "echo") and not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    env = {"V": value, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", command], input=value.encode(), capture_output=True, env=env, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


def pieces(value: str) -> set[str]:
    return {value[at : at + LEAST] for at in range(len(value) - LEAST + 1)}


@pytest.mark.parametrize(
    "command",
    [
        "cat", "fold -w 10", "fold -w 7", "tail -c 12", "head -c 13", "cut -c 5-20", "rev", "sed 's/./& /g'", "od -c",
        "hexdump -C", "xxd", "set -x; : \"$V\"", "set -x; : \"pw=$V\"", "printf %q \"$V\"", "declare -p V",
        "fold -w 9 | sed 's/^/  > /'", "iconv -t utf-16le", "fold -w 1",
    ],
)  # fmt: skip
def test_no_readable_piece_is_left(command: str) -> None:
    shown = knowing(VALUE).clean_output(output_of(command, VALUE))
    squeezed = "".join(char for char in shown if char not in " \n\0>|'\"")
    left = [one for one in pieces(VALUE) | pieces(VALUE[::-1]) if one in squeezed or one in shown]
    assert MASK in shown and not left, shown


@pytest.mark.parametrize(
    "command", ["base64 -w 20", "base64 -w 76", "od -An -v -tx1", "xxd -p -c 8", "xxd -i", "od -An -tu1", "base32 -w 9"]
)
def test_no_encoded_piece_is_left(command: str) -> None:
    output = output_of(command, VALUE)
    shown = knowing(VALUE).clean_output(output)
    assert MASK in shown and len(shown) < 40, shown


@pytest.mark.parametrize("command", ['set -x; : "$V"', 'printf %q "$V"', "declare -p V", "echo ${V@Q}", "fold -w 5"])
def test_what_a_shell_quotes(command: str) -> None:
    shown = knowing(QUOTED).clean_output(output_of(command, QUOTED))
    assert MASK in shown and "pass" not in shown and "word9" not in shown


def test_a_phrase_counts_as_a_whole_only() -> None:
    redactor = knowing("my-postgres-16-alpine-password")
    text = "image postgres-16-alpine is pulled, my-postgres is up"
    assert redactor.clean_output(text) == text
    assert redactor.clean_output("my-postgres-16-\nalpine-password") == MASK


def test_what_looks_random() -> None:
    assert all(map(looks_random, (VALUE, "9f86d081884c7d65", "ghp_16C7e42F292c6912E7", "kR8vQ2mZ")))
    assert not any(
        map(looks_random, ("hwlab-v03-production", "postgres16", "Deployment.apps", "sha256", "2026-11-30T11"))
    )


@pytest.mark.parametrize("text", ["pin 4711 ok", "pin=4711", "'4711'", "(4711)", "a:4711"])
def test_a_short_secret_that_stands_alone_in_an_output(text: str) -> None:
    redactor = knowing("4711", "true", "abc")
    assert redactor.clean_output(text) == text.replace("4711", MASK)
    assert redactor.clean_output(text.replace("4711", "x4711y true abc")) == text.replace("4711", "x4711y true abc")
    assert redactor.clean(text) == redactor.clean_foreign(text) == text, "elsewhere it is an ordinary word too often"


def test_public_names_are_left_also_when_published_late() -> None:
    redactor = knowing("hwlab-v03", "http://git-mirror.devops-infra.svc.cluster.local:8080/", "hwlab-v03-9Zk2Qw7X")
    assert MASK in redactor.clean("hwlab-v03")
    redactor.publish(["Deployment.apps/hwlab-v03/api", "Service/devops-infra/git-mirror"])
    for text in ("hwlab-v03", "http://git-mirror.devops-infra.svc.cluster.local:8080/ answers"):
        assert redactor.clean_output(text) == text
    assert redactor.clean_output("hwlab-v03-9Zk2Qw7X") == MASK


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("Bearer tok-9Zk2", "tok-9Zk2"),
        ("Basic Ym9iOmh1bnRlcjJhYmM=", "hunter2abc"),
        ("bob:hunter2abc", "hunter2abc"),
        ("Ym9iOmh1bnRlcjJhYmM=", "bob:hunter2abc"),
        ('{"auths":{"r":{"username":"bob","password":"hunter2abc"}}}', "hunter2abc"),
        ("USER=bob\nDB_PASSWORD='hunter2abc'\n", "hunter2abc"),
        ("postgres://bob:hunter2abc@db/x", "hunter2abc"),
    ],
)
def test_what_is_a_secret_inside_of_a_credential(secret: str, shown: str) -> None:
    assert knowing(secret).clean(f"<{shown}>") == f"<{MASK}>"


@pytest.mark.parametrize("run", [b"\0", b"\xaa", b"a", b"0", b"=", b"-", b"\xff"])
@pytest.mark.parametrize(
    "text", ["0" * 40, "sha256:" + "a" * 64, "A" * 40 + "==", "f" * 40, "-" * 40, "=" * 40, "0x00" * 12, "000" * 16]
)
def test_a_row_of_one_character_says_nothing_of_a_secret(run: bytes, text: str) -> None:
    """Keys hold rows of equal bytes; the null id of git, a digest of a test or a ruler is none of them."""
    redactor = Redactor()
    redactor.learn(b"kE7" + run * 40 + b"Zq9v")
    assert redactor.clean_foreign(text) == text
    assert redactor.clean_foreign((b"kE7" + run * 40 + b"Zq9v").hex()) == MASK
