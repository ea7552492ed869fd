"""Parts of PodExec without a cluster: which pod is meant, what of a log is shown, what a sandbox answers, the spec."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from planner.errors import PermanentError, TemporaryError
from planner.spec.kinds.pod_exec_restart_retention import PodExecSpec
from planner.text_safe import safe_text
from planner.values import JsonObject, SecretValue
from providers.cluster_interface import EndedCommand
from providers.kubernetes.operations.command_runners import read_canned_command_results
from providers.kubernetes.operations.newest_ready_pod_of_workload import newest_ready_pod_of_workload
from providers.kubernetes.operations.redacted_command_output import redacted_output_tail_lines

# --- which pod -----------------------------------------------------------------------------------------------------


def owned(name: str, owner: str, **metadata: Any) -> JsonObject:
    references = [{"uid": owner, "controller": True}]
    return {"metadata": {"name": name, "uid": f"u-{name}", "ownerReferences": references, **metadata}}


def pod(name: str, owner: str, made: int = 1, *, ready: bool = True, **metadata: Any) -> JsonObject:
    body = owned(name, owner, creationTimestamp=f"2026-01-01T00:00:{made:02}Z", **metadata)
    return {**body, "status": {"conditions": [{"type": "Ready", "status": str(ready)}]}}


def workload(kind: str, generation: int = 2, observed: int = 2, **status: Any) -> JsonObject:
    metadata = {
        "name": "w",
        "uid": "u-w",
        "generation": generation,
        "annotations": {"deployment.kubernetes.io/revision": "7"},
    }
    return {"kind": kind, "metadata": metadata, "status": {"observedGeneration": observed, **status}}


def replica_set(name: str, revision: str) -> JsonObject:
    return owned(name, "u-w", annotations={"deployment.kubernetes.io/revision": revision})


SETS = [replica_set("old", "6"), replica_set("new", "7"), owned("foreign", "u-x")]


def test_of_a_deployment_the_newest_ready_pod_of_the_current_revision() -> None:
    pods = [
        pod("a", "u-old", 9),
        pod("b", "u-new", 1),
        pod("c", "u-new", 3),
        pod("d", "u-new", 5, ready=False),
        pod("e", "u-new", 6, deletionTimestamp="2026-01-01T00:01:00Z"),
        pod("f", "u-foreign", 8),
    ]
    assert newest_ready_pod_of_workload(workload("Deployment"), pods, SETS)["metadata"]["name"] == "c"
    assert newest_ready_pod_of_workload(workload("Deployment"), pods[::-1], SETS[::-1])["metadata"]["name"] == "c"


def test_an_old_pod_never_stands_in_for_a_new_one() -> None:
    with pytest.raises(TemporaryError, match="none of its 1 pods of the current revision is ready"):
        newest_ready_pod_of_workload(workload("Deployment"), [pod("a", "u-old"), pod("b", "u-new", ready=False)], SETS)
    with pytest.raises(TemporaryError, match="not rolled out yet"):
        newest_ready_pod_of_workload(workload("Deployment", generation=3), [pod("b", "u-new")], SETS)


def test_of_sets_the_pods_of_their_own_revision() -> None:
    hashed = {"controller-revision-hash": "r2"}
    pods = [pod("a", "u-w", 9, labels={"controller-revision-hash": "r1"}), pod("b", "u-w", labels=hashed)]
    assert (
        newest_ready_pod_of_workload(workload("StatefulSet", updateRevision="r2"), pods, ())["metadata"]["name"] == "b"
    )
    revisions = [
        {**owned("x", "u-w", labels={"controller-revision-hash": "r1"}), "revision": 1},
        {**owned("y", "u-w", labels=hashed), "revision": 2},
        {**owned("z", "u-x", labels={"controller-revision-hash": "r1"}), "revision": 3},
    ]
    assert newest_ready_pod_of_workload(workload("DaemonSet"), pods, revisions)["metadata"]["name"] == "b"
    assert newest_ready_pod_of_workload(workload("ReplicaSet"), pods, ())["metadata"]["name"] == "a"
    with pytest.raises(TemporaryError):
        newest_ready_pod_of_workload(workload("StatefulSet"), pods, ())
    alone = {**pod("p", "u-w"), "kind": "Pod"}
    assert newest_ready_pod_of_workload(alone, [*pods, alone], ())["metadata"]["name"] == "p"


# --- the log -------------------------------------------------------------------------------------------------------

SECRET = b"tr0ub4dor&3 x\nsecond line of it"
VAULT = {"file:a#P": SecretValue(SECRET), "file:a#Q": SecretValue(b"abc"), "file:a#R": SecretValue(b"")}


def test_secrets_are_masked_in_every_form() -> None:
    quoted = b"tr0ub4dor%263%20x%0Asecond%20line%20of%20it"
    for form in (SECRET, b"tr0ub4dor&3 x", b"second line of it", base64.b64encode(SECRET), quoted):
        assert redacted_output_tail_lines(b"p=" + form + b";\n", VAULT) == ("p=(secret);",)
    assert redacted_output_tail_lines(b"abc", VAULT) == ("abc",), "three bytes are no secret that masking could hide"


def test_a_line_that_is_not_whole_is_left_out() -> None:
    output = b"r0ub4dor&3 x\nmiddle\ntr0ub4d"
    assert redacted_output_tail_lines(output, VAULT, cut_bytes=1, complete=False) == ("middle",)
    assert redacted_output_tail_lines(output, VAULT, cut_bytes=1) == ("middle", "tr0ub4d")
    assert (
        redacted_output_tail_lines(b"no line break at all", VAULT, cut_bytes=1)
        == redacted_output_tail_lines(b"begun", VAULT, complete=False)
        == ()
    )


def test_lines_are_few_short_and_obeyed_by_nobody() -> None:
    found = redacted_output_tail_lines(b"".join(b"%d\n" % number for number in range(1000)), {})
    assert found == tuple(str(number) for number in range(980, 1000))
    assert [len(line) for line in redacted_output_tail_lines(b"x" * 5000, {})] == [203]
    hostile = b"\x1b[2J\x1b]0;title\x07\x1b[31mred\x1b[0m\ta\rb\x00\xff\x9b31m\xe2\x80\xae\n\n\n::error::x"
    lines = redacted_output_tail_lines(hostile, {})
    assert lines[0] == "red a" and all(line.isprintable() for line in lines) and len(lines) == 3
    assert safe_text(lines[-1]) == "\\x3a:error::x"


# --- the answers of a sandbox --------------------------------------------------------------------------------------


def test_the_answers_of_a_sandbox(tmp_path: Path) -> None:
    file = tmp_path / "probes.yaml"
    assert read_canned_command_results(file) == {}
    file.write_text("probes: []\nexecs:\n- {command: [a, 1], exitCode: 3, output: no}\n- {command: [b]}\n")
    assert read_canned_command_results(file) == {("a", "1"): EndedCommand(3, b"no"), ("b",): EndedCommand(0)}
    for bad in ("execs: [{exitCode: 1}]", "execs: [{command: [a], exitCode: x}]", "execs: {", "[1]"):
        file.write_text(bad)
        with pytest.raises(PermanentError, match=r"cannot be read|is incomplete"):
            read_canned_command_results(file)


# --- the specification ---------------------------------------------------------------------------------------------

GOOD = {"target": "Deployment.apps/shop/api", "container": "api", "command": ["migrate"], "oncePer": "1"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": "Deployment/shop/api"},
        {"target": "Deployment.apps/api"},
        {"target": "Job.batch/shop/api"},
        {"command": []},
        {"command": ["a\x00b"]},
        {"command": [""]},
        {"oncePer": ""},
        {"oncePer": None},
        {"oncePerImage": True},
        {"timeout": "soon"},
        {"idempotent": "yes"},
    ],
)
def test_a_spec_that_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    PodExecSpec.model_validate(GOOD)
    with pytest.raises(ValidationError):
        PodExecSpec.model_validate(GOOD | wrong)
