"""The folder of a sandbox: fills what stands beside its cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from providers.sandbox.layout import create_layout
from providers.sandbox.probes import CannedAnswer, write_answers
from providers.sandbox.repositories import Remote, create_repository
from providers.sandbox.secrets import SecretFile, write_secrets

_README = """\
# A sandbox of hwplan

Everything here is **simulated**: no cluster, no network. It was made for {subject}.

| | what it is |
|---|---|
| `cluster/` | live objects, one YAML file each, with their managedFields; Secrets as fingerprints only |
| `git/` | bare repositories of the configured remotes, each with a first commit; real git |
| `registry/` | an OCI layout with a made-up image for each public image that the configuration names |
| `secrets/` | made-up values for the secret sources, readable by you only |
| `probes.yaml` | canned answers of HTTP probes; under `execs`, how commands in containers end |
| `rest.yaml` | objects behind REST APIs, from the first apply of a `RestObject` on; secret fields as fingerprints |

It answers server-side apply with the API server's own merge rules, validates built-in kinds and custom kinds by their
schemas, refuses changes of immutable fields, and makes workloads ready at once. It cannot run containers, admission
webhooks or controllers, so nothing here proves that an image starts.

Try it: `hwplan plan {words} --live {folder}`; edit a file below `cluster/`, or play somebody else with
`hwplan sandbox set {folder} ADDRESS PATH=VALUE --manager NAME`, and plan again.
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What the configuration asks a sandbox to hold, for which subject, selected by which words.

    `name` goes into the name of its cluster.
    """

    name: str
    subject: str
    words: str
    remotes: tuple[Remote, ...] = ()
    images: tuple[str, ...] = ()
    secrets: tuple[SecretFile, ...] = ()
    answers: tuple[CannedAnswer, ...] = ()


def fill(folder: Path, contents: Contents) -> None:
    """Write everything but the cluster into the existing `folder`. Raises PermanentError when git fails."""
    (folder / "git").mkdir()
    for remote in sorted(set(contents.remotes)):
        create_repository(folder / "git", remote)
    create_layout(folder / "registry", contents.images)
    write_secrets(folder / "secrets", contents.secrets)
    write_answers(folder / "probes.yaml", contents.answers)
    (folder / "README.md").write_text(
        _README.format(subject=contents.subject, words=contents.words, folder=folder.name)
    )
