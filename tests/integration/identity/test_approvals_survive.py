"""Pairs of a pull request and a base that moved on, merged by git: what does not matter loses no approval, what matters
leaves none. 30 of each in the gate; `HWPLAN_APPROVAL_PAIRS=1000` makes 1,000."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest

from planner.errors import ForeignPlan
from planner.plan import Action, Plan
from planner.plan_id import plan_id
from planner.pull_requests.approval_file import parse_approval_file, render_approval_file
from planner.pull_requests.approvals import Approval, count_approvals
from planner.spec.pull_requests import ApprovalRules
from planner.values import JsonObject
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager
from tests.integration.identity.shop import Documents, Shop, address_of, as_yaml, documents, edited, first_applied
from tests.unit.kubernetes.world import PRINTS, config

PAIRS = int(os.environ.get("HWPLAN_APPROVAL_PAIRS", "30"))
RULES = ApprovalRules(quorum=1, people=("olga",), expires="72h")
AT = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "gc.auto=0")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return first_applied(tmp_path_factory.mktemp("approved"))


@dataclass
class Pull:
    """A repository with a pull request on its base, one file for each object, and the approval of its plan."""

    shop: Shop
    repo: Path
    rng: Random
    head: str = ""
    text: str = ""
    changed: list[JsonObject] = field(default_factory=list)
    quiet: list[JsonObject] = field(default_factory=list)
    cluster: Shop | None = None
    now: datetime = AT + timedelta(hours=1)

    def git(self, *words: str) -> str:
        return subprocess.run([*GIT, *words], cwd=self.repo, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, parts: Documents) -> None:
        (self.repo / "app").mkdir(exist_ok=True)
        for one in parts:
            self.file(one).write_text(as_yaml([one]))

    def file(self, document: JsonObject) -> Path:
        return self.repo / "app" / f"{document['kind']}-{document['metadata']['name']}.yaml".lower()

    def commit(self, branch: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", f"on {branch}")

    def plan(self) -> Plan:
        return (self.cluster or self.shop).plan(str(self.repo / "app"))

    def open(self) -> None:
        """The base, the head, its plan, and who approved it."""
        self.git("init", "-q", "-b", "main")
        self.write(documents())
        (self.repo / "README.md").write_text("shop\n")
        self.commit("main")
        self.git("checkout", "-q", "-b", "change")
        parts = edited(self.rng)
        self.write(parts)
        self.commit("change")
        self.head = self.git("rev-parse", "HEAD")
        plan = self.plan()
        touched = {one.address for one in plan.changes if one.action is Action.UPDATE}
        self.changed = [one for one in parts if address_of(one) in touched]
        self.quiet = [one for one in documents() if address_of(one) not in touched]
        approval = Approval("olga", plan_id(plan), self.head, AT, AT + timedelta(hours=24))
        self.text = render_approval_file(approval, PRINTS.fingerprint)
        self.git("checkout", "-q", "main")

    def merge(self) -> None:
        """As GitHub does it: the head as it is now, into the base as it is now."""
        self.commit("main")
        self.git("merge", "-q", "--no-edit", "change")

    def accepted(self) -> bool:
        """Whether the approval counts for what the merge made."""
        try:
            approval = parse_approval_file(self.text, PRINTS.fingerprint, "olga.json")
        except ForeignPlan:
            return False
        head = self.git("rev-parse", "change")
        found = count_approvals([approval], RULES, head=head, effect=plan_id(self.plan()), now=self.now)
        return found.people == ("olga",)

    def some(self, parts: Documents, kind: str = "ConfigMap") -> JsonObject:
        return self.rng.choice([one for one in parts if one["kind"] == kind])

    def written_by_others(self, document: JsonObject, values: dict[str, object]) -> None:
        self.cluster = self.shop.copied(self.shop.folder.parent / "scratch")
        change_as_foreign_manager(self.cluster.box, address_of(document), values, "night-shift")


Move: TypeAlias = Callable[[Pull], None]


def pulled(shop: Shop, folder: Path, number: int, move: Move) -> bool:
    """Whether the approval of pull request `number` is accepted after the move and the merge."""
    repo = folder / str(number)
    repo.mkdir()
    pull = Pull(shop, repo, Random(number))
    pull.open()
    move(pull)
    pull.merge()
    return pull.accepted()


# --- what does not matter --------------------------------------------------------------------------------------------


def _other_files(pull: Pull) -> None:
    (pull.repo / "README.md").write_text(f"shop {pull.rng.random()}\n")
    (pull.repo / f"other-{pull.rng.randint(0, 9)}.yaml").write_text("kind: Nothing\n")


def _many_commits(pull: Pull) -> None:
    for at in range(pull.rng.randint(2, 4)):
        (pull.repo / f"notes-{at}.md").write_text(str(pull.rng.random()))
        pull.commit("main")


def _comments(pull: Pull) -> None:
    file = pull.file(pull.some(pull.quiet))
    file.write_text(f"# {pull.rng.random()}\n{file.read_text()}# end\n")


def _reformatted(pull: Pull) -> None:
    one = pull.some(pull.quiet)
    pull.file(one).write_text(json.dumps(one, indent=pull.rng.randint(1, 8)))


def _moved(pull: Pull) -> None:
    one = pull.some(pull.quiet)
    (pull.repo / "app" / "moved").mkdir()
    pull.git("mv", str(pull.file(one)), str(pull.repo / "app" / "moved" / "x.yaml"))


def _foreign_annotation(pull: Pull) -> None:
    values: dict[str, object] = {f"metadata.annotations[x/y-{pull.rng.randint(0, 9)}]": "1"}
    pull.written_by_others(pull.some(pull.rng.choice([pull.quiet, pull.changed])), values)


IRRELEVANT: tuple[Move, ...] = (_other_files, _many_commits, _comments, _reformatted, _moved, _foreign_annotation)

# --- what matters ----------------------------------------------------------------------------------------------------


def _field_on_the_base(pull: Pull) -> None:
    one = pull.some(pull.quiet)
    one["data"]["level"] = f"other-{pull.rng.random()}"
    pull.write([one])


def _object_on_the_base(pull: Pull) -> None:
    pull.write([config(f"new-{pull.rng.randint(0, 99)}", {"a": "1"})])


def _object_gone_from_the_base(pull: Pull) -> None:
    pull.file(pull.some(pull.quiet)).unlink()


def _order_on_the_base(pull: Pull) -> None:
    one, other = pull.some(pull.quiet), pull.some(pull.changed)
    one["metadata"]["annotations"] = {"hwplan.dev/depends-on": address_of(other).local}
    pull.write([one])


def _live_field(pull: Pull) -> None:
    pull.written_by_others(pull.some(pull.changed), {"data.more": str(pull.rng.random())})


def _new_head(pull: Pull, text: str = "") -> None:
    pull.git("checkout", "-q", "change")
    if text:
        one = pull.some(pull.changed)
        one["data"]["level"] = text
        pull.write([one])
    pull.commit("change")
    pull.git("checkout", "-q", "main")


def _pushed(pull: Pull) -> None:
    _new_head(pull, f"pushed-{pull.rng.random()}")


def _pushed_without_a_change(pull: Pull) -> None:
    _new_head(pull)


def _too_late(pull: Pull) -> None:
    pull.now = AT + timedelta(hours=pull.rng.randint(25, 200))


def _by_another_account(pull: Pull) -> None:
    one = parse_approval_file(pull.text, PRINTS.fingerprint, "x")
    pull.text = render_approval_file(replace(one, who="mallory"), PRINTS.fingerprint)


def _edited(pull: Pull) -> None:
    document = json.loads(pull.text)
    document["approval"]["until"] = "2036-01-01T00:00:00Z"
    pull.text = json.dumps(document)


RELEVANT: tuple[Move, ...] = (
    _field_on_the_base, _object_on_the_base, _object_gone_from_the_base, _order_on_the_base, _live_field, _pushed,
    _pushed_without_a_change, _too_late, _by_another_account, _edited,
)  # fmt: skip


@pytest.mark.parametrize(("moves", "accepted"), [(IRRELEVANT, True), (RELEVANT, False)])
def test_an_approval_survives_what_does_not_matter_and_nothing_else(
    moves: tuple[Move, ...], accepted: bool, shop: Shop, tmp_path: Path
) -> None:
    wrong = []
    for number in range(PAIRS):
        move = moves[number % len(moves)]
        if pulled(shop, tmp_path, number, move) is not accepted:
            wrong.append(f"{number} {move.__name__}")
    assert wrong == []
