"""The page and the document of a git mirror's state."""

from __future__ import annotations

from typing import Any

from planner.address import Address
from planner.plan import ClusterIdentity, Selection
from planner.render.git_mirror_status import git_mirror_status_json, render_git_mirror_status
from planner.resource_status import ResourceStatusRow, ResourceStatusTable

OLD, NEW = "1" * 40, "2" * 40
UPSTREAM, MIRROR = "ssh://git@host.example/o/r.git", "http://mirror.ci.svc:8080/r.git"


def flow(
    name: str, mode: str, ref: str, live: str, wanted: str, problem: str = "", **outputs: Any
) -> ResourceStatusRow:
    """A row as reading gives it: `live` is the target's."""
    upstream, mirror = {"remote": UPSTREAM, "transport": "ssh", "ref": ref}, {"remote": MIRROR, "ref": ref}
    origin, target = (mirror, upstream) if mode == "fast-forward" else (upstream, mirror)
    spec = {"from": origin, "to": target, "mode": mode}
    settled = bool(live) and live == wanted and not problem
    return ResourceStatusRow(Address("", "GitRef", "", "", name), spec, live, wanted, settled, problem, outputs)


def status(*rows: ResourceStatusRow, lane: str = "v03") -> ResourceStatusTable:
    selection = Selection(product="hwlab", nodes=("D601",), lanes=(lane,))
    return ResourceStatusTable(ClusterIdentity("10a6d66e-1", "k3s-d601"), rows, selection, "sha256:9b1e07aa")


def page(*rows: ResourceStatusRow) -> list[str]:
    return render_git_mirror_status(status(*rows), sync="SYNC", flush="FLUSH", colour=False, width=80).splitlines()


SYNC = flow("sync", "mirror", "refs/heads/v0.3", OLD, NEW, ahead=2)
FLUSH = flow("flush", "fast-forward", "refs/heads/v0.3-gitops", OLD, NEW)
DONE = flow("done", "mirror", "refs/heads/v0.3", NEW, NEW)


def test_both_sides_are_where_they_are() -> None:
    assert page(SYNC, FLUSH, DONE) == [
        "D601/v03 on k3s-d601 (uid 10a6d66e) · config 9b1e07",
        "",
        "                      upstream          mirror",
        "  to do GitRef/sync   222222222222  ->  111111111111  2 ahead",
        "  to do GitRef/flush  111111111111  <-  222222222222",
        "  ok    GitRef/done   222222222222  ==  222222222222",
        "",
        f"  upstream {UPSTREAM} (githubTransport.mode=ssh)",
        f"  mirror   {MIRROR}",
        "",
        "1 of 3 refs in sync · pendingFlush=true · githubInSync=false",
        "  SYNC",
        "  FLUSH",
    ]


def test_only_what_can_be_done_is_offered() -> None:
    assert page(DONE)[-1] == "1 of 1 refs in sync · pendingFlush=false · githubInSync=true"
    assert page(FLUSH)[-1] == "  FLUSH" and "  SYNC" not in page(FLUSH)
    unread = flow("sync", "mirror", "refs/heads/v0.3", "", NEW, "unreadable: " + "word " * 30)
    lines = page(unread)
    assert "  ????  GitRef/sync  222222222222  !=  ?" in lines and max(map(len, lines)) <= 80
    assert lines[-1] == "0 of 1 refs in sync, 1 with a problem · pendingFlush=false · githubInSync=false"
    assert page()[-1].startswith("no ref is declared here")


def test_the_document_names_both_sides() -> None:
    document = git_mirror_status_json(status(DONE, FLUSH))
    assert document["localV03"] == document["githubV03"] == NEW
    assert (document["localGitops"], document["githubGitops"]) == (NEW, OLD)
    assert (document["pendingFlush"], document["githubInSync"]) == (True, False)
    assert document["refSources"] == {"githubFieldsAreMirrorStageCache": False}
    assert git_mirror_status_json(status())["githubInSync"] is False, "nothing that is not there is in sync"


def test_a_name_that_several_branches_claim_is_that_of_the_lane() -> None:
    other = flow("other", "fast-forward", "refs/heads/v0.2-gitops", OLD, OLD)
    assert git_mirror_status_json(status(other, FLUSH))["localGitops"] == NEW
    assert git_mirror_status_json(status(other, FLUSH, lane="v02"))["localGitops"] == OLD
    assert git_mirror_status_json(status(other, FLUSH, lane="v99"))["localGitops"] is None


def test_the_document_says_how_the_upstream_is_reached_and_whether_all_is_well() -> None:
    unread = flow("sync", "mirror", "refs/heads/v0.3", "", NEW, "unreadable: no answer")
    assert git_mirror_status_json(status(DONE, FLUSH))["transport"] == "ssh"
    assert [git_mirror_status_json(status(row))["ok"] for row in (DONE, FLUSH, unread)] == [True, True, False]
    (ref,) = git_mirror_status_json(status(DONE), raw=True)["refs"]
    assert ref["spec"]["mode"] == "mirror" and "spec" not in git_mirror_status_json(status(DONE))["refs"][0]


def test_full_shows_whole_commits() -> None:
    text = render_git_mirror_status(status(SYNC), sync="SYNC", flush="FLUSH", colour=False, width=200, full=True)
    assert OLD in text and NEW in text


def test_s28_the_names_of_the_v01_line() -> None:
    """S27, S28: what the earlier tool called the refs of AgentRun's first lane."""
    sync = flow("sync", "mirror", "refs/heads/v0.1", OLD, NEW)
    flush = flow("flush", "fast-forward", "refs/heads/v0.1-gitops", OLD, NEW)
    document = git_mirror_status_json(status(sync, flush, lane="v01"))
    assert (document["localV01"], document["githubV01"]) == (OLD, NEW)
    assert (document["localGitops"], document["githubGitops"]) == (NEW, OLD)
    assert (document["pendingFlush"], document["githubInSync"]) == (True, False)
