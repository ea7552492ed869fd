"""Progress lines, the live tree, and the summary of a run."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from rich.console import Console

from planner.address import Address
from planner.events import ChangeApplied, ChangeBegan, ChangeEnded, ChangeResult, ChangeWaiting, Event
from planner.plan import Action, BlockedResource, Change, ClusterIdentity, Plan, Precondition, Selection
from planner.render.run_progress import MOST_ROWS, ProgressLines, ProgressTree, progress_observer
from planner.render.run_summary import longest_chain_of_run, render_run_summary
from planner.source_line_ref import SourceRef

AT = "2026-11-22T09:00:{:02}.250Z"


def address(name: str) -> Address:
    return Address("", "ConfigMap", "", "ns", name)


def change(name: str, *needs: str) -> Change:
    place = SourceRef("a.yaml")
    wants = tuple(address(need) for need in needs)
    return Change(address(name), Action.CREATE, "v1", "", "declared", Precondition(absent=True), place, needs=wants)


def plan(*changes: Change, blocked: tuple[BlockedResource, ...] = ()) -> Plan:
    return Plan(Selection(), ClusterIdentity("u", "s"), "c", "l", changes, blocked=blocked)


def ended(
    name: str, result: ChangeResult = ChangeResult.DONE, at: int = 1, seconds: float = 1.0, **more: object
) -> ChangeEnded:
    return ChangeEnded(AT.format(at), address(name), Action.CREATE, result, seconds, **more)  # type: ignore[arg-type]


EVENTS: tuple[Event, ...] = (
    ChangeBegan(AT.format(1), address("a"), Action.CREATE),
    ChangeApplied(AT.format(2), address("a"), Action.CREATE, "uid", {}),
    ChangeWaiting(AT.format(3), address("a"), "0 of 1 ready\x1b[2J", 2.0),
    ended("a", at=12, seconds=11.0),
    ended("b", ChangeResult.SKIPPED, at=13, seconds=0.0, message="needs ConfigMap/ns/x", cause=address("x")),
)


def test_one_plain_line_per_event() -> None:
    out = io.StringIO()
    observer = progress_observer(plan(change("a"), change("b")), out)
    assert isinstance(observer, ProgressLines)
    for event in EVENTS:
        observer.on(event)
    assert out.getvalue().splitlines() == [
        "2026-11-22T09:00:01Z    1 create   ConfigMap/ns/a  begins",
        "2026-11-22T09:00:03Z    1 create   ConfigMap/ns/a  waits: 0 of 1 ready\\x1b[2J (2.0s)",
        "2026-11-22T09:00:12Z    1 create   ConfigMap/ns/a  done in 11s",
        "2026-11-22T09:00:13Z    2 create   ConfigMap/ns/b  skipped: needs ConfigMap/ns/x",
    ]


def test_a_reader_that_goes_away_does_not_end_the_run() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    observer = progress_observer(None, Closed())
    for event in EVENTS:
        observer.on(event)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_tree_that_is_gone_when_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    observer = progress_observer(plan(change("a"), change("b")), out)
    assert isinstance(observer, ProgressTree)
    for event in EVENTS:
        observer.on(event)
    assert observer._live is None
    assert "done in 11s" in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()
    assert out.getvalue().rstrip().endswith("skipped: needs ConfigMap/ns/x\x1b[0m")


def test_the_tree_shows_what_runs_for_how_long_and_counts_the_rest() -> None:
    time = [0.0]
    observer = ProgressTree(io.StringIO(), {address(f"n{i}"): i for i in range(40)}, lambda: time[0])
    observer._show = lambda: None  # type: ignore[method-assign]  # drawn here, not by a thread
    for number in range(MOST_ROWS + 2):
        observer.on(ChangeBegan(AT.format(0), address(f"n{number}"), Action.CREATE))
    time[0] = 75.0
    observer.on(ChangeWaiting(AT.format(1), address("n3"), "image is pulled\r", 75.0))
    observer.on(ended("n0"))
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(observer.tree())
    lines = console.export_text().splitlines()
    assert lines[0] == "1 of 40 over, 17 under way"
    assert lines[3] == "├──  1m15s create   ConfigMap/ns/n3  image is pulled\\r"
    assert lines[-1] == "└── and 1 more"


@dataclass
class Outcome:
    outcomes: dict[Address, ChangeEnded]
    seconds: float = 0.5
    warnings: tuple[tuple[Address, str], ...] = ()
    interrupted: bool = False


def outcome(*ends: ChangeEnded, **more: object) -> Outcome:
    return Outcome({end.address: end for end in ends}, **more)  # type: ignore[arg-type]


def test_the_summary_of_a_bad_run() -> None:
    made = plan(change("a"), change("b", "a"), change("c", "b"), change("d", "c"))
    failed = ended("b", ChangeResult.FAILED, 9, 6.0, message="quota exceeded\n::error::x", remedy="raise the quota")
    skipped = (ended(name, ChangeResult.SKIPPED, 9, 0.0, message="", cause=address("b")) for name in "cd")
    page = render_run_summary(
        made,
        outcome(ended("a", at=3, seconds=2.0), failed, *skipped, seconds=8.5, warnings=((address("a"), "deprecated"),)),
        run=42,
        command="hwplan apply --resume --confirm",
    )
    assert page.splitlines() == [
        "run 42: 1 done, 1 failed, 2 skipped in 8.5s",
        "",
        "   2 failed   create ConfigMap/ns/b  quota exceeded",
        "       | \\x3a:error::x",
        "       raise the quota",
        "",
        "skipped, for they need ConfigMap/ns/b: ConfigMap/ns/c, ConfigMap/ns/d",
        "",
        "warning: ConfigMap/ns/a: deprecated",
        "",
        "slowest",
        "    6.0s  ConfigMap/ns/b",
        "    2.0s  ConfigMap/ns/a",
        "critical path 8.0s of 8.5s",
        "  ConfigMap/ns/a 2.0s -> ConfigMap/ns/b 6.0s",
        "",
        "1 of 4 failed; to go on when the cause is mended: hwplan apply --resume --confirm",
    ]


def test_what_an_effect_said_is_shown_and_cannot_leave_its_lines() -> None:
    said = "exit code 0 in web-1\n3 migrations\n\n::warning::x\x1b[2J"
    page = render_run_summary(plan(change("a"), change("b")), outcome(ended("a", message=said), ended("b")), run=7)
    assert page.splitlines()[2:6] == [
        "   1 done     create ConfigMap/ns/a  exit code 0 in web-1",
        "       | 3 migrations",
        "       |",
        "       | \\x3a:warning::x\\x1b[2J",
    ]
    out = io.StringIO()
    ProgressLines(out, {}).on(ended("a", message=said))
    assert out.getvalue().endswith("done in 1.0s: exit code 0 in web-1\n")


@pytest.mark.parametrize(
    ("ends", "more", "last"),
    [
        ([ended("a")], {}, "all 1 done; to see that nothing is left: CMD"),
        ([ended("a"), ended("b", ChangeResult.PENDING)], {}, "1 of 2 pending; to wait on: CMD"),
        (
            [ended("a", ChangeResult.STALE)],
            {},
            "1 of 1 stale; the world moved: plan again, or to go on with the rest: CMD",
        ),
        ([ended("a"), ended("b", ChangeResult.CANCELLED)], {"interrupted": True},
         "interrupted with 1 of 2 over; to go on: CMD"),
    ],
)  # fmt: skip
def test_the_last_line_is_the_verdict_and_the_next_command(
    ends: list[ChangeEnded], more: dict[str, object], last: str
) -> None:
    assert render_run_summary(plan(change("a"), change("b")), outcome(*ends, **more), run=1, command="CMD").endswith(
        "\n" + last
    )


def test_the_critical_path_follows_the_need_that_ended_last() -> None:
    made = plan(change("a"), change("b"), change("c", "a", "b"), change("x"))
    ends = [ended("a", at=5), ended("b", at=2), ended("c", at=9), ended("x", at=8)]
    assert [end.address.name for end in longest_chain_of_run(made, outcome(*ends).outcomes)] == ["a", "c"]
    assert longest_chain_of_run(made, {}) == ()
