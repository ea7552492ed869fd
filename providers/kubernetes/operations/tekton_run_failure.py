"""Why a Tekton run did not end well: its first failed step, and the end of what that wrote. Only reads.

What a step prints is foreign text: control characters are taken out, lines and their number are capped, and the
redactor sees it before anybody does (R13).
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.errors import ProviderError, TemporaryError
from planner.values import JsonObject
from providers.cluster_interface import Cluster
from providers.kubernetes.errors import NotFound
from providers.kubernetes.operations.redacted_command_output import redacted_output_tail_lines
from providers.kubernetes.operations.tekton_run_state import (
    succeeded_condition,
    succeeded_condition_text,
    task_run_state,
    task_run_steps,
)

LINES = 40
_BYTES = 64 << 10


def tekton_failure_lines(cluster: Cluster, namespace: str, task_runs: Mapping[str, JsonObject]) -> tuple[str, ...]:
    """Lines about the TaskRun that failed first, by the name of its task; none where no TaskRun failed."""
    failed = [(task, live) for task, live in task_runs.items() if task_run_state(live) in ("failed", "aborted")]
    failed = [pair for pair in failed if succeeded_condition(pair[1]).get("reason") != "FailureIgnored"]
    if not failed:
        return ()
    task, live = min(failed, key=lambda pair: str((pair[1].get("status") or {}).get("completionTime") or "~"))
    step = next((one for one in task_run_steps(live) if (one.get("terminated") or {}).get("exitCode")), None)
    where = f"task {task}" + (f", step {step.get('name')}" if step else "")
    return (f"{where}: {succeeded_condition_text(live)}", *read_last_lines_of_step(cluster, namespace, live, step))


def read_last_lines_of_step(
    cluster: Cluster, namespace: str, live: JsonObject, step: JsonObject | None, lines: int = LINES
) -> tuple[str, ...]:
    """The last lines that a step of a TaskRun wrote, redacted and capped; why there are none, if it cannot be read."""
    pod = str((live.get("status") or {}).get("podName") or "")
    container = str((step or {}).get("container") or "")
    if not pod or not container:
        return ()
    try:
        output = cluster.logs(namespace, pod, container, lines=lines, most=_BYTES)
    except NotFound:
        return (f"its log is lost: the pod {pod} is gone",)
    except TemporaryError:
        raise
    except ProviderError as error:
        return (f"its log cannot be read: {error.message}",)
    cut = len(output) >= _BYTES
    return redacted_output_tail_lines(output, {}, complete=not cut, max_lines=lines)
