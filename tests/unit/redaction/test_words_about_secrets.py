"""What a server or a webhook says about a Secret is not shown, whatever it says: it has seen the values."""

from __future__ import annotations

import json

import pytest

from providers.kubernetes.client.answer_errors import classify_answer

WORDS = "the value is hunter-two"
REFUSALS = {
    "webhook": (403, f'admission webhook "w.test" denied the request: {WORDS}'),
    "webhook, bad request": (400, f'admission webhook "w.test" denied the request: {WORDS}'),
    "policy": (422, f"ValidatingAdmissionPolicy 'p' with binding 'b' denied request: {WORDS}"),
    "forbidden": (403, f'x "s" is forbidden: {WORDS}'),
    "bad request": (400, WORDS),
    "invalid": (422, f'Invalid value: "x": {WORDS}'),
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize(
    ("where", "kind"), [("Secret/ns/s", ""), ("", "secrets"), ("", "Secret"), ("ConfigMap/ns/s", "configmaps")]
)
def test_words_about_a_secret(name: str, where: str, kind: str) -> None:
    code, message = REFUSALS[name]
    causes = [{"reason": "FieldValueInvalid", "message": message, "field": "data"}]
    body = {"kind": "Status", "message": message, "code": code, "details": {"kind": kind, "causes": causes}}
    error = classify_answer(code, "application/json", json.dumps(body).encode(), where=where)
    reported = f"{error.message} {error.remedy} {vars(error)}"
    assert ("hunter-two" in reported) == (where.startswith("ConfigMap")), reported
