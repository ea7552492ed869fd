"""The folder of a sandbox: fills what stands beside its cluster."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from providers.sandbox.layout import create_layout
from providers.sandbox.probes import CannedAnswer, write_answers
from providers.sandbox.repositories import Remote, create_repository

_README = """\
# A sandbox of hwplan

Everything here is **simulated**: no cluster, no network. It was made for {subject}.

| | what it is |
|---|---|
| `cluster/` | live objects, one YAML file each, with their managedFields; Secrets as fingerprints only |
| `git/` | bare repositories of the configured remotes, each with a first commit; real git |
| `registry/` | an OCI layout with a made-up image for each public image that the configuration names |
| `secrets/` | made-up values for the secret sources, readable by you only |
| `probes.yaml` | canned answers of HTTP probes |

It answers server-side apply with the API server's own merge rules, validates built-in kinds and custom kinds by their
schemas, refuses changes of immutable fields, and makes workloads ready at once. It cannot run containers, admission
webhooks or controllers, so nothing here proves that an image starts.

Try it: `hwplan plan {words} --live {folder}`; edit a file below `cluster/`, or play somebody else with
`hwplan sandbox set {folder} ADDRESS PATH=VALUE --manager NAME`, and plan again.
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What the configuration asks a sandbox to hold. `secrets` pairs a file below `secrets/` with its keys."""

    subject: str
    words: str
    remotes: tuple[Remote, ...] = ()
    images: tuple[str, ...] = ()
    secrets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    answers: tuple[CannedAnswer, ...] = ()


def fill(folder: Path, contents: Contents) -> None:
    """Write everything but the cluster into the existing `folder`. Raises PermanentError when git fails."""
    (folder / "git").mkdir()
    for remote in sorted(set(contents.remotes)):
        create_repository(folder / "git", remote)
    create_layout(folder / "registry", contents.images)
    _write_secrets(folder / "secrets", contents.secrets)
    write_answers(folder / "probes.yaml", contents.answers)
    (folder / "README.md").write_text(
        _README.format(subject=contents.subject, words=contents.words, folder=folder.name)
    )


def _write_secrets(folder: Path, files: Sequence[tuple[str, Sequence[str]]]) -> None:
    folder.mkdir(mode=0o700)
    by_file: Mapping[str, list[str]] = {name: [] for name, _ in files}
    for name, keys in files:
        by_file[name].extend(key for key in keys if key not in by_file[name])
    for name, keys in sorted(by_file.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text("".join(f"{key}={_made_up(name, key)}\n" for key in sorted(keys)))


def _made_up(name: str, key: str) -> str:
    """A value that is plainly not a secret, and the same each time, so that a sandbox can be made again."""
    return "sandbox-" + hashlib.sha256(f"{name}#{key}".encode()).hexdigest()[:20]
