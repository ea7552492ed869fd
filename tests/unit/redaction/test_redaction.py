"""The redactor: what it finds, what it leaves alone so that output stays readable, and what it costs."""

from __future__ import annotations

import base64
import json
import threading
import time

import pytest

from planner.redaction.redactor import MASK, Redactor
from tests.canaries.canary import canary, encodings, leaks

VALUE = canary("unit")


def knowing(*values: str | bytes) -> Redactor:
    redactor = Redactor()
    for value in values:
        redactor.learn(value.encode() if isinstance(value, str) else value)
    return redactor


@pytest.mark.parametrize("form", [name for name in encodings(b"x") if name not in ("reversed", "bytes", "utf-16")])
def test_every_form_of_a_value_is_masked(form: str) -> None:
    reported = knowing(VALUE).clean(f'before "{encodings(VALUE.encode())[form]}" after')
    assert MASK in reported and not leaks(reported.encode())
    assert reported.startswith('before "') and reported.endswith('" after')


@pytest.mark.parametrize(
    "value",
    ["with \"quotes\" and 'single'", "two\nlines\tof\x1b text", "ümläut ☃ über", "a%20b&<c>='d'", "b" * 9 + "\0cde"],
)
def test_escapes_that_a_value_needs(value: str) -> None:
    forms = [value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]]
    for form in (*forms, json.dumps(json.dumps({"a": value}))):
        reported = knowing(value).clean(f"<{form}>")
        assert MASK in reported and value[:9] not in reported, form


@pytest.mark.parametrize("value", ["", "a", "true", "1234", "postgres", "localhost", "production", "8443", "127.0.0.1"])
def test_ordinary_words_are_left_in_the_text(value: str) -> None:
    text = f"{value} {base64.b64encode(value.encode()).decode()} true a postgres"
    assert knowing(value).clean(text) == text


def test_a_public_name_is_no_secret() -> None:
    redactor = knowing("hwlab-v03", "hwlab-v03-password")
    redactor.publish(["Deployment.apps/hwlab-v03/cloud-api"])
    assert redactor.clean("Secret/hwlab-v03/x: hwlab-v03-password") == f"Secret/hwlab-v03/x: {MASK}"


def test_parts_of_a_value_that_are_secrets_on_their_own() -> None:
    key = canary("key")
    redactor = knowing(
        f"postgres://user:{VALUE}@db/x", f"-----BEGIN KEY-----\n{key}\n-----END KEY-----\n", f"  {canary('blank')}\n"
    )
    assert (
        redactor.clean(f"password {VALUE}, line {key}, {canary('blank')}.") == f"password {MASK}, line {MASK}, {MASK}."
    )
    assert redactor.clean("-----BEGIN KEY-----") == "-----BEGIN KEY-----"


def test_a_text_that_breaks_off_in_a_value() -> None:
    long = VALUE + canary("tail")
    assert knowing(long).clean(f"x {long[:60]}") == f"x {MASK}"
    assert knowing(long).clean(f"x {long[:20]}… y") == f"x {MASK}… y"
    assert knowing(long).clean(f"x {long[:20]} y") == f"x {long[:20]} y", "too little to say"


def test_json_stays_json() -> None:
    """A value that begins with a letter of an escape does not cut the escape in two."""
    text = json.dumps({"a": "\nbcdefgh-1234", "b": VALUE})
    reported = json.loads(knowing("nbcdefgh-1234", VALUE).clean(text))
    assert reported["b"] == MASK


def test_values_learned_while_others_read() -> None:
    redactor = Redactor()
    values = [canary(str(n)) for n in range(200)]
    seen: list[str] = []

    def look(value: str) -> None:
        redactor.learn(value.encode())
        seen.append(redactor.clean(value))

    threads = [threading.Thread(target=look, args=(value,)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [MASK] * len(values)


@pytest.mark.parametrize(
    "value", [b"x" * (1 << 20), b"x1" * (1 << 19), b"a1 " * 300_000, b"\xff\x00" * 500_000, b"://@" * 200_000]
)
def test_large_values_cost_little(value: bytes) -> None:
    """A value as large as a Secret may be: seconds would be felt, and a square of its length is minutes."""
    began = time.process_time()
    redactor = knowing(value, VALUE)
    assert redactor.clean(f"{VALUE} and " + "lorem ipsum " * 10_000).startswith(f"{MASK} and lorem")
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "shown",
    [
        "a\\/b_c+d=e&f9!x2",  # JSON of PHP
        "a%2fb%5fc%2bd%3de%26f9%21x2",
        "a%2Fb%5Fc%2Bd%3De%26f9%21x2",
        "a&#47;b&#95;c&#43;d&#61;e&#38;f9&#33;x2",
        "a&#x2f;b&#x5f;c&#x2b;d&#x3d;e&#x26;f9&#x21;x2",
        "a/b_c+d=3De&f9!x2",  # quoted-printable
    ],
)
def test_forms_in_which_only_some_characters_are_escaped(shown: str) -> None:
    redactor = Redactor()
    redactor.learn(b"a/b_c+d=e&f9!x2")
    assert redactor.clean(f"answer: {shown}.") == "answer: (secret)."
