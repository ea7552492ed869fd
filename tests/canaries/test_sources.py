"""Where values come from, end to end on the real API server: read again, refused when moved, made once, copied."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.canaries.canary import canary
from tests.canaries.world import World
from tests.testbed.cluster import TestCluster


def _live(cluster: TestCluster, world: World, name: str) -> dict[str, str]:
    """The values of a Secret as they stand on the server; empty when it is not there."""
    found = cluster.api().find(f"/api/v1/namespaces/{world.planted.namespace}/secrets/{name}")
    return {key: base64.b64decode(text).decode() for key, text in ((found or {}).get("data") or {}).items()}


def _actions(world: World, *words: str) -> dict[str, str]:
    """What is written; a no-op is only waited for: nothing makes the pods of an API server alone ready."""
    plan: Any = json.loads(world.run("plan", "--json", *words)[1])
    return {change["name"]: change["action"] for change in plan["changes"] if change["action"] != "no-op"}


def test_a_saved_plan_whose_secret_moved_is_refused_before_anything_is_written(
    real: World, api_server: TestCluster
) -> None:
    saved = str(real.work / "plan.json")
    assert real.run("plan", "--out", saved)[0] == 0
    real.planted.rotate()
    (real.planted.sources / "urls.env").unlink()
    words = ("apply", saved, "--confirm", "--no-wait")
    code, reported = real.run(*words, select=False, env=_config(real))
    assert code == 3, reported
    assert "the value of file:" in reported and "plain.env#PLAIN_0 is another one" in reported and "more" in reported
    assert not _live(api_server, real, "c-yaml"), "nothing was written, not even what did not move"
    assert not real.found


def test_a_value_is_written_as_it_is_at_the_source(real: World, api_server: TestCluster) -> None:
    assert real.converge("apply") == 0
    assert _live(api_server, real, "c-dotenv")["DOTENV_0"] == f"{canary('first dotenv 0')}\n second line"
    assert _live(api_server, real, "c-yaml")["YAML_0"].startswith(canary("first yaml 0") + ' "quoted" \\ é\t<&>')
    assert _live(api_server, real, "c-process")["PROCESS_0"] == canary("first process 0")
    assert _live(api_server, real, "c-pem")["PEM_0"].endswith("-----END PRIVATE KEY-----\n")
    assert _actions(real) == {}


def test_a_generated_value_is_made_once_and_anew_only_when_asked(real: World, api_server: TestCluster) -> None:
    template = real.planted.folder / "templates" / "demo" / "app" / "20-secrets.yaml.j2"
    assert real.converge("apply") == 0
    first = _live(api_server, real, "c-generated")
    assert len(set(first.values())) == len(first) and all(len(value) == 40 for value in first.values())
    (real.work / "state.db").unlink()
    text = template.read_text()
    template.write_text(text.replace('"name": "c-generated"', '"name": "c-generated", "labels": {"a": "b"}'))
    assert _actions(real) == {"c-generated": "update"}
    assert real.converge("apply", "--allow", "missing-state") == 0
    assert _live(api_server, real, "c-generated") == first, "a lost state and another change make nothing anew"
    template.write_text(template.read_text().replace('"length": 40', '"length": 40, "rotation": 2'))
    _, reported = real.run("plan")
    assert "made at apply" in reported
    assert real.converge("apply") == 0
    second = _live(api_server, real, "c-generated")
    assert not set(second.values()) & set(first.values())
    assert _actions(real) == {}
    real.run("apply", "--confirm", "--no-wait")
    assert _live(api_server, real, "c-generated") == second


def test_a_copy_of_another_secret_follows_it(real: World, api_server: TestCluster) -> None:
    path = f"/api/v1/namespaces/{real.planted.namespace}/secrets/origin"
    assert real.converge("apply") == 0
    assert _live(api_server, real, "c-copied")["COPIED_0"] == canary("first copied 0")
    moved = base64.b64encode(canary("moved").encode()).decode()
    api_server.api().merge(path, {"data": {"COPIED_0": moved}})
    assert _actions(real) == {"c-copied": "update"}
    assert real.run("secret", "ensure", "--confirm")[0] == 0
    assert _live(api_server, real, "c-copied")["COPIED_0"] == canary("moved")
    api_server.api().delete(path)
    code, reported = real.run("secret", "status")
    assert code == 1 and f"Secret {real.planted.namespace}/origin does not exist" in reported
    assert not real.found


def test_what_no_server_takes_is_refused_before_anything_is_written(real: World, api_server: TestCluster) -> None:
    (real.planted.sources / "pem-0").write_text("x" * (1 << 20))
    (real.planted.sources / "pull").write_text(canary("no json"))
    (real.planted.sources / "json.json").write_text("{}")
    code, reported = real.run("plan")
    name = f"Secret/{real.planted.namespace}"
    assert f"{name}/c-pem" in reported and "a Secret holds at most 1,048,576 (largest: PEM_0)" in reported
    assert f"{name}/c-pull" in reported and "the value of .dockerconfigjson is not a JSON object" in reported
    assert f"{name}/c-json" in reported and "has no key" in reported, "all at once"
    code, reported = real.run("apply", "--confirm", "--no-wait")
    assert code == 1 and not _live(api_server, real, "c-pem") and _live(api_server, real, "c-yaml")
    assert not real.found


def _config(world: World) -> dict[str, str]:
    return {"HWPLAN_CONFIG": str(world.planted.folder / "config")}
