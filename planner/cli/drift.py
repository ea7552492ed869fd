"""`hwplan drift`: live against last applied, made for cron. Exit 0 clean, 2 drift, 1 not everything could be known."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.cli.common_options import selection_options
from planner.cli.terminal_output import print_page, write_page

if TYPE_CHECKING:
    from planner.drift import DriftReport

FORMATS = ("text", "json", "markdown", "prometheus", "cronjob")


@click.command()
@selection_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to show it.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.option(
    "--ack",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Acknowledged drift (default: drift-acknowledgements.yaml in the configuration folder).",
)
@click.option(
    "--ignore",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Rules of fields that never count (default: drift-ignore.yaml in the configuration folder).",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it to this file instead, in one step.",
)
@click.option("--adopt", default="", metavar="KIND/NS/NAME", help="Write what lives of it to the YAML that feeds it.")
@click.option(
    "--issue",
    is_flag=True,
    help="Keep one issue on GitHub for each finding and owned set: opened, updated in place, closed when it is clean.",
)
@click.option(
    "--confirm",
    is_flag=True,
    help="Of --adopt: write the files; of --issue: write the issues. Without it only what would be done is shown.",
)
@click.option("--schedule", default="0 3 * * *", show_default=True, metavar="CRON", help="Of --format cronjob.")
@click.option("--image", default="", metavar="IMAGE", help="Of --format cronjob: hwplan and the configuration.")
@click.option("--run-in", default="hwplan", show_default=True, metavar="NS", help="Of --format cronjob: namespace.")
@click.option("--state-claim", default="", metavar="NAME", help="Of --format cronjob: the volume claim of the state.")
@click.option("--read-secrets", is_flag=True, help="Of --format cronjob: also grant reading declared Secrets.")
def drift(
    request: Request,
    form: str,
    as_json: bool,
    ack: Path | None,
    ignore: Path | None,
    out: Path | None,
    adopt: str,
    issue: bool,
    confirm: bool,
    schedule: str,
    image: str,
    run_in: str,
    state_claim: str,
    read_secrets: bool,
) -> int:
    """Show what changed since the last apply, who changed it and when; never aborts on a part that cannot be read.

    Exit codes: 0 clean, 2 drift, 1 when something could not be determined, drift elsewhere or not. With --format
    cronjob nothing is compared: it prints the manifests that run this report in a cluster, with a read-only
    account.

    With --adopt the live values of one object (a glob: of several) become the configuration's: a diff of its files,
    written with --confirm. A field that no single key feeds is refused with the line of its template; then nothing is
    written and the exit code is 1.

    With --issue the repository of the lane has one issue for each finding (deleted, changed, undeclared, unreadable),
    written only where it differs; the exit code stays that of the drift, and is 1 when an issue cannot be written."""
    if issue:
        if adopt or as_json or form != "text":
            raise click.UsageError("--issue has the format text, and goes without --adopt.")
        return _issue(request, ack, ignore, out, confirm=confirm)
    if adopt:
        if form not in ("text", "json"):
            raise click.UsageError("--adopt has the formats text and json.")
        return _adopt(request, adopt, ack, ignore, confirm=confirm, as_json=as_json or form == "json")
    if confirm:
        raise click.UsageError("--confirm goes with --adopt or --issue; drift itself changes nothing.")
    if form == "cronjob":
        from planner.app.drift_cronjob import DriftCronJob, drift_cronjob_manifests

        if not image:
            raise click.UsageError("--format cronjob needs --image IMAGE: one with hwplan and the configuration.")
        write_page(
            drift_cronjob_manifests(
                request, DriftCronJob(image, schedule, run_in, state_claim=state_claim, read_secrets=read_secrets)
            ),
            out,
        )
        return 0
    from planner.app.drift_report import detect_drift

    report = detect_drift(request, ack, ignore)
    write_page(_page(report, request, "json" if as_json else form), out)
    return report.exit_code


def _issue(request: Request, ack: Path | None, ignore: Path | None, out: Path | None, *, confirm: bool) -> int:
    from planner.app.drift_issues import drift_issue_result_lines, update_drift_issues
    from planner.cli.print_pages import command_line_for_verb

    found = update_drift_issues(request, ack, ignore, confirm=confirm)
    again = (
        []
        if confirm or not found.results
        else [f"to write them: {command_line_for_verb('drift --issue --confirm', request)}"]
    )
    lines = [_page(found.report, request, "text"), "", *drift_issue_result_lines(found, confirmed=confirm), *again]
    write_page("\n".join(lines), out)
    return found.exit_code


def _adopt(
    request: Request, address: str, ack: Path | None, ignore: Path | None, *, confirm: bool, as_json: bool
) -> int:
    from planner.app.adopt_drift import make_drift_adoption_patch, write_configuration_patch
    from planner.cli.print_pages import command_line_for_verb
    from planner.render.adoption_text import adoption_json, render_adoption

    adoption = make_drift_adoption_patch(request, address, ack, ignore)
    written = confirm and not adoption.refused and bool(adoption.adopted)
    if written:
        write_configuration_patch(adoption.patch)
    again = f"{command_line_for_verb('drift', request)} --adopt {shlex.quote(address)} --confirm"
    page = render_adoption(adoption, written=written, confirm=again, plan=command_line_for_verb("plan", request))
    print_page(adoption_json(adoption, written=written) if as_json else page)
    return 1 if adoption.refused else 0


def _page(report: DriftReport, request: Request, form: str) -> str:
    if form == "prometheus":
        from planner.render.drift_prometheus import render_drift_prometheus

        return render_drift_prometheus(report)
    if form == "markdown":
        from planner.render.drift_markdown import render_drift_markdown

        return render_drift_markdown(report)
    from planner.cli.print_pages import print_drift_report

    return print_drift_report(report, request, form)
