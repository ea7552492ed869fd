"""What became of one rollout: its state, its exit code, and the warnings that go with it."""

from __future__ import annotations

from planner.app.apply_plan import RunReport
from planner.app.trigger.rollout_plan import PlannedRollout
from planner.dataclass import dataclass
from planner.errors import StalePlan
from planner.graph.resource_index import map_or_empty, maps_or_empty
from planner.plan_id import plan_id
from planner.rollout.full_build_without_catalog import warning_of_full_build_without_catalog
from planner.rollout.rollout_time_spent import RolloutTimeSpent, over_budget_warning, rollout_time_spent
from planner.values import JsonObject


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """What became of a rollout. `newer` is the commit that overtook it, "" if none did; `closeout` the record
    that was written at its end, None where nothing was carried out or the lane could not be read; `brief` says what
    became of its entry in the lane's brief."""

    report: RunReport
    commit: str
    newer: str
    spent: RolloutTimeSpent | None
    warnings: tuple[str, ...]
    closeout: JsonObject | None = None
    brief: str = ""

    @property
    def exit_code(self) -> int:
        """That of apply; 3 when it was superseded (B12)."""
        return StalePlan.exit_code if self.newer else self.report.exit_code

    @property
    def state(self) -> str:
        """The word for it: `passed`, `superseded`, `pending`, `failed`."""
        if self.newer:
            return "superseded"
        return {0: "passed", 4: "pending"}.get(self.report.exit_code, "failed")


def make_report_of_ended_rollout(
    trigger: PlannedRollout, report: RunReport, newer: str, closed: tuple[JsonObject | None, str]
) -> RolloutReport:
    """Make the report of a rollout that ended. `closed` is its closeout record, and why there is none ("" if there
    is)."""
    spent = (
        rollout_time_spent(report.result.outcomes, report.result.outputs, report.result.seconds)
        if report.result
        else None
    )
    hydration = warning_of_full_build_without_catalog(
        _outputs(report, trigger), _services(trigger), trigger.lane.cd.small_diff
    )
    record, problem = closed
    warnings = (over_budget_warning(spent, trigger.budget) if spent else "", hydration, problem)
    return RolloutReport(report, trigger.commit, newer, spent, tuple(one for one in warnings if one), record)


def make_report_of_superseded_rollout(trigger: PlannedRollout, newer: str) -> RolloutReport:
    """Make the report of a rollout that another one overtook before anything was done."""
    return RolloutReport(
        RunReport(trigger.made.plan, plan_id(trigger.made.plan), 0, None), trigger.commit, newer, None, ()
    )


def _outputs(report: RunReport, trigger: PlannedRollout) -> JsonObject:
    """Outputs of the PipelineRun: of this execution, or as it was found."""
    address = trigger.run.address
    if report.result and (outputs := report.result.outputs.get(address)):
        return outputs
    preview = trigger.made.inputs.previews.get(address)
    return preview.outputs if preview is not None else {}


def _services(trigger: PlannedRollout) -> int:
    """How many services the pipeline of the run builds: each has a task `build-<service>` (S11)."""
    wanted = map_or_empty(map_or_empty(trigger.run.manifest["spec"].get("manifest")).get("spec")).get("pipelineRef")
    name = map_or_empty(wanted).get("name")
    of_run = (one for one in trigger.session.stack.resources if one.address.kind == "Pipeline")
    specs = (map_or_empty(one.manifest.get("spec")) for one in of_run if one.address.name == name)
    tasks = [task for spec in specs for task in maps_or_empty(spec.get("tasks"))]
    return sum(str(task.get("name", "")).startswith("build-") for task in tasks)
