"""The Job of a GitRef is rendered when it is loaded: with the shipped template, or with the configuration's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planner.kind_hook_types import DocumentContext
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.git_push_job import TEMPLATE_PATH, git_ref_with_job_template
from planner.loading.hwplan_kind_check import apply_load_hooks
from planner.loading.problems import Problems

JOB = {"image": "registry.example/git:1", "deadline": "90s", "keep": "1h"}


def loaded(templates: Path | None = None, **job: Any) -> tuple[Any, list[str]]:
    spec = {"via": "job", "mode": "mirror", "job": {**JOB, **job}}
    document = {"apiVersion": "hwplan.dev/v1", "kind": "GitRef", "metadata": {"name": "a"}, "spec": spec}
    problems: list[str] = []
    context = DocumentContext(templates=templates)
    made = git_ref_with_job_template(
        document, context, lambda path, message, remedy: problems.append(f"{message} | {remedy}")
    )
    return made["spec"], problems


def own(folder: Path, text: str) -> Path:
    path = folder / TEMPLATE_PATH
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return folder


def test_the_shipped_template() -> None:
    spec, problems = loaded(serviceAccount="git", sshSecret="key")
    job = spec["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    assert not problems and "job" not in spec
    assert (job["activeDeadlineSeconds"], job["ttlSecondsAfterFinished"], job["backoffLimit"]) == (90, 3600, 0)
    assert (pod["serviceAccountName"], pod["containers"][0]["image"]) == ("git", JOB["image"])
    assert [volume["name"] for volume in pod["volumes"]] == ["work", "ssh"]
    assert [volume["name"] for volume in loaded()[0]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]] == ["work"]
    first = loaded()[0]
    assert first == loaded()[0]
    first["jobTemplate"]["spec"].clear()
    assert first != loaded()[0], "each document has its own"


def test_the_configurations_own_template_comes_first(tmp_path: Path) -> None:
    text = "spec: {template: {spec: {containers: [{name: push, image: {{ job.image | json }}}]}}}\n"
    spec, problems = loaded(own(tmp_path, text))
    assert spec["jobTemplate"]["spec"] == {
        "template": {"spec": {"containers": [{"name": "push", "image": JOB["image"]}]}}
    }
    assert not problems
    assert loaded(tmp_path / "empty")[0] == loaded()[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spec: {{ job.nothing }}\n", 'no "nothing" here'),
        ("a: 1\n---\nb: 2\n", "not one document"),
        ("[]\n", "not one document"),
        ("a: [\n", "git-ref/job.yaml.j2"),
    ],
)
def test_a_template_that_is_broken_is_a_problem(text: str, said: str, tmp_path: Path) -> None:
    spec, problems = loaded(own(tmp_path, text))
    assert "jobTemplate" not in spec and said in problems[0] and "templates/hwplan/git-ref/job.yaml.j2" in problems[0]


def test_other_documents_stay_as_they_are() -> None:
    problems = Problems()
    ref = {"apiVersion": "hwplan.dev/v1", "kind": "GitRef", "spec": {"mode": "mirror"}}
    documents: list[Any] = [{"apiVersion": "v1", "kind": "ConfigMap"}, ref, [], None]
    for document in documents:
        origin = DocumentOrigin(DocumentText("t.yaml", ""), 0, 1)
        assert apply_load_hooks(document, DocumentContext(), origin, problems) is document
