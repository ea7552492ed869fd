"""A flush whose push succeeded and whose confirmation did not: what its JSON and that of the status say afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hwplan import Hwplan
from tests.testbed.git_fixtures import BareRepository, mirror_of, upstream_of
from tests.testbed.git_server import GitHttp, GitRule, http_server

MAIN = "refs/heads/main"
_REF = """\
apiVersion: hwplan.dev/v1
kind: GitRef
metadata: {{name: flush}}
spec:
  from: {{remote: "file://{mirror}", ref: refs/heads/main}}
  to: {{remote: "{upstream}", ref: refs/heads/main}}
  mode: fast-forward
"""


@pytest.fixture
def upstream(tmp_path: Path) -> BareRepository:
    return upstream_of(tmp_path)


@pytest.fixture
def mirror(tmp_path: Path, upstream: BareRepository) -> BareRepository:
    """A mirror that is one promotion ahead."""
    return mirror_of(upstream, tmp_path, ahead=True)


@pytest.fixture
def web(tmp_path: Path, upstream: BareRepository) -> Iterator[GitHttp]:
    with http_server(tmp_path) as value:
        yield value


def _fail_listings_after_the_push(web: GitHttp, times: int) -> None:
    pushed: list[str] = []

    def matches(method: str, path: str) -> bool:
        if method == "POST" and "receive-pack" in path:
            pushed.append(path)
        return bool(pushed) and "service=git-upload-pack" in path

    web.rules = [GitRule("status", times=times, code=503, matches=matches)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("times", "recovered"), [(1, True), (2, True), (999, False)])
def test_the_documents_say_it(
    real: Hwplan, web: GitHttp, upstream: BareRepository, mirror: BareRepository, times: int, recovered: bool
) -> None:
    (real.folder / "refs.yaml").write_text(_REF.format(mirror=mirror.path, upstream=web.url("upstream.git")))
    words = ("-f", "refs.yaml", "--name", "mirror")
    quiet = real("mirror", "status", *words, "--json").json
    assert quiet["partialSuccess"] is quiet["partialSuccessRecovered"] is quiet["postPushRecovery"] is None
    _fail_listings_after_the_push(web, times)
    run = real("mirror", "flush", *words, "--confirm", "--json", code=None)
    assert (run.code == 0) is recovered and run.json["ok"] is recovered
    assert upstream.at(MAIN) == mirror.at(MAIN)
    web.rules = []
    after = real("mirror", "status", *words, "--json").json
    for document in (run.json, after):
        assert document["partialSuccess"] == "push-succeeded-fetch-failed"
        assert document["partialSuccessRecovered"] is recovered
        assert document["postPushRecovery"]["ok"] is recovered and document["postPushRecovery"]["run"] == 1
    assert after["githubInSync"] is True and after["pendingFlush"] is False and after["ok"] is True
    assert f"partialSuccessRecovered={str(recovered).lower()}" in real("mirror", "status", *words).out


def test_what_is_blocked_recommends_nothing_of_itself(
    real: Hwplan, upstream: BareRepository, mirror: BareRepository
) -> None:
    text = _REF.format(mirror=mirror.path, upstream=f"file://{upstream.path}")
    text = text.replace("refs/heads/main}", "refs/heads/no}", 1)
    (real.folder / "refs.yaml").write_text(text)
    shown = real("mirror", "flush", "-f", "refs.yaml", "--name", "mirror", code=1)
    assert "blocked" in shown.out and "--confirm" not in shown.out
