"""The repository that a configuration stands in: its commits, and the files of another one exactly as committed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from planner.errors import PermanentError
from providers.git.local_repository_reader import LocalRepositoryReader

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str) -> str:
    return subprocess.run([*GIT, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository of two commits; everything that could change what is read is set."""
    repo = tmp_path / "repo"
    (repo / "config").mkdir(parents=True)
    git(repo, "init", "-q", "-b", "main")
    (repo / ".gitattributes").write_text("config/a.yaml export-ignore\nconfig/b.yaml filter=evil\n")
    (repo / "config" / "a.yaml").write_text("a: 1\n")
    (repo / "config" / "b.yaml").write_text("b: 1\n")
    (repo / "config" / "c.yaml").symlink_to("a.yaml")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "one")
    git(repo, "config", "filter.evil.smudge", f"touch {tmp_path / 'ran'}")
    git(repo, "config", "core.fsmonitor", f"touch {tmp_path / 'ran'}")
    (repo / "config" / "a.yaml").write_text("a: 2\n")
    git(repo, "commit", "-qam", "two")
    return repo


def test_files_of_a_commit_are_as_committed_and_run_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "ran").unlink(missing_ok=True)  # git itself, above
    found = LocalRepositoryReader.around(folder / "config")
    out = tmp_path / "out"
    found.extract(found.commit("main~1"), [folder / "config"], out)
    assert (out / "config" / "a.yaml").read_text() == "a: 1\n" == (out / "config" / "c.yaml").read_text()
    assert (out / "config" / "b.yaml").read_text() == "b: 1\n" and not (out / ".gitattributes").exists()
    assert not found.is_dirty([folder / "config"]) and not (tmp_path / "ran").exists()


def test_what_is_said_of_the_head(folder: Path) -> None:
    found = LocalRepositoryReader.around(folder)
    assert (found.branch(), found.missing(found.commit("main"))) == ("main", 0)
    assert found.last_change(folder / "config" / "b.yaml").startswith(found.commit("main~1")[:7])
    assert found.last_change(folder / "none.yaml") == ""
    git(folder, "checkout", "-q", "main~1")
    assert (found.branch(), found.missing(found.commit("main"))) == ("", 1)
    (folder / "config" / "a.yaml").write_text("a: 3\n")
    assert found.is_dirty([folder / "config"])


@pytest.mark.parametrize("name", ["nothing", "--all", "main:config", "HEAD^{tree}", ""])
def test_what_is_no_commit(name: str, folder: Path) -> None:
    with pytest.raises(PermanentError, match="is no commit"):
        LocalRepositoryReader.around(folder).commit(name)


def test_a_link_that_leads_out_and_a_folder_outside_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "config" / "out.yaml").symlink_to("../../../etc/passwd")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "three")
    found = LocalRepositoryReader.around(folder)
    with pytest.raises(PermanentError, match="leads out"):
        found.extract(found.commit("main"), [folder / "config"], tmp_path / "out")
    with pytest.raises(PermanentError, match="outside of the repository"):
        found.relative(tmp_path)
    with pytest.raises(PermanentError, match="no git repository"):
        LocalRepositoryReader.around(tmp_path)


def test_a_commit_may_claim_any_time_and_zone(folder: Path) -> None:
    (folder / "odd").write_text("line\n")
    git(folder, "add", "odd")
    tree = git(folder, "write-tree")
    raw = f"tree {tree}\nauthor Ann <a@x> 99999999999999 +9959\ncommitter Ann <a@x> 99999999999999 +9959\n\nodd\n"
    (folder.parent / "raw").write_text(raw)
    commit = git(folder, "hash-object", "-t", "commit", "-w", "--literally", str(folder.parent / "raw"))
    git(folder, "update-ref", "refs/heads/main", commit)
    assert LocalRepositoryReader.around(folder).line_changes(Path("odd"), [1]) == {1: f"{commit[:10]} by Ann"}
