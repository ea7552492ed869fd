"""The page of a change of five concerns, read by somebody new to the tool: twelve questions, twelve answers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.hwplan import Hwplan

ROOT = Path(__file__).resolve().parents[2]
LANE = ("--node", "D601", "--lane", "v03")
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
OPENFGA = "Deployment.apps/hwlab-v03/openfga"


def git(folder: Path, *words: str) -> str:
    """Run git; what it says."""
    return subprocess.run([*GIT, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def edit(file: Path, *pairs: tuple[str, str]) -> None:
    """Replace texts that have to be there."""
    text = file.read_text()
    for before, after in pairs:
        assert before in text, before
        text = text.replace(before, after)
    file.write_text(text)


def make_change(folder: Path) -> None:
    """Five concerns: a tools image, a service that retires, a setting of the database and one of a service, a looser
    gate with a shorter retention, and a secret that was exchanged at its source."""
    lanes = folder / "config" / "hwlab-node-lanes.yaml"
    text = lanes.read_text()
    lanes.write_text(text[: text.index("    hwlab-notifier:\n")] + text[text.index("\nlanes:\n") + 1 :])
    edit(
        lanes,
        ("ci-node-tools:2026.11.1", "ci-node-tools:2026.12.0"),
        ("maxConnections: 200", "maxConnections: 300"),
        ('HEARTBEAT_SECONDS: "20"', 'HEARTBEAT_SECONDS: "45"'),
        ("[pipelinerun, argo, runtime, mirror-flush]", "[pipelinerun, argo, runtime]"),
        ("keep: 5, limit: 20", "keep: 2, limit: 20"),
    )
    for name in ("hwlab-node-control-plane", "agentrun", "web-probe-sentinel"):
        edit(folder / "config" / f"{name}.yaml", ("ci-node-tools:2026.11.1", "ci-node-tools:2026.12.0"))


@pytest.fixture
def page(tmp_path: Path) -> str:
    """The comment of the change, planned on a branch whose base has something pending of its own."""
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    box = tmp_path / "box"
    Hwplan(tmp_path, ())("sandbox", "create", str(box), *LANE)
    here = Hwplan(tmp_path, ("--live", str(box)))
    here("apply", *LANE, "--confirm")
    Hwplan(tmp_path, ())("sandbox", "set", str(box), OPENFGA, "spec.replicas=7", "--manager", "night-shift")
    edit(tmp_path / "config" / "hwlab-node-lanes.yaml", ('RETENTION_DAYS: "30"', 'RETENTION_DAYS: "31"'))
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "config", "templates")
    git(tmp_path, "commit", "-qm", "base")
    git(tmp_path, "checkout", "-q", "-b", "retire-notifier")
    make_change(tmp_path)
    git(tmp_path, "commit", "-qam", "change")
    edit(box / "secrets" / "hwlab-v03.env", ("OPENFGA_PRESHARED_KEY=", "OPENFGA_PRESHARED_KEY=another-"))
    words = ("plan", *LANE, "--format", "markdown")
    reviewed = here(*words, "--base", "main", "--change", "pull request 17", "--out", str(tmp_path / "a.json")).out
    plain = here(*words, "--out", str(tmp_path / "b.json")).out
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert re.findall(r"Plan `(\S+)`", reviewed) == re.findall(r"Plan `(\S+)`", plain)
    return reviewed


REVIEWED = ("plan", *LANE, "--base", "main", "--change", "pull request 17")


ANSWERS = {
    "1 which change, of which commits, planned when": (
        r"^`pull request 17`, commit `[0-9a-f]{12}`, base `main [0-9a-f]{12}`, planned at `\d{4}-\d\d-\d\dT\d"
        r"\d:\d\dZ`$"
    ),
    "2 what comes from it, what is due anyway, what is drift": (
        r"\*\*origin\*\* From this change, and pending on the base in part \(1\): `ConfigMap/hwlab-v03-ci/hwlab-v03-git"
        r"ops`\. Pending on the base anyway \(2\): `ConfigMap/hwlab-v03/hwlab-artifact-store`, `Secret/hwlab-v03/hwlab-"
        r"v03-openfga`\. Manual changes that are undone, .*\(1\): `Deployment\.apps/hwlab-v03/openfga`\. From this "
        r"change \(18\): all others"
    ),
    "3 what is down, and for how long": (
        r"\*\*downtime\*\* Interrupted: `Deployment\.apps/devops-infra/git-mirror` while its pod stops \(up to 30 s\) "
        r"and until the new one is ready; `StatefulSet\.apps/hwlab-v03/postgres` while its pod stops \(up to 120 s\)"
    ),
    "3a who calls what is down, by which field": (
        r"\*\*known callers\*\* `StatefulSet\.apps/hwlab-v03/postgres`: `ConfigMap/hwlab-v03/hwlab-runtime \(data\."
        r"POSTGRES_HOST\) read by Deployment\.apps/hwlab-v03/hwlab-\S+ and .*CronJob\.batch/hwlab-v03/postgres-backup "
    ),
    "3b how long it is waited for": r"\*\*waits\*\* Until each object is ready, at most 300 s\. What is not ready then",
    "3c what bounds a gap": r"up to 30 s to stop, then its start, given up after 600 s without progress",
    "4 what retires, who still needs it, what becomes of its pods": (
        r"\*\*retires\*\* .*hwlab-notifier: 5 objects deleted .*no object references it any more \(looked at \d+"
        r" declared, \d+ live and \d+ delivered objects; "
        r"calls by the code of a service are not seen\); ConfigMap hwlab-v03-gitops no longer delivers its D"
        r"eployment hwlab-notifier, .*Application hwlab-v03 then deletes it \(prune\)"
    ),
    "4a what is missing until the next delivery, and who starts that": (
        r"\*\*next delivery\*\* `ConfigMap/hwlab-v03-ci/hwlab-v03-gitops`: `changes .* and deletes Deployment"
        r"\.apps/hwlab-v03/hwlab-notifier; this plan does not start it\. hwplan trigger --node D601 --lane v03"
        r" --confirm does, or .*Application hwlab-v03 syncs it by itself \(autosync\)\. Until then Deployment "
        r"hwlab-notifier runs without ConfigMap hwlab-notifier, ServiceAccount hwlab-notifier, Service hwlab-n"
        r"otifier"
    ),
    "5 whose work is overwritten, and how to retain it": (
        r"\*\*overwritten\*\* `Deployment\.apps/hwlab-v03/openfga`: `spec\.replicas 7 -> 1`, set by `night-shi"
        r"ft, \S+Z`\. Declared in `templates/hwlab/runtime/20-openfga\.yaml\.j2:\d+`, a file last changed in `"
        r"[0-9a-f]{7,} \d{4}-\d\d-\d\d`\. To keep the live value, run first: `hwplan drift --adopt "
    ),
    "6 which secret, from where, read by whom, how to compare it": (
        r"\*\*secret\*\* `Secret/hwlab-v03/hwlab-v03-openfga`: key `preshared-key fingerprint [0-9a-f]{6} -> ["
        r"0-9a-f]{6}` from `D601/hwlab-v03\.env#OPENFGA_PRESHARED_KEY`\. Read by `Deployment\.apps/hwlab-v03/o"
        r"penfga` \(does not restart, keeps the old value\)\. Whoever has the value can compare .*`hwplan secret "
        r"status --target "
    ),
    "7 what starts by itself": (r"\*\*runs and builds\*\* `RegistryImage/ci-node-tools`\."),
    "8 does the pipeline still fit together": (
        r"\*\*checked\*\* `Pipeline\.tekton\.dev/hwlab-v03-ci/hwlab-v03`: .*complete, by hwplan's own check: \d+ tasks"
        r", \d+ uses of results, \d+ of runAfter"
    ),
    "9 is a gate looser, is less retained": (
        r"\*\*gates and retention\*\* gate loosened in .*`gate\.require loses mirror-flush`; retention shorten"
        r"ed in .*`retention\.pipelineruns\.keep 5 -> 2`"
    ),
    "10 in which order, and what if it fails": (
        r"^Order: .*If a step fails, the steps that depend on it are skipped.*`hwplan apply --resume --confirm` "
        r"continues with what is left.*`hwplan undo RUN` plans the reverse.*start no run"
    ),
    "11 what an approval covers, what voids it, who applies": (
        r"^An approval of this id covers exactly these \d+ steps on the cluster .*It becomes void when .*somebody "
        r"with credentials of the cluster runs the command"
    ),
    "12 how much of it was checked by the server": (
        r"\*\*checked\*\* 0 of \d+ writes tried in a simulation, none by an API server, \d+ "
        r"checked against the schema only, \d+ cannot be checked before they run: "
    ),
}


HEADLINE = (
    r"^`Deployment devops-infra/git-mirror` restarts its pod with image `\S+/ci-node-tools:2026\.12\.0` an"
    r"d serves nobody for up to 30 s plus its start; `StatefulSet hwlab-v03/postgres` restarts its pod and"
    r" serves nobody for up to 120 s plus its start; `Deployment hwlab-v03/openfga` goes from 7 to 1 pod\."
    r" `Task build-hwlab-notifier`, .* and 2 more are deleted; .* change; `RegistryImage ci-node-tools` is"
    r" created\. The next delivery, which this plan does not start, brings what is in `ConfigMap hwlab-v03"
    r"-ci/hwlab-v03-gitops`\.$"
)


def test_the_effect_is_said_first_in_plain_words(page: str) -> None:
    assert re.search(HEADLINE, page, re.MULTILINE), page
    assert page.count("up to 120 s to stop") == 1, "equal facts stand once"


def test_html_and_json_name_the_line_of_each_changed_field(page: str, tmp_path: Path) -> None:
    """The line of the key that feeds it with its path, and the line of the template; both are there in the head."""
    here = Hwplan(tmp_path, ("--live", str(tmp_path / "box")))
    document = here(*REVIEWED, "--json").json
    assert document["change"]["name"] == "pull request 17"
    assert document["change"]["head"] == git(tmp_path, "rev-parse", "HEAD")
    origins = {(one["address"], one["path"]): one for one in document["origins"]}
    one = origins["ConfigMap/hwlab-v03/hwlab-device-gateway", "data.HEARTBEAT_SECONDS"]
    file, _, line = one["source"].rpartition(":")
    assert 'HEARTBEAT_SECONDS: "45"' in (tmp_path / file).read_text().splitlines()[int(line) - 1]
    assert one["key"].endswith("HEARTBEAT_SECONDS") and one["template"].startswith("templates/hwlab/runtime/30-")
    assert git(tmp_path, "rev-parse", "--short=10", "HEAD") in one["written"]
    said = f"{one['source']} ({one['key']}), by {one['template']}"
    html = here(*REVIEWED, "--format", "html").out
    assert said in html and "until it is ready, at most 300 s" in html
    (tmp_path / "c.json").write_text(here(*REVIEWED, "--json").out)
    shown = here("show", "c.json").out
    assert document["id"][:39] in shown, "a page with remarks is the same plan"
    plain = here(*REVIEWED).out
    assert (
        "--full shows them" in plain and "last written" not in plain and "last written" in here(*REVIEWED, "--full").out
    )


def test_twelve_of_twelve(page: str) -> None:
    missing = [question for question, answer in ANSWERS.items() if not re.search(answer, page, re.MULTILINE)]
    assert not missing, page
    assert "ci-node-tools:2026.12.0 in 8 places: " in page  # equal changes once
    assert (
        "HEARTBEAT_SECONDS" in page and "hwlab-device-gateway`: `reads ConfigMap/hwlab-device-gateway, and is" in page
    )


def test_a_base_that_is_none_is_refused_with_a_remedy(simulated: Hwplan) -> None:
    (simulated.folder / "app.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n")
    said = simulated("plan", "-f", "app.yaml", "--name", "a", "--base", "main", code=None)
    assert said.code != 0 and "it is in no git repository" in said.err and "leave --base out" in said.err


def test_a_head_that_lacks_commits_of_its_base_says_so(simulated: Hwplan) -> None:
    folder, words = simulated.folder, ("-f", "app.yaml", "--name", "a")
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n"
    (folder / "app.yaml").write_text(text)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "app.yaml")
    git(folder, "commit", "-qm", "one")
    git(folder, "branch", "old")
    (folder / "app.yaml").write_text(text + "---\n" + text.replace("name: a", "name: b"))
    git(folder, "commit", "-qam", "two")
    git(folder, "checkout", "-q", "old")
    said = simulated("plan", *words, "--base", "main", "--format", "markdown").out
    assert "(1 commits of it are not in the head, which takes back what they change)" in said
    assert "Pending on the base anyway (1): `ConfigMap/default/a`" in said
    assert "Pending on the base, and dropped by this change (1): `ConfigMap/default/b`" in said


def test_the_page_names_the_line_that_declares_a_changed_field_and_who_wrote_it_last(page: str, tmp_path: Path) -> None:
    """The key where one feeds the field, else the line of the template; as git itself blames it."""
    said = dict(re.findall(r"\*\*last written\*\* In `(\S+) \S+ by a`: (.*)", page))
    assert set(said) == {git(tmp_path, "rev-parse", "--short=10", name) for name in ("main", "HEAD")}
    wanted = {
        "main": {"`data.RETENTION_DAYS` of": 'RETENTION_DAYS: "31"', "`spec.replicas` of": "replicas: 1"},
        "HEAD": {
            "`data.HEARTBEAT_SECONDS` of": 'HEARTBEAT_SECONDS: "45"',
            "`data[postgresql.conf]` of": "maxConnections: 300",
            "`data[retention.pipelineruns.keep]` of": "keep: 2",
            "`spec.jobTemplate.spec.template.spec.containers[name=flush].image`": "ci-node-tools:2026.12.0",
        },
    }
    for name, fields in wanted.items():
        sentence = said[git(tmp_path, "rev-parse", "--short=10", name)]
        for field, text in fields.items():
            (place,) = re.findall(r"`([^`]+)` declares " + re.escape(field), sentence)
            file, _, line = place.rpartition(":")
            assert text in (tmp_path / file).read_text().splitlines()[int(line) - 1], place
            assert git(tmp_path, "blame", "--porcelain", f"-L{line},{line}", "--", file).startswith(
                git(tmp_path, "rev-parse", name)
            )


def test_the_line_of_a_plain_manifest_that_is_not_committed_yet(simulated: Hwplan) -> None:
    folder, words = simulated.folder, ("-f", "app.yaml", "--name", "app")
    manifest = folder / "app.yaml"
    manifest.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: default}\ndata:\n  a: x\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two, namespace: default}\ndata:\n  a: x\n  b: x\n"
    )
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "app.yaml")
    git(folder, "commit", "-qm", "base")
    simulated("apply", *words, "--confirm")
    edit(manifest, ("  b: x", "  b: w"))
    assert "**last written** In `no commit yet`: `app.yaml:12` declares `data.b` of `ConfigMap/default/two`." in (
        simulated("plan", *words, "--format", "markdown").out
    )
    git(folder, "commit", "-qam", "by somebody", "--author", "@everyone` ![x](y) <a@b.example>")
    edit(manifest, ("  a: x\n---", "  a: z\n---"))
    page = simulated("plan", *words, "--format", "markdown").out
    assert "`app.yaml:5` declares `data.a`" in page and "`app.yaml:12` declares `data.b`" in page
    assert "by &#64;everyone&#96; &#33;&#91;x" in page, "a name is a name, and neither a mention nor an image"
