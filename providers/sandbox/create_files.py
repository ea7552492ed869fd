"""The folder of a sandbox: fills what stands beside its cluster."""

from __future__ import annotations

from pathlib import Path

from planner.dataclass import dataclass
from providers.sandbox.canned_answers_file import (
    CannedHttpAnswer,
    CannedPrometheusQuery,
    CannedScrapeTarget,
    write_canned_answers,
)
from providers.sandbox.git_repositories import SandboxRemote, create_repository
from providers.sandbox.initial_github_file import SandboxGitHubRepository, write_simulated_github
from providers.sandbox.secret_files import SandboxSecretFile, write_made_up_secrets
from providers.sandbox.simulated_pipelines_file import FILE, SimulatedPipeline, write_simulated_pipelines
from providers.simulated_images import write_simulated_images

_README = """\
# A sandbox of hwplan

Everything here is **simulated**: no cluster, no network. It was made for {subject}.

| | what it is |
|---|---|
| `cluster/` | live objects, one YAML file each, with their managedFields; Secrets as fingerprints only |
| `git/` | bare repositories of the configured remotes, each with a first commit; real git |
| `github.json` | a small GitHub over `git/`: pull requests (one each at first), checks, comments, issues, statuses |
| `registry/` | an OCI layout with a made-up image for each public image that the configuration names |
| `secrets/` | made-up values for the secret sources, readable by you only |
| `probes.yaml` | canned answers of probes, queries and scrapes; under `execs`, how commands in containers end |
| `pipelines.yaml` | what runs of the pipelines build and promote: made-up images in `registry/`, a commit in `git/` |
| `failures.yaml` | what `hwplan sandbox fail {folder} ADDRESS` made to fail |
| `rest.yaml` | objects behind REST APIs, from the first apply of a `RestObject` on; secret fields as fingerprints |

It answers server-side apply with the API server's own merge rules, validates built-in kinds and custom kinds by their
schemas, refuses changes of immutable fields, and makes workloads ready at once. It cannot run containers, admission
webhooks or controllers, so nothing here proves that an image starts.

Try it: `hwplan plan {words} --live {folder}`; edit a file below `cluster/`, or play somebody else with
`hwplan sandbox set {folder} ADDRESS PATH=VALUE --manager NAME`, and plan again.
"""


@dataclass(frozen=True, slots=True)
class SandboxContents:
    """What the configuration asks a sandbox to hold, for which subject, selected by which words.

    `name` goes into the name of its cluster.
    """

    name: str
    subject: str
    words: str
    remotes: tuple[SandboxRemote, ...] = ()
    images: tuple[str, ...] = ()
    secrets: tuple[SandboxSecretFile, ...] = ()
    answers: tuple[CannedHttpAnswer, ...] = ()
    queries: tuple[CannedPrometheusQuery, ...] = ()
    targets: tuple[CannedScrapeTarget, ...] = ()
    pipelines: tuple[SimulatedPipeline, ...] = ()
    github: tuple[SandboxGitHubRepository, ...] = ()


def fill_sandbox(folder: Path, contents: SandboxContents, *, shown: str) -> None:
    """Write everything but the cluster into the existing `folder`, which its README calls `shown`.

    Raises PermanentError when git fails.
    """
    (folder / "git").mkdir()
    for remote in sorted(set(contents.remotes)):
        create_repository(folder / "git", remote)
    write_simulated_github(folder, contents.github)
    write_simulated_images(folder / "registry", contents.images)
    write_made_up_secrets(folder / "secrets", contents.secrets)
    write_simulated_pipelines(folder / FILE, contents.pipelines)
    write_canned_answers(folder / "probes.yaml", contents.answers, contents.queries, contents.targets)
    (folder / "README.md").write_text(_README.format(subject=contents.subject, words=contents.words, folder=shown))
