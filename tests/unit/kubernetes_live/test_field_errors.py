"""The reason of a refused field is passed on and its value is not, whatever the value's form; a webhook's cause too."""

from __future__ import annotations

import json

import pytest

from providers.kubernetes.client.answer_errors import classify_answer
from providers.kubernetes.client.safe_field_error_text import field_error_detail_without_value
from providers.kubernetes.errors import Invalid, WebhookDown

MAP = '{"matchLabels":{"app":"hunter2"},"matchExpressions":[{"key":"a: b","values":["}: x"]}]}'
GO = 'v1.LabelSelector{MatchLabels:map[string]string{"app":"hunter2"}, MatchExpressions:[]v1.Req(nil)}'


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        (f"Invalid value: {MAP}: `selector` does not match template `labels`",
         "`selector` does not match template `labels`"),
        (f"Invalid value: {GO}: minAvailable and maxUnavailable cannot be both set",
         "minAvailable and maxUnavailable cannot be both set"),
        ('Invalid value: ["hunter2",{"a":1}]: must be one of a, b', "must be one of a, b"),
        ('Invalid value: []string{"hunter2"}: may not be empty', "may not be empty"),
        ('Invalid value: "hunter2": spec.x in body should match \'^[a-z]{2,3}$\'',
         "spec.x in body should match '^[a-z]{2,3}$'"),
        ('Unsupported value: "hunter2": supported values: "a", "b"', 'supported values: "a", "b"'),
        ("Invalid value: -1: must be greater than or equal to 0", "must be greater than or equal to 0"),
        ("Invalid value: 5m0s: must be at least 10m", "must be at least 10m"),
        ("Too many: 17: must have at most 16 items", "must have at most 16 items"),
        ("Too long: may not be more than 63 bytes", "may not be more than 63 bytes"),
        ("Required value: must specify a volume type", "must specify a volume type"),
        ("Required value", ""),
        ('Duplicate value: {"containerPort":80}', ""),
        ('Not found: "hunter2"', ""),
        ("Forbidden: pod updates may not change fields other than `spec.tolerations`\n  core.PodSpec{ a: hunter2",
         "pod updates may not change fields other than `spec.tolerations`"),
        ('Invalid value: {"a":"hunter2": not closed', ""),
        ('Invalid value: hunter2 and more: words', ""),
        ('Invalid value: "hunter2": expected integer, got hunter2', "expected integer"),
        ('Invalid value: "hunter2": "hunter2" is not a name', '"…" is not a name'),
        ("something else: hunter2", ""),
    ],
)  # fmt: skip
def test_the_detail_without_the_value(message: str, detail: str) -> None:
    assert field_error_detail_without_value(message) == detail


def refused(kind: str, message: str) -> Invalid:
    causes = [{"reason": "FieldValueInvalid", "field": "spec.selector", "message": message}]
    body = {"kind": "Status", "reason": "Invalid", "details": {"kind": kind, "causes": causes}}
    error = classify_answer(422, "application/json", json.dumps(body).encode(), where=f"{kind}/demo/a")
    assert isinstance(error, Invalid)
    return error


def test_a_refused_map_keeps_the_reason() -> None:
    error = refused("Deployment", f"Invalid value: {MAP}: `selector` does not match template `labels`")
    assert error.message == "spec.selector: `selector` does not match template `labels`"


def test_words_about_a_secret_are_those_of_the_validation_alone() -> None:
    assert refused("Secret", 'Invalid value: {"a":"b"}: hunter2 is what stands there').message.endswith("invalid value")
    assert "a valid label must be" in refused("Secret", 'Invalid value: "a b": a valid label must be short').message


CALL = 'Internal error occurred: failed calling webhook "v.example.org": failed to call webhook: '
POST = 'Post "https://v.demo.svc:443/check?timeout=10s&token=hunter2": '


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (POST + 'service "v" not found', "its Service v does not exist"),
        (POST + 'no endpoints available for service "v"', "its Service v has no ready pod"),
        (POST + "tls: failed to verify certificate: x509: certificate signed by unknown authority",
         "its certificate is refused: certificate signed by unknown authority"),
        (POST + "x509: certificate has expired or is not yet valid: current time 2026 is after 2025",
         "its certificate is refused: certificate has expired or is not yet valid: current time 2026 is after 2025"),
        (POST + "dial tcp 10.0.0.1:443: connect: connection refused", "the connection was refused"),
        (POST + "dial tcp: lookup v.demo.svc: no such host", "its host name cannot be resolved"),
        (POST + "context deadline exceeded", "it timed out"),
        (POST + "net/http: request canceled (Client.Timeout exceeded while awaiting headers)", "it timed out"),
        (POST + "dial tcp 10.0.0.1:443: i/o timeout", "it timed out"),
        (POST + "EOF", "it closed the connection"),
        (POST + "http: server gave HTTP response to HTTPS client", "the TLS handshake failed"),
        ("the server could not find the requested resource", "its server knows no such path (404)"),
        ('an error on the server ("hunter2") has prevented the request from succeeding',
         "its server answered with an error"),
        ("something unheard of hunter2", "it does not answer"),
    ],
)  # fmt: skip
def test_a_webhook_that_fails_keeps_its_cause(words: str, reported: str) -> None:
    body = {"kind": "Status", "message": CALL + words, "reason": "InternalError", "code": 500}
    error = classify_answer(500, "application/json", json.dumps(body).encode(), where="Pod/demo/a")
    assert isinstance(error, WebhookDown)
    assert error.message == f'webhook "v.example.org" failed: {reported}'
    assert error.remedy and "hunter2" not in error.message + error.remedy
