"""One plan over four systems against each system alone: they are asked at the same time, so the slowest one decides."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.scenarios import Rig, Row
from bench.timing import Run, in_turn
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.image_registry import running as registry
from tests.testbed.small_image import push_small_image

_OWN = "hwplan.dev/v1"
_WHO = {f"GIT_{role}_{key}": "bench" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}


def together(rig: Rig, objects: int = 200, refs: int = 50, images: int = 50, probes: int = 20) -> list[Row]:
    """Everything is as declared, so a plan is reading and comparing only."""
    namespace = rig.namespace()
    folder = rig.folder / f"{namespace}-systems"
    folder.mkdir()
    with registry(folder / "public") as public, registry(folder / "local") as local, _site() as url:
        parts: dict[str, list[dict[str, Any]]] = {
            "objects": [_config_map(namespace, n) for n in range(objects)],
            "refs": _refs(folder, refs),
            "images": [_image(public, local, n) for n in range(images)],
            "probes": [_probe(url, n) for n in range(probes)],
        }
        parts["all"] = [document for part in list(parts.values()) for document in part]
        files = {name: _write(folder / f"{name}.json", documents) for name, documents in parts.items()}
        for name, file in files.items():
            rig.hwplan("apply", "-f", str(file), "--name", _set(namespace, name), "--confirm", "-q", state=namespace)
        found = in_turn({name: _plan(rig, file, _set(namespace, name), namespace) for name, file in files.items()}, 5)
    slowest, seconds = max(
        ((name, one.seconds) for name, one in found.items() if name != "all"), key=lambda row: row[1]
    )
    ratio = found["all"].seconds / seconds
    counts = f"{objects} objects, {refs} refs, {images} images, {probes} probes"
    alone = ", ".join(f"{name} {one.seconds:.2f} s" for name, one in found.items() if name != "all")
    return [
        Row(f"plan, {counts}", f"{found['all'].seconds:.2f} s"),
        Row(f"  each alone: {alone}", f"{ratio:.2f}x of {slowest}", "1.5x", ratio < 1.5),
    ]


def _set(namespace: str, part: str) -> str:
    """One owned set per part; `all` is that of the objects, which would be foreign to any other."""
    return f"{namespace}-{'objects' if part == 'all' else part}"


def _plan(rig: Rig, file: Path, name: str, state: str) -> Callable[[], Run]:
    return lambda: rig.hwplan("plan", "-f", str(file), "--name", name, "--detailed-exitcode", state=state)


def _write(path: Path, documents: list[dict[str, Any]]) -> Path:
    yaml = path.with_suffix(".yaml")
    yaml.write_text("".join(f"---\n{json.dumps(document)}\n" for document in documents))
    return yaml


def _config_map(namespace: str, n: int) -> dict[str, Any]:
    metadata = {"name": f"c-{n}", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"n": str(n)}}


def _own(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": _OWN, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _refs(folder: Path, count: int) -> list[dict[str, Any]]:
    """`count` branches of one repository that another one has to have."""
    source, target = folder / "source.git", folder / "target.git"
    for path in (source, target):
        _git(folder, "init", "--quiet", "--bare", str(path))
    tree = _git(source, "mktree")
    for n in range(count):
        _git(source, "update-ref", f"refs/heads/b{n}", _git(source, "commit-tree", tree, "-m", str(n)))
    sides = [{"remote": f"file://{path}"} for path in (source, target)]
    return [
        _own(
            "GitRef",
            f"r-{n}",
            {
                "mode": "mirror",
                **{side: {**at, "ref": f"refs/heads/b{n}"} for side, at in zip(("from", "to"), sides, strict=True)},
            },
        )
        for n in range(count)
    ]


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), **_WHO}, timeout=60,
    )  # fmt: skip
    return done.stdout.strip()


def _image(public: ImageRegistry, local: ImageRegistry, n: int) -> dict[str, Any]:
    push_small_image(public, f"app/i{n}", "1")
    return _own(
        "RegistryImage", f"i-{n}", {"source": f"{public.host}/app/i{n}:1", "target": f"{local.host}/app/i{n}:1"}
    )


def _probe(url: str, n: int) -> dict[str, Any]:
    return _own("HttpProbe", f"p-{n}", {"url": f"{url}/{n}", "role": "diagnostic", "readAtPlan": True})


@contextmanager
def _site() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Write no log."""

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128  # the default of 5 makes callers at once wait a second for another SYN

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
