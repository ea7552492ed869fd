"""The Job of a `GitRef` with `via: job`: its short description becomes the whole, rendered with a template.

The template of the configuration comes first (hwplan/git-ref/job.yaml.j2 below its templates), else the shipped one. It
sees what `spec.job` says and nothing else: what is planned is added by the provider when it applies.
"""

from __future__ import annotations

import json
from copy import deepcopy
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any, Final

from planner import duration
from planner.errors import ConfigError, Problem
from planner.kind_hook_types import DocumentContext, Report
from planner.loading.yaml.load_documents import TEMPLATE, load_documents
from planner.shipped_files import TEMPLATES
from planner.source_line_ref import SourceRef
from planner.values import JsonObject

TEMPLATE_PATH: Final = Path("hwplan/git-ref/job.yaml.j2")


def git_ref_with_job_template(document: JsonObject, context: DocumentContext, report: Report) -> JsonObject:
    """A checked GitRef, with `spec.jobTemplate` in place of `spec.job` if it describes a Job."""
    spec = document["spec"]
    if not isinstance(described := spec.get("job"), dict):
        return document
    own = context.templates / TEMPLATE_PATH if context.templates else None
    try:
        made = _rendered(own if own and own.is_file() else TEMPLATES / TEMPLATE_PATH, _described(described))
    except ConfigError as error:
        report(("spec", "job"), f"its template, {error.where}: {error.message}", error.remedy)
        return document
    made = deepcopy(made)  # the next document with the same Job gets its own
    retained = {key: value for key, value in spec.items() if key != "job"}
    return {**document, "spec": {**retained, "jobTemplate": made}}


def _described(job: JsonObject) -> str:
    """The description with its defaults, as JSON: times in seconds."""
    from planner.spec.kinds.git import GitRefPushJobSettings

    whole = GitRefPushJobSettings.model_validate(job).model_dump(mode="json", by_alias=True)
    seconds = {key: ceil(duration.parse_duration(whole[key])) for key in ("deadline", "keep")}
    return json.dumps(whole | seconds, sort_keys=True)


@lru_cache(maxsize=64)
def _rendered(path: Path, job: str) -> Any:
    """The one document that the template gives. Raises ConfigError."""
    from planner.jinja_templating import TemplateProblem, render_template

    name = f"templates/{TEMPLATE_PATH.as_posix()}"
    try:
        text = render_template(path, {"job": json.loads(job)})
    except TemplateProblem as error:
        raise ConfigError((Problem(SourceRef(name, error.line), error.message, error.remedy),)) from None
    documents = [document.value for document in load_documents(text.encode(), name, TEMPLATE)]
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise ConfigError((Problem(SourceRef(name), "not one document", "give one jobTemplate, as a CronJob has it"),))
    return documents[0]
