"""A small product whose secrets come from every kind of source, all of them canaries.

Owns the folder: `config/`, `templates/`, `secrets/` (the sources, the only place where a canary may stand), `out/`.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.canaries.canary import canary, encodings

_BASE = Path(__file__).parent.parent / "cases" / "config" / "base"
KINDS = ("plain", "dotenv", "yaml", "json", "process", "urls", "pem", "pull", "copied", "generated")
_HOSTILE = ' "quoted" \\ é\t<&> %41 $HOME : # \u202e'  # what escapes have to be made for


@dataclass(frozen=True)
class Planted:
    """The folder, the namespace that everything is in, the environment, and every planted value."""

    folder: Path
    namespace: str
    env: Mapping[str, str]
    values: tuple[str, ...]

    @property
    def sources(self) -> Path:
        """Where canaries stand by right."""
        return self.folder / "secrets"

    @property
    def words(self) -> tuple[str, ...]:
        """The selecting words."""
        return ("--config", str(self.folder / "config"), "--node", self.namespace, "--lane", "l1")

    def rotate(self) -> None:
        """Other canaries in the env file."""
        file = self.sources / "plain.env"
        file.write_text(file.read_text().replace("=", f"={canary('rotated')}-"))


def plant(folder: Path, namespace: str, count: int, *, git: bool = False) -> Planted:
    """Write the configuration, with at least `count` canaries over all kinds of sources; with `git` also a branch."""
    shutil.copytree(_BASE, folder, dirs_exist_ok=True)
    lanes = folder / "config" / "lanes.yaml"
    lanes.write_text(lanes.read_text().replace("{name: demo}", f"{{name: {namespace}}}").replace("N1", namespace))
    nodes = folder / "config" / "nodes.yaml"
    text = nodes.read_text().replace("kubeContext: n1\n", "kubeContext: testbed\n    secretsDir: ../secrets\n")
    nodes.write_text(text.replace("{name: infra}", f"{{name: {namespace}-i}}").replace("N1", namespace))
    each = max(1, count // (len(KINDS) - 1))
    keys = {kind: {f"{kind.upper()}_{n}": canary(f"first {kind} {n}") for n in range(each)} for kind in KINDS}
    _write_sources(folder / "secrets", keys)
    template = folder / "templates" / "demo" / "app" / "20-secrets.yaml.j2"
    template.write_text("\n".join(_document(kind, namespace, list(keys[kind])) for kind in KINDS))
    template.with_name("30-app.yaml.j2").write_text(_deployment(namespace))
    if git:
        template.with_name("40-head.yaml.j2").write_text(_head(folder))
    values = tuple(value for kind in KINDS if kind != "generated" for value in keys[kind].values())
    return Planted(folder, namespace, keys["process"], values)


def origin(planted: Planted) -> dict[str, object]:
    """The Secret of somebody else that `copied` is a copy of; every tool's copy of the whole object stands on it."""
    values = [value for value in planted.values if value in _copied(planted)]
    data = {f"COPIED_{n}": base64.b64encode(value.encode()).decode() for n, value in enumerate(values)}
    last = json.dumps({"kind": "Secret", "data": data, "stringData": {"x": values[0]}})
    names = ("kubectl.kubernetes.io/last-applied-configuration", "kapp.k14s.io/original")
    metadata = {"name": "origin", "namespace": planted.namespace, "annotations": dict.fromkeys(names, last[:200_000])}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def _copied(planted: Planted) -> frozenset[str]:
    each = len(planted.env)
    return frozenset(canary(f"first copied {n}") for n in range(each))


def _write_sources(folder: Path, keys: Mapping[str, Mapping[str, str]]) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    texts = {
        "plain.env": "".join(f"{key}={value}\n" for key, value in keys["plain"].items()),
        "dotenv.env": "".join(f"export {key}='{value}\n second line'  # c\n" for key, value in keys["dotenv"].items()),
        "yaml.yaml": "".join(f"{key}: {json.dumps(value + _HOSTILE)}\n" for key, value in keys["yaml"].items()),
        "json.json": json.dumps({key: value + _HOSTILE for key, value in keys["json"].items()}),
        "urls.env": "".join(f"{key}=postgres://user:{value}@db/x\n" for key, value in keys["urls"].items()),
    }
    for n, value in enumerate(keys["pem"].values()):
        lines = [base64.b64encode(value.encode()).decode(), value]
        texts[f"pem-{n}"] = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""])
    auths = {
        f"r{n}.test": {"auth": base64.b64encode(f"u:{value}".encode()).decode(), "password": value}
        for n, value in enumerate(keys["pull"].values())
    }
    texts["pull"] = json.dumps({"auths": auths})
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)


def _document(kind: str, namespace: str, keys: list[str]) -> str:
    mapping = {key: key for key in keys}
    of_type = "Opaque"
    sources: list[object]
    match kind:
        case "plain" | "dotenv" | "urls":
            file_format = "dotenv" if kind == "dotenv" else "env"
            sources = [{"file": {"path": f"{kind}.env", "format": file_format}}]
        case "yaml" | "json":
            sources = [{"file": {"path": f"{kind}.{kind}", "format": kind}}]
        case "pem":
            sources = [{"file": {"path": f"pem-{n}", "format": "raw", "key": key}} for n, key in enumerate(keys)]
        case "process":
            sources = [{"env": keys}]
        case "copied":
            sources = [{"kubernetes": {"namespace": namespace, "name": "origin"}}]
        case "pull":
            name = ".dockerconfigjson"
            sources, mapping = [{"file": {"path": "pull", "format": "raw", "key": name}}], {name: name}
            of_type = "kubernetes.io/dockerconfigjson"
        case _:
            sources = [{"generate": {"length": 40, "keys": keys}}]
    spec = {
        "sources": sources,
        "keyMapping": mapping,
        "type": of_type,
        "target": {"namespace": namespace, "name": f"c-{kind}"},
    }
    return "---\n" + json.dumps(
        {"apiVersion": "hwplan.dev/v1", "kind": "SecretSource", "metadata": {"name": kind}, "spec": spec}
    )


def _head(folder: Path) -> str:
    """A branch to look at, so that git is started next to the secrets."""
    seed = folder / "seed"
    author = ("-c", "user.name=a", "-c", "user.email=a@example.test")
    subprocess.run(["git", "init", "-q", "-b", "main", str(seed)], check=True)
    subprocess.run(["git", "-C", str(seed), *author, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(seed), str(folder / "repo.git")], check=True)
    spec = {"remote": f"file://{folder / 'repo.git'}", "branch": "main"}
    return "---\n" + json.dumps(
        {"apiVersion": "hwplan.dev/v1", "kind": "GitHead", "metadata": {"name": "head"}, "spec": spec}
    )


def _deployment(namespace: str) -> str:
    """A workload that takes every Secret: its refusals quote what the server can see of them."""
    container = {
        "name": "app",
        "image": "registry.test/app:1",
        "envFrom": [{"secretRef": {"name": f"c-{kind}"}} for kind in KINDS],
    }
    pod = {"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "app"}}, "template": pod}
    metadata = {"name": "app", "namespace": namespace}
    return "---\n" + json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})


def every_form(planted: Planted, without: str = "") -> str:
    """What the worst server says: one value of every kind of source but one, in every form that is searched for."""
    reported: list[str] = []
    for value in (canary(f"first {kind} 0") for kind in KINDS if kind not in ("generated", without)):
        forms = encodings(value.encode())
        reported += [form for name, form in forms.items() if name not in ("bytes", "reversed", "utf-16")]
    return " ".join(reported)
