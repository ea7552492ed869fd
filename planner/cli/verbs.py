"""The table of verbs: module, function and one line of help, so that `--help` imports none of them."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """Where a verb lives and what it does, in a line."""

    module: str
    function: str
    help: str


VERBS: dict[str, Verb] = {
    "init": Verb("init", "init", "Write a starter product that plans in a sandbox at once."),
    "import": Verb(
        "import_product",
        "import_live_objects_as_product",
        "Write a product of what already lives, adopted without a change.",
    ),
    "validate": Verb("validate", "validate", "Check configuration and templates; no network."),
    "plan": Verb("plan", "plan", "Show what would change, field by field, and why."),
    "apply": Verb("apply", "apply", "Apply a plan; without --confirm it is only shown."),
    "approve": Verb("approve", "approve", "Record who approves a plan, by its id, and until when."),
    "destroy": Verb("destroy", "destroy", "Delete everything of an owned set, in reverse order."),
    "undo": Verb("undo", "undo_run", "Plan the reverse of a run."),
    "drift": Verb("drift", "drift", "Show what changed since the last apply, and who changed it."),
    "fleet": Verb("fleet", "fleet", "Every lane on every node: plan and drift of each as a matrix; also as a Job."),
    "trigger": Verb("trigger", "trigger", "Roll a lane out: run, promotion, sync and gate as one plan."),
    "prs": Verb("prs", "prs", "The pull requests of a lane: merge what is ready, verify, roll out, report."),
    "status": Verb("status", "status", "Where a lane stands, from its commit to its public answer."),
    "restart": Verb(
        "restart_and_refresh", "restart_workloads", "Replace the pods of a lane's workloads, and wait for the rollout."
    ),
    "refresh": Verb(
        "restart_and_refresh", "refresh_argo_applications", "Have Argo CD refresh a lane; nothing else is changed."
    ),
    "cleanup": Verb("cleanup", "cleanup", "Delete finished runs and released volumes, by the lane's retention."),
    "record-rollout": Verb("rollout_brief", "append_rollout_to_brief", "Add a rollout to the brief of its lane, once."),
    "verify": Verb(
        "verify_closeout_record", "verify_closeout_record", "Check a closeout record against git, registry and cluster."
    ),
    "sync": Verb("argo_sync", "sync_argo_applications", "Repair what keeps Argo CD from converging, then sync."),
    "hold": Verb("hold", "hold", "Keep a lane at a commit: set, release, show."),
    "job": Verb("job", "job", "Detached commands: list, status, logs, cancel."),
    "mirror": Verb("git_mirror", "git_mirror", "The refs of the git mirror: status, sync, flush."),
    "image": Verb("image", "image", "The images of the node's registry: status, preload, build, logs."),
    "secret": Verb("secret", "secret", "Secrets by source and fingerprint: status, ensure, delete."),
    "observe": Verb("observe", "observe", "Metrics: queries, targets, boundary, closeout, traffic of the proxy."),
    "benchmark": Verb(
        "benchmark", "benchmark_ci_build", "A full build of a lane without cache, measured: one run, status, logs."
    ),
    "graph": Verb("graph", "graph", "Show the resource graph: text, mermaid, dot, svg or json."),
    "why": Verb("graph", "why", "Explain why a resource stands where it stands."),
    "impact": Verb("graph", "impact", "Show what a change of a resource would reach: readers, restarts, runs."),
    "show": Verb("show_plan_file", "show_plan_file", "Render a saved plan in any format."),
    "explain": Verb("explain_and_schema", "explain", "Document a resource kind or a field of it."),
    "schema": Verb("explain_and_schema", "schema", "Write the JSON Schemas of configuration and kinds."),
    "sandbox": Verb("sandbox", "sandbox", "Create and change a simulated cluster in a folder."),
    "snapshot": Verb("snapshot", "snapshot", "Save a live cluster for plans without credentials."),
    "state": Verb("state", "state", "What was applied, when, by whom; unlock."),
    "completion": Verb("completion", "completion", "Print the completion script of a shell."),
}
