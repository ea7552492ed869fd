"""Every refusal that was recorded from a real API server is distinguished, and none of its values gets out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.errors import PermanentError, PreconditionError, ProviderError, TemporaryError
from providers.kubernetes import errors
from providers.kubernetes.client.answer_errors import classify_answer
from providers.kubernetes.errors import ApplyConflict, FieldConflict, Invalid, InvalidField

RECORDED = json.loads((Path(__file__).parent / "answers.json").read_text())
STATUS = "application/json"

CONFIG_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name', or 'KEY_NAME', or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
MEANING = {
    "already-exists": "AlreadyExists",
    "anonymous": "Unauthorized",
    "bad-continue": "BadRequest",
    "body-managed-fields": "BadRequest",
    "body-namespace": "BadRequest",
    "body-not-json": "BadRequest",
    "cel-immutable": "Invalid immutable",
    "conflict": "ApplyConflict",
    "conflict-item": "ApplyConflict",
    "conflicts": "ApplyConflict",
    "conversion-down": "WebhookDown",
    "conversion-down-patch": "WebhookDown",
    "crd-invalid": "Invalid",
    "crd-required": "Invalid",
    "crd-unknown-field": "Invalid",
    "crd-wrong-type": "Invalid",
    "delete-rv": "ResourceVersionConflict",
    "delete-uid": "UidMismatch",
    "forbidden-list": "Forbidden",
    "forbidden-list-cluster": "Forbidden",
    "forbidden-patch": "Forbidden",
    "future-rv": "ServerBusy",
    "immutable-claim": "Invalid immutable",
    "immutable-cluster-ip": "Invalid immutable",
    "immutable-configmap": "Invalid immutable",
    "immutable-job": "Invalid immutable",
    "immutable-role-ref": "Invalid immutable",
    "immutable-selector": "Invalid immutable",
    "immutable-statefulset": "Invalid immutable",
    "immutable-storage-class": "Invalid immutable",
    "invalid-many": "Invalid",
    "json-patch-rv": "ResourceVersionConflict",
    "json-patch-test": "Invalid",
    "method": "BadRequest",
    "name-invalid": "Invalid",
    "namespace-missing": "NamespaceMissing",
    "namespace-missing-dry": "NamespaceMissing",
    "namespace-terminating": "NamespaceTerminating",
    "no-field-manager": "Invalid",
    "not-found": "NotFound",
    "not-found-namespace": "NotFound",
    "not-served": "NotServed",
    "not-served-core": "NotServed",
    "not-served-group-kind": "NotServed",
    "pod-security": "Forbidden",
    "policy": "AdmissionDenied",
    "post-duplicate-field": "BadRequest",
    "quantity": "Invalid",
    "quota": "Forbidden",
    "secret-base64": "Invalid",
    "secret-key": "Invalid",
    "secret-type": "Invalid immutable",
    "stale-resource-version": "ResourceVersionConflict",
    "too-large-data": "Invalid",
    "too-large-request": "TooLarge",
    "too-many-requests": "ServerBusy",
    "typed-duplicate-port": "Invalid",
    "typed-secret": "Invalid",
    "typed-several": "Invalid",
    "typed-unknown-field": "Invalid",
    "typed-wrong-type": "Invalid",
    "uid-and-rv-mismatch": "ResourceVersionConflict",
    "uid-and-rv-missing": "UidMismatch",
    "uid-mismatch": "UidMismatch",
    "uid-missing": "UidMismatch",
    "unauthorized": "Unauthorized",
    "webhook-denied": "AdmissionDenied",
    "webhook-down": "WebhookDown",
}


def answer(name: str) -> ProviderError:
    recorded = RECORDED[name]
    return classify_answer(
        recorded["status"],
        recorded["contentType"],
        recorded["body"].encode(),
        where=recorded["where"],
        retry_after=recorded["retryAfter"],
    )


def status(code: int, message: str = "", reason: str = "", **details: object) -> ProviderError:
    body = {"kind": "Status", "message": message, "reason": reason, "details": details, "code": code}
    return classify_answer(code, STATUS, json.dumps(body).encode(), where="ConfigMap/demo/a")


def test_every_recorded_answer_has_a_meaning() -> None:
    assert set(MEANING) == set(RECORDED)


@pytest.mark.parametrize("name", sorted(MEANING))
def test_meaning(name: str) -> None:
    error = answer(name)
    expected, _, immutable = MEANING[name].partition(" ")
    assert type(error) is getattr(errors, expected)
    assert isinstance(error, TemporaryError) == (expected in ("ServerBusy", "WebhookDown", "NamespaceTerminating"))
    if isinstance(error, Invalid):
        assert error.immutable == (immutable == "immutable")
    assert error.where == RECORDED[name]["where"]


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_no_value_gets_out(name: str) -> None:
    error = answer(name)
    reported = repr(vars(error)) + str(error) + repr(error.args)
    for value in ("hunter2", "12345", "Bad_Name:", "aHVudGVyMg", "maybe"):
        assert value not in reported.replace("/Bad_Name", "")


def test_conflicts_name_field_and_manager() -> None:
    error = answer("conflicts")
    assert isinstance(error, ApplyConflict)
    assert error.causes == (
        FieldConflict("data.a", "editor", 'conflict with "editor"'),
        FieldConflict("data.b", "editor", 'conflict with "editor"'),
        FieldConflict(
            "metadata.annotations[example.com/owner]", "kubectl-edit", 'conflict with "kubectl-edit" using v1'
        ),
    )
    assert error.message == (
        "3 fields managed by editor, kubectl-edit: data.a, data.b, metadata.annotations[example.com/owner]"
    )


def test_conflict_inside_a_keyed_list() -> None:
    error = answer("conflict-item")
    assert isinstance(error, ApplyConflict)
    assert error.causes[0].path == "spec.template.spec.containers[name=c].image"


@pytest.mark.parametrize(
    ("name", "causes"),
    [
        ("typed-unknown-field", (InvalidField("spec.replicaz", "SchemaMismatch", "field not declared in schema"),)),
        ("typed-secret", (InvalidField("data.p", "SchemaMismatch", "expected string"),)),
        (
            "typed-duplicate-port",
            (
                InvalidField(
                    "spec.template.spec.containers[name=c].ports",
                    "SchemaMismatch",
                    'duplicate entries for key [containerPort=80,protocol="TCP"]',
                ),
            ),
        ),
        ("immutable-job", (InvalidField("spec.template", "FieldValueInvalid", "field is immutable", immutable=True),)),
        ("crd-required", (InvalidField("spec.size", "FieldValueRequired", "required"),)),
        ("secret-key", (InvalidField("data[a b]", "FieldValueInvalid", CONFIG_KEY),)),
        ("secret-base64", (InvalidField("", "Unconvertible", "illegal base64 data at input byte 3"),)),
    ],
)
def test_causes(name: str, causes: tuple[InvalidField, ...]) -> None:
    error = answer(name)
    assert isinstance(error, Invalid)
    assert error.causes == causes


def test_one_changeable_field_among_immutable_ones_is_no_case_for_a_replace() -> None:
    causes = [
        {
            "reason": "FieldValueInvalid",
            "field": "spec.selector",
            "message": 'Invalid value: {"a":"b"}: field is immutable',
        },
        {"reason": "FieldValueInvalid", "field": "spec.replicas", "message": "Invalid value: -1: must be positive"},
    ]
    error = status(422, "", "Invalid", causes=causes)
    assert isinstance(error, Invalid) and not error.immutable and not error.remedy


@pytest.mark.parametrize(
    ("code", "content_type", "body", "expected"),
    [
        (502, "text/html", b"<html>bad gateway</html>", errors.ServerBusy),
        (503, "", b"", errors.ServerBusy),
        (504, "text/plain", b"x", errors.ServerBusy),
        (500, "text/html", b"<html>", errors.UnrecognizedServerAnswer),
        (500, STATUS, b"{not json", errors.UnrecognizedServerAnswer),
        (500, STATUS, b"[1]", errors.UnrecognizedServerAnswer),
        (418, STATUS, b"{}", errors.UnrecognizedServerAnswer),
        (302, "text/html", b"", errors.UnrecognizedServerAnswer),
        (410, STATUS, b"{}", errors.ContinueExpired),
        (404, "text/html", b"<html>", errors.NotServed),
        (409, STATUS, b'{"kind":"Status","details":[1]}', errors.ResourceVersionConflict),
        (422, STATUS, b'{"kind":"Status","details":{"causes":[1,{"message":{}}]}}', errors.Invalid),
    ],
)
def test_answers_of_no_api_server(code: int, content_type: str, body: bytes, expected: type[ProviderError]) -> None:
    assert type(classify_answer(code, content_type, body)) is expected


@pytest.mark.parametrize(
    "message",
    [
        "etcdserver: request timed out",
        "etcdserver: leader changed",
        "rpc error: code = Unavailable desc = error reading from server: EOF",
        "Internal error occurred: resource quota evaluation timed out",
    ],
)
def test_storage_in_trouble_is_temporary(message: str) -> None:
    assert isinstance(status(500, message), TemporaryError)


def test_an_unknown_500_is_permanent() -> None:
    assert isinstance(status(500, "something new with hunter2 in it"), PermanentError)
    assert "hunter2" not in str(status(500, "something new with hunter2 in it"))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("1", 1.0), ("0", 0.0), ("-5", 0.0), ("soon", 0.0), ("²", 0.0), ("99999999999999", 3600.0), (None, 7.0)],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    body = json.dumps({"kind": "Status", "details": {"retryAfterSeconds": 7}} if header is None else {}).encode()
    error = classify_answer(429, STATUS, body, retry_after=header)
    assert isinstance(error, TemporaryError) and error.retry_after == seconds


def test_preconditions_are_preconditions() -> None:
    for name in ("stale-resource-version", "uid-mismatch", "uid-missing", "delete-uid", "already-exists"):
        assert isinstance(answer(name), PreconditionError)


def test_long_quotes_are_cut_and_short_ones_stay() -> None:
    long = "x" * 70
    error = status(403, f'pods "p" is forbidden: a "b" c "{long}" d "e"', "Forbidden")
    assert error.message == 'forbidden: a "b" c "…" d "e"'
