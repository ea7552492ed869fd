"""Secrets on their way in and out: nothing but fingerprints gets past `seal`."""

from __future__ import annotations

import base64
import json

import pytest

from planner.errors import PreconditionError
from planner.values import JsonObject, SealedSecret, SecretValue, encode_special_leaves
from providers.kubernetes.secret_values_as_fingerprints import (
    document_with_secret_fingerprints,
    mask_unknown_secret_values,
    reveal_secrets_in_document,
    seal_live_document,
    seal_prediction,
    secret_stand_ins_as_text,
    secret_stand_ins_for_dry_run,
    with_secret_stand_ins,
)
from tests.unit.kubernetes.world import PRINTS, config, sealed, secret

CANARY = b"planted-canary-91c2"


def live(value: bytes = CANARY) -> JsonObject:
    document = secret("s", {})
    encoded = base64.b64encode(value).decode()
    document["data"] = {"P": encoded}
    document["stringData"] = {"Q": value.decode()}
    document["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": {"P": encoded}}),
        "kapp.k14s.io/original": json.dumps({"data": {"P": encoded}}),
        "retained": "yes",
    }
    return document


def test_nothing_of_a_value_is_left_after_sealing() -> None:
    text = json.dumps(encode_special_leaves(seal_live_document(live(), PRINTS)))
    assert CANARY.decode() not in text and base64.b64encode(CANARY).decode()[:12] not in text
    assert "yes" in text


def test_a_value_has_one_fingerprint_wherever_it_comes_from() -> None:
    document = seal_live_document(live(), PRINTS)
    mark = PRINTS.fingerprint(CANARY)
    assert document["data"]["P"].fingerprint == document["stringData"]["Q"].fingerprint == mark
    saved = document_with_secret_fingerprints(live(), PRINTS)
    assert saved["data"]["P"] == mark
    assert seal_live_document(saved, PRINTS)["data"]["P"].fingerprint == mark
    assert seal_prediction(with_secret_stand_ins(document), PRINTS)["data"]["P"].fingerprint == mark
    assert secret_stand_ins_as_text(with_secret_stand_ins(document))["data"]["P"] == mark


def test_a_live_value_cannot_pass_itself_off_as_another_by_reading_like_its_fingerprint() -> None:
    mark = PRINTS.fingerprint(b"declared")
    forged = seal_live_document(live(mark.encode()), PRINTS)["data"]["P"].fingerprint
    assert forged == PRINTS.fingerprint(mark.encode()) != mark


def test_an_annotation_that_repeats_a_value_is_sealed_with_it() -> None:
    for text in (CANARY.decode(), f"x {base64.b64encode(CANARY).decode()} y"):
        document = live()
        document["metadata"]["annotations"] = {"note": text, "other": "retained"}
        annotations = seal_live_document(document, PRINTS)["metadata"]["annotations"]
        assert isinstance(annotations["note"], SealedSecret) and annotations["other"] == "retained"


def test_sealing_twice_is_sealing_once() -> None:
    once = seal_live_document(live(), PRINTS)
    assert seal_live_document(once, PRINTS) == once


@pytest.mark.parametrize("value", ["not base64!", "", "====", "hmac-sha256:short"])
def test_data_that_is_no_base64_is_sealed_too(value: str) -> None:
    document = secret("s", {})
    document["data"] = {"P": value}
    sealed_value = seal_live_document(document, PRINTS)["data"]["P"]
    assert isinstance(sealed_value, SealedSecret) and sealed_value.fingerprint != value


def test_other_kinds_are_not_even_copied() -> None:
    document = config("c", {"P": "plain"})
    assert seal_live_document(document, PRINTS) is document
    assert with_secret_stand_ins(document) is document
    assert reveal_secrets_in_document(document, None, lambda _: SecretValue(b""), PRINTS) is document


def test_a_value_is_revealed_only_if_it_is_the_planned_one() -> None:
    desired = secret("s", {"P": sealed("file:x", "planned")})
    body = reveal_secrets_in_document(desired, None, lambda _: SecretValue(b"planned"), PRINTS)
    assert base64.b64decode(body["data"]["P"]) == b"planned"
    with pytest.raises(PreconditionError) as caught:
        reveal_secrets_in_document(desired, None, lambda _: SecretValue(CANARY), PRINTS)
    assert CANARY.decode() not in str(caught.value)


def test_generated_values_have_the_length_asked_for_and_are_kept() -> None:
    desired = secret("s", {"P": SealedSecret("generate:40", "")})
    made = [
        reveal_secrets_in_document(desired, None, lambda _: SecretValue(b""), PRINTS)["data"]["P"] for _ in range(2)
    ]
    assert made[0] != made[1]
    assert {len(base64.b64decode(text)) for text in made} == {40}
    raw = {**desired, "data": {"P": made[0]}}
    assert reveal_secrets_in_document(desired, raw, lambda _: SecretValue(b""), PRINTS)["data"]["P"] == made[0]


@pytest.mark.parametrize(
    ("record", "retained"),
    [("", True), ("P=2", True), ("Q=1,P=2", True), ("P=1", False), ("Q=2", True), ("P=3", False)],
)
def test_a_value_is_made_anew_only_where_the_object_records_another_rotation(record: str, retained: bool) -> None:
    desired = secret("s", {"P": SealedSecret("generate:40/2", "")})
    raw = secret("s", {})
    raw["data"] = {"P": base64.b64encode(b"made before").decode()}
    raw["metadata"]["annotations"] = {"hwplan.dev/generated": record}
    body = reveal_secrets_in_document(desired, raw, lambda _: SecretValue(b""), PRINTS)
    assert (body["data"]["P"] == raw["data"]["P"]) is retained
    alive = seal_live_document(raw, PRINTS)
    assert (with_secret_stand_ins(desired, alive)["data"] == with_secret_stand_ins(alive)["data"]) is retained


def test_stand_ins_of_what_is_not_known_read_the_same() -> None:
    desired = secret("s", {"P": SealedSecret("generate:40", ""), "Q": sealed("file:x", "q")})
    alive = seal_live_document({**desired, "data": {"P": "cDE=", "Q": "cQ=="}}, PRINTS)
    before, after = with_secret_stand_ins(desired), with_secret_stand_ins(alive)
    assert before["data"]["Q"] == after["data"]["Q"]
    assert before["data"]["P"] != after["data"]["P"]
    assert mask_unknown_secret_values(before, desired)["data"] == mask_unknown_secret_values(after, desired)["data"]
    assert with_secret_stand_ins(desired, alive)["data"] == after["data"]


def test_pull_secrets_are_dry_run_with_valid_json() -> None:
    document = secret_stand_ins_for_dry_run(
        with_secret_stand_ins(secret("s", {".dockerconfigjson": sealed("file:x", "{}")}))
    )
    assert json.loads(base64.b64decode(document["data"][".dockerconfigjson"])) == {"auths": {}}
