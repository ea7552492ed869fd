"""`hwplan verify RECORD`: checks a closeout record again, without trusting who wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.cli.common_options import common_options
from planner.cli.terminal_output import print_document, print_page
from planner.disk_errors import disk_error_text
from planner.errors import HwplanError

if TYPE_CHECKING:
    from planner.rollout.lane_evidence import Readings
    from planner.rollout.verify_closeout import CloseoutRecordMismatch

_AS_RECORDED = "as recorded"
_LONGEST = 64 << 20  # bytes of a record


@click.command("verify")
@common_options
@click.argument("record", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--git",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A repository to prove ancestors, snapshot and GitOps digests with; repeatable.",
)
@click.option(
    "--registry",
    "host",
    is_flag=False,
    flag_value=_AS_RECORDED,
    metavar="[HOST]",
    help="Ask the registry for the digests: this one, or the one of the record.",
)
@click.option("--cluster", "ask_cluster", is_flag=True, help="Ask the cluster of --kubeconfig, or --live, as well.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def verify_closeout_record(
    request: Request, record: Path, folders: tuple[Path, ...], host: str | None, ask_cluster: bool, as_json: bool
) -> int:
    """Check that a closeout record follows from its evidence, and that git, registry and cluster say the same.

    Without options only the record itself is checked. Exit codes: 0 everything that was asked about fits, 2 an edge is
    broken (each is named), 1 something could not be checked.
    """
    from planner.rollout.verify_closeout import (
        check_closeout_facts,
        check_closeout_file_is_canonical,
        check_closeout_record,
    )

    content = _content(record)
    document = _parsed(content, record)
    broken = check_closeout_record(document)
    checked = ["record"]
    if not broken:
        broken = check_closeout_file_is_canonical(content, document)
        facts = _facts(document, request, folders, host, ask_cluster)
        broken += check_closeout_facts(document, facts)
        checked += sorted(facts)
    _show(document, broken, checked, as_json)
    return 0 if not broken else 1 if all(one.unchecked for one in broken) else 2


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST)
    except OSError as error:
        raise HwplanError(disk_error_text(error), where=str(path)) from None


def _parsed(content: bytes, path: Path) -> dict[str, object]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise HwplanError(
            "this is no JSON document of a closeout record", where=str(path),
            remedy="hwplan status --closeout --json > record.json",
        )  # fmt: skip
    return found


def _facts(
    document: dict[str, object], request: Request, folders: tuple[Path, ...], host: str | None, ask_cluster: bool
) -> Readings:
    from planner.app.lane import closeout_facts as facts
    from planner.app.runtime import SystemClock, open_cluster, sandbox_folder_of_request
    from planner.rollout.closeout_record import evidence_in_closeout_record

    evidence, now = evidence_in_closeout_record(document), SystemClock().now
    found = facts.read_closeout_git_facts(evidence, folders, now) if folders else {}
    if host is not None:
        sandbox = sandbox_folder_of_request(request) if request.live else None
        found |= facts.read_closeout_registry_facts(evidence, "" if host == _AS_RECORDED else host, now, sandbox)
    if ask_cluster or request.live:
        found |= facts.read_closeout_cluster_facts(evidence, open_cluster(request), now)
    return found


def _show(
    document: dict[str, object], broken: tuple[CloseoutRecordMismatch, ...], checked: list[str], as_json: bool
) -> None:
    from planner.text_safe import safe_text

    if as_json:
        edges = [{"edge": one.edge, "reason": one.reason, "unchecked": one.unchecked} for one in broken]
        print_document("json", {"schemaVersion": 1, "verified": not broken, "checked": checked, "broken": edges})
        return
    for one in broken:
        print_page(f"{'????  ' if one.unchecked else 'broken'}  {safe_text(one.edge)}: {safe_text(one.reason)}")
    names = f"{len(checked)} part{'s' * (len(checked) != 1)} checked: {', '.join(map(safe_text, checked))}"
    print_page(f"{'broken' if broken else 'verified'}: {names}")
