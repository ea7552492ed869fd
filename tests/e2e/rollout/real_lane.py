"""D601/v03 on real parts of its own: an API server with controllers, Argo CD, git over http, registries, a public site.

Tekton is its stand-in, whose tasks run the shipped scripts. The site answers with the commit of the images that run:
it looks at the pods, and finds the promotion that names just these.
"""

from __future__ import annotations

import http.server
import json
import re
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, Ran
from tests.e2e.nearby import Places, make_volumes, nearby_config
from tests.testbed import argocd, audit, image_registry, listening
from tests.testbed import cluster as clusters
from tests.testbed import tekton as tektons
from tests.testbed.api import Api
from tests.testbed.argocd import ArgoCd
from tests.testbed.audit import Mark
from tests.testbed.cluster import TestCluster
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.git_server import GitHttp, http_server
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.lane_scripts import LaneScripts
from tests.testbed.tekton import Tekton
from tests.testbed.tekton_steps import Program

RUNTIME, CI = "hwlab-v03", "hwlab-v03-ci"
SOURCE, GITOPS = "refs/heads/v0.3", "refs/heads/v0.3-gitops"
FOLDER = "deploy/gitops/v03"
RUN = "hwlab-v03-ci-poll"
NOTIFIER = "services/notifier/main.go"  # when it changes one service is built, the others are reused
RUNS = f"/apis/tekton.dev/v1/namespaces/{CI}/pipelineruns"
_IN_CLUSTER = "http://git-mirror.devops-infra.svc:8080/"
_PAST = 20  # promotions that the site looks back


@dataclass
class Registry:
    """The registry of the node, which can go down and come back as it was."""

    folder: Path
    value: ImageRegistry | None = None
    _running: ExitStack = field(default_factory=ExitStack)

    def up(self) -> ImageRegistry:
        """Start it, on the port that it had."""
        port = self.value.port if self.value else 0
        self.value = self._running.enter_context(image_registry.running(self.folder, port))
        return self.value

    def down(self) -> None:
        """Stop it."""
        self._running.close()


@dataclass
class RealLane:
    """The lane and everything around it. Each test adds commits and leaves it aligned."""

    hwplan: Hwplan
    words: tuple[str, ...]
    argo: ArgoCd
    tekton: Tekton
    registry: Registry
    upstream: BareRepository
    mirror: BareRepository
    upstream_http: GitHttp
    scripts: LaneScripts
    stuck_on: str = ""  # a commit that the site answers with, whatever runs

    @property
    def cluster(self) -> TestCluster:
        """The cluster."""
        return self.argo.cluster

    @property
    def api(self) -> Api:
        """The administrator's client."""
        return self.cluster.api()

    @property
    def programs(self) -> dict[str, Program]:
        """What tasks do, by the beginning of their names."""
        return self.tekton.programs[CI]

    # --- the command ------------------------------------------------------------------------------------------------

    def trigger(self, *words: str, code: int | None = 0, env: dict[str, str] | None = None) -> Ran:
        """`hwplan trigger` of the lane."""
        return self.hwplan("trigger", *self.words, *words, code=code, env=env)

    def status(self, *words: str, code: int | None = 0) -> Any:
        """`hwplan status` of the lane as a document."""
        return self.hwplan("status", *self.words, *words, "--json", code=code).json

    def aligned(self) -> None:
        """Assert that it is aligned, at the tip of the branch."""
        found = self.status(code=None)
        assert (found["aligned"], found["blockers"]) == (True, []), found["blockers"]
        assert found["target"]["commit"] == self.tip()

    def blockers(self, code: int) -> list[str]:
        """Codes of the blockers."""
        return [one["code"] for one in self.status(code=code)["blockers"]]

    # --- what is there ----------------------------------------------------------------------------------------------

    def tip(self) -> str:
        """The commit of the branch upstream."""
        return self.upstream.at(SOURCE)

    def grow(self, *paths: str) -> str:
        """A commit upstream that changes these files; its id."""
        before = self.tip()
        return self.upstream.write(SOURCE, dict.fromkeys(paths, f"after {before}\n"), f"Change {', '.join(paths)}")

    def run_name(self) -> str:
        """The name of the run of the tip."""
        return f"{RUN}-{self.tip()[:12]}"

    def run_names(self) -> list[str]:
        """The PipelineRuns that there are."""
        return [one["metadata"]["name"] for one in self.api.get(RUNS)["items"]]

    def state_of(self, run: str) -> str:
        """The status of a run's condition: `Unknown` while it is at work."""
        live = self.api.get(f"{RUNS}/{run}")
        conditions = (live.get("status") or {}).get("conditions") or ()
        return next((str(one["status"]) for one in conditions if one["type"] == "Succeeded"), "Unknown")

    def forget_old_runs(self) -> None:
        """Delete all runs but that of the tip, with their volumes: the quota of the namespace is that of the lane."""
        for name in self.run_names():
            if name != self.run_name():
                self.api.delete(f"{RUNS}/{name}")

    def services(self) -> list[str]:
        """Names of the services."""
        return sorted(self.catalog(self.mirror.at(GITOPS))["services"])

    def scale(self, service: str, replicas: int) -> str:
        """Declare how many pods a service of the lane has; in words."""
        path = Path(self.words[1]) / "hwlab-node-lanes.yaml"
        found = re.compile(rf"(\n    {service}:\n(?:      .*\n)*?      deploy:\n(?:        .*\n)*?        port: \d+\n)"
                           r"(?:        replicas: \d+\n)?")  # fmt: skip
        text, count = found.subn(rf"\g<1>        replicas: {replicas}\n", path.read_text())
        assert count == 1, service
        path.write_text(text)
        return f"{service}={replicas}"

    def by_hand(self, files: dict[str, str]) -> None:
        """Somebody commits files to the folder of the GitOps branch, beside what is promoted."""
        self.mirror.write(GITOPS, {f"{FOLDER}/{name}": text for name, text in files.items()}, "by hand")

    @contextmanager
    def with_file(self, name: str, text: str) -> Iterator[None]:
        """The same for one file, which somebody takes away again."""
        self.by_hand({name: text})
        try:
            yield
        finally:
            self.by_hand({name: ""})

    def application(self) -> Any:
        """The Application as it is."""
        return self.argo.application(RUNTIME)

    def catalog(self, revision: str) -> Any:
        """What a GitOps commit says that it was made from."""
        return json.loads(self.mirror.read(revision, f"{FOLDER}/catalog.json"))

    def running_images(self) -> set[str]:
        """Images of the services that ready pods really run, as their runtime names them."""
        pods = self.api.get(f"/api/v1/namespaces/{RUNTIME}/pods")["items"]
        states = [
            one
            for pod in pods
            if not pod["metadata"].get("deletionTimestamp")
            for one in pod.get("status", {}).get("containerStatuses", ())
        ]
        return {one["imageID"] for one in states if one["ready"] and "@" in one.get("imageID", "")}

    def serving(self) -> str:
        """The source commit of the newest promotion whose images are just those that run; "" if there is none."""
        if self.stuck_on:
            return self.stuck_on
        running = self.running_images()
        for revision in self.mirror.git("rev-list", f"--max-count={_PAST}", GITOPS).splitlines():
            if not self.mirror.git("ls-tree", revision, f"{FOLDER}/catalog.json"):
                return ""
            catalog = self.catalog(revision)
            if {one["image"] for one in catalog["services"].values()} == running:
                return str(catalog["sourceCommit"])
        return ""

    def writes(self, since: Mark) -> tuple[list[str], list[str]]:
        """Names of the PipelineRuns that hwplan wrote since then, and of the Applications, each as often as it did."""
        made = audit.requests(self.cluster, since, user_agent="hwplan/")
        writes = [one for one in made if one.verb in ("create", "patch", "update") and not one.dry_run and one.code]
        good = [one for one in writes if one.code is not None and one.code < 300]
        found = [[one.name for one in good if one.resource == kind] for kind in ("pipelineruns", "applications")]
        return found[0], found[1]

    def pushes(self, repository: BareRepository, ref: str) -> list[str]:
        """What the repository itself has logged of a ref, oldest first."""
        log = repository.path / "logs" / ref
        return log.read_text().splitlines() if log.exists() else []


@contextmanager
def running(folder: Path, selection: tuple[str, ...] = LANE, others: tuple[str, ...] = ()) -> Iterator[RealLane]:
    """The lane, applied and never rolled out. Raises PartMissing.

    `selection` is what secrets and repositories are made for, `others` the further remotes among those.
    """
    with ExitStack() as stack:
        cluster = stack.enter_context(clusters.running()).value
        box = folder / "box"
        Hwplan(folder, ())("sandbox", "create", str(box), *selection)
        upstream, mirror = _repositories(box)
        for name in others:
            repositories_of(box, name)
        upstream_http = stack.enter_context(http_server(box / "git", lasting=True))
        mirror_http = stack.enter_context(http_server(box / "git" / "mirror", lasting=True))
        proxy = f"http://127.0.0.1:{mirror_http.port}"
        argo = stack.enter_context(argocd.running(cluster, folder / "argocd", proxy=proxy))
        tekton = stack.enter_context(tektons.running(cluster, folder / "tekton"))
        public = stack.enter_context(image_registry.running(folder / "public"))
        registry = Registry(folder / "local")
        stack.callback(registry.down)
        site = stack.enter_context(_site(cluster, folder))
        urls = (upstream_http.url("hwlab.git"), mirror_http.url("").rstrip("/"))
        config = nearby_config(folder, Places("http", *urls, public, registry.up(), site.url))
        make_volumes(cluster.api())
        scripts = LaneScripts(partial(_config_map, cluster), folder / "steps", {_IN_CLUSTER: mirror_http.url("")})
        lane = RealLane(
            _hwplan(folder, cluster), ("--config", str(config), *LANE[2:]), argo, tekton, registry, upstream, mirror,
            upstream_http, scripts,
        )  # fmt: skip
        site.lane = lane
        lane.hwplan("apply", *lane.words, "--confirm", "--timeout", "5m", "-q")
        tekton.enable(CI, {"": scripts})
        yield lane


def _config_map(cluster: TestCluster, namespace: str, name: str) -> dict[str, str]:
    data: dict[str, str] = cluster.api().get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")["data"]
    return data


def _repositories(box: Path) -> tuple[BareRepository, BareRepository]:
    """Upstream and mirror of the sandbox, each with a log of its refs; made-up secrets go where the node has them."""
    secrets = box.parent / ".config" / "hwplan" / "secrets"
    secrets.mkdir(parents=True)
    (box / "secrets").rename(secrets / "D601")
    (box / "git" / "mirror").mkdir()
    return repositories_of(box, "hwlab")


def repositories_of(box: Path, name: str) -> tuple[BareRepository, BareRepository]:
    """Upstream and mirror of a remote, served over http from there."""
    (box / "git" / f"git-mirror-{name}.git").rename(box / "git" / "mirror" / f"{name}.git")
    found = BareRepository(box / "git" / f"{name}.git"), BareRepository(box / "git" / "mirror" / f"{name}.git")
    for one in found:
        one.git("config", "core.logAllRefUpdates", "always")
        one.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return found


def _hwplan(folder: Path, cluster: TestCluster) -> Hwplan:
    context = cluster.run_kubectl("config", "current-context").stdout.strip()
    where = ("--kubeconfig", str(cluster.kubeconfig), "--context", context, "--state", str(folder / "state.db"))
    env = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"), "SSL_CERT_FILE": str(cluster.ca)}
    # A trigger waits for 5 minutes; a process of its own, whose processor time is counted as that of a child.
    return Hwplan(folder, where, env, timeout=400, fresh=True)


@dataclass
class _Site:
    url: str = ""
    lane: RealLane | None = None


@contextmanager
def _site(cluster: TestCluster, folder: Path) -> Iterator[_Site]:
    """The public address: https on localhost."""
    found = _Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"commit": found.lane.serving() if found.lane else ""}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    pair = cluster.authority.server(folder, "site")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with listening.running(listening.HttpServer(Handler, context, lasting=True)) as port:
        found.url = f"https://localhost:{port}"
        yield found
