"""`hwplan drift`: live against last applied, made for cron. Exit 0 clean, 2 drift, 1 not everything could be told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.cli.options import selecting
from planner.cli.output import page

if TYPE_CHECKING:
    from planner.drift import DriftReport

FORMATS = ("text", "json", "markdown", "prometheus", "cronjob")


@click.command()
@selecting
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to show it.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.option(
    "--ack",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Acknowledged drift (default: drift-acknowledgements.yaml in the configuration folder).",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it to this file instead, in one step.",
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
    out: Path | None,
    schedule: str,
    image: str,
    run_in: str,
    state_claim: str,
    read_secrets: bool,
) -> int:
    """Show what changed since the last apply, who changed it and when; never aborts on a part that cannot be read.

    Exit codes: 0 clean, 2 drift, 1 when something could not be told, drift elsewhere or not. With --format cronjob
    nothing is compared: it prints the manifests that run this report in a cluster, with a read-only account.
    """
    if form == "cronjob":
        from planner.app.drift import Cron, cron_manifests

        if not image:
            raise click.UsageError("--format cronjob needs --image IMAGE: one with hwplan and the configuration.")
        _put(
            cron_manifests(request, Cron(image, schedule, run_in, state_claim=state_claim, read_secrets=read_secrets)),
            out,
        )
        return 0
    from planner.app.drift import drift_of

    report = drift_of(request, ack)
    _put(_page(report, request, "json" if as_json else form), out)
    return report.exit_code


def _page(report: DriftReport, request: Request, form: str) -> str:
    if form == "prometheus":
        from planner.render.drift_prometheus import render_drift_prometheus

        return render_drift_prometheus(report)
    if form == "markdown":
        from planner.render.drift_markdown import render_drift_markdown

        return render_drift_markdown(report)
    from planner.cli.pages import drift_page

    return drift_page(report, request, form)


def _put(text: str, out: Path | None) -> None:
    """To standard output, or to a file that is there whole or not at all: a collector may read at any moment."""
    if out is None:
        page(text)
        return
    from planner.errors import HwplanError
    from planner.redaction import GUARD

    whole = GUARD.clean(text if text.endswith("\n") else text + "\n")
    partial = out.with_name(f".{out.name}.partial")
    try:
        partial.write_text(whole, encoding="utf-8")
        partial.replace(out)
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise HwplanError(f"{out}: {reason}", where="--out", remedy="name a file that can be written") from None
