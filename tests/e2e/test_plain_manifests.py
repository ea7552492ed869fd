"""`plan|apply|destroy -f … --name APP`: what a user of kubectl, helm or kustomize tries first."""

from __future__ import annotations

import pytest

from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.testbed.cluster import TestCluster


def test_from_nothing_to_nothing_to_do(hwplan: Hwplan, unique: str) -> None:
    file = manifests.write(hwplan.folder, "app.yaml", manifests.APP.format(ns=unique))
    words = ("-f", file, "--name", unique)
    plan = hwplan.plan(*words)
    assert list(changes(plan)) == [
        f"Namespace/{unique}", f"ConfigMap/{unique}/settings", f"Secret/{unique}/login",
        f"Deployment.apps/{unique}/web",
    ]  # fmt: skip
    assert change_of(plan, f"Deployment.apps/{unique}/web")["needs"] == [
        f"ConfigMap/{unique}/settings", f"Namespace/{unique}", f"Secret/{unique}/login",
    ]  # fmt: skip
    shown = hwplan("apply", *words)
    assert "--confirm" in shown.out and hwplan.plan(*words)["summary"]["create"] == 4, "nothing was to change"
    hwplan("apply", *words, "--confirm")
    hwplan.empty(*words)
    assert hwplan("apply", *words, "--confirm").code == 0


def test_a_piped_chart_and_a_file_taken_away(hwplan: Hwplan, unique: str) -> None:
    documents = manifests.APP.format(ns=unique).split("---\n")
    rendered = "---\n".join(documents)
    words = ("-f", "-", "--name", unique)
    hwplan("apply", *words, "--confirm", stdin=rendered)
    again = hwplan("plan", *words, "--detailed-exitcode", stdin=rendered)
    assert again.code == 0
    without = "---\n".join(document for document in documents if "kind: Deployment" not in document)
    plan = hwplan("plan", *words, "--json", stdin=without).json
    assert changes(plan) == {f"Deployment.apps/{unique}/web": "delete"}, "only what left, nothing of anybody else"
    hwplan("apply", *words, "--confirm", stdin=without)
    assert hwplan("plan", *words, "--detailed-exitcode", stdin=without).code == 0


@pytest.mark.parametrize("text", ["", "# a chart without values\n---\n", "apiVersion: v1\nkind: List\nitems: []\n"])
def test_input_without_an_object_deletes_nothing(hwplan: Hwplan, unique: str, text: str) -> None:
    """A pipe whose first command failed is empty. kubectl refuses it as well."""
    words = ("-f", "-", "--name", unique)
    whole = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {unique}, namespace: default}}\ndata: {{a: b}}\n"
    for applied in (False, True):
        for verb in (("plan",), ("apply", "--confirm")):
            refused = hwplan(*verb, *words, stdin=text, code=1)
            assert "no objects in standard input" in refused.err and f"destroy --set {unique}" in refused.err
        if not applied:
            hwplan("apply", *words, "--confirm", stdin=whole)
    assert hwplan("plan", *words, "--detailed-exitcode", stdin=whole).code == 0, "it is still there"
    hwplan("destroy", "--set", unique, "--confirm")
    assert changes(hwplan("plan", *words, "--json", stdin=whole).json) == {f"ConfigMap/default/{unique}": "create"}


def test_kubectl_refuses_input_without_an_object(api_server: TestCluster) -> None:
    for text in ("", "# only\n---\n", "apiVersion: v1\nkind: List\nitems: []\n"):
        done = api_server.run_kubectl("apply", "-f", "-", stdin=text)
        assert (done.returncode, done.stderr) == (1, "error: no objects passed to apply\n")


def test_nothing_of_another_owner_is_pruned(hwplan: Hwplan, unique: str) -> None:
    first = manifests.write(hwplan.folder, "app.yaml", manifests.APP.format(ns=unique))
    other = manifests.write(
        hwplan.folder, "other.yaml",
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: theirs, namespace: {unique}}}\ndata: {{a: b}}\n",
    )  # fmt: skip
    hwplan("apply", "-f", first, "--name", unique, "--confirm")
    hwplan("apply", "-f", other, "--name", f"{unique}-b", "--confirm")
    hwplan.empty("-f", first, "--name", unique)
    hwplan("destroy", "-f", other, "--name", f"{unique}-b", "--confirm")
    hwplan.empty("-f", first, "--name", unique)


def test_a_namespace_takes_nothing_along_that_no_plan_names(hwplan: Hwplan, unique: str) -> None:
    first = manifests.write(hwplan.folder, "app.yaml", manifests.APP.format(ns=unique))
    theirs = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: theirs, namespace: {unique}}}\n"
    hwplan("apply", "-f", first, "--name", unique, "--confirm")
    hwplan("apply", "-f", "-", "--name", f"{unique}-b", "--confirm", stdin=theirs)
    plan = hwplan("destroy", "-f", first, "--name", unique, "--json", code=1).json
    (blocked,) = plan["blocked"]
    assert (blocked["address"], blocked["action"]) == (f"Namespace/{unique}", "delete")
    assert blocked["evidence"] == f"inside: ConfigMap/{unique}/theirs"
    assert f"Namespace/{unique}" not in changes(plan) and len(changes(plan)) == 3
    assert "does not name" in hwplan("destroy", "-f", first, "--name", unique, "--confirm", code=1).out
    hwplan("destroy", "-f", "-", "--name", f"{unique}-b", "--confirm", stdin=theirs)
    plan = hwplan("destroy", "-f", first, "--name", unique, "--json").json
    assert plan["blocked"] == [] and changes(plan) == {f"Namespace/{unique}": "delete"}


def test_namespace_definition_and_custom_resource_in_one_fresh_plan(hwplan: Hwplan, unique: str) -> None:
    file = manifests.write(hwplan.folder, "w.yaml", manifests.WIDGETS.format(ns=unique, size=3))
    words = ("-f", file, "--name", unique)
    plan = hwplan.plan(*words)
    widget = f"Widget.{unique}.example.com/{unique}/first"
    assert changes(plan)[widget] == "create"
    assert change_of(plan, widget)["verified"] == "schema"
    hwplan("apply", *words, "--confirm")
    hwplan.empty(*words)


def test_an_invalid_custom_resource_is_found_before_its_definition_lives(hwplan: Hwplan, unique: str) -> None:
    file = manifests.write(hwplan.folder, "w.yaml", manifests.WIDGETS.format(ns=unique, size=0))
    plan = hwplan.plan("-f", file, "--name", unique)
    assert [blocked["address"] for blocked in plan["blocked"]] == [f"Widget.{unique}.example.com/{unique}/first"]
    assert "spec.size" in plan["blocked"][0]["reason"] + plan["blocked"][0]["evidence"]


def test_destroy_takes_away_what_is_ours_in_reverse(hwplan: Hwplan, unique: str) -> None:
    file = manifests.write(hwplan.folder, "app.yaml", manifests.APP.format(ns=unique))
    words = ("-f", file, "--name", unique)
    hwplan("apply", *words, "--confirm")
    plan = hwplan("destroy", *words, "--json").json
    order = list(changes(plan))
    assert set(changes(plan).values()) == {"delete"} and len(order) == 4
    assert order.index(f"Deployment.apps/{unique}/web") < order.index(f"Secret/{unique}/login")
    assert order[-1] == f"Namespace/{unique}"
    hwplan.empty(*words)  # nothing was done without --confirm


def test_no_secret_byte_leaves(real: Hwplan, api_server: TestCluster, unique: str) -> None:
    file = manifests.write(real.folder, "app.yaml", manifests.APP.format(ns=unique))
    words = ("-f", file, "--name", unique)
    saved = real.folder / "plan.json"
    outputs = [
        real("plan", *words, "--out", str(saved)).out,
        real("plan", *words, "--json").out,
        real("plan", *words, "--format", "markdown").out,
        real("apply", *words, "--confirm", "-v").out,
        real("drift", *words).out,
        saved.read_text(),
        (real.folder / "state.db").read_bytes().decode("latin1"),
    ]
    live = api_server.api().get(f"/api/v1/namespaces/{unique}/secrets/login")
    assert live["data"]["password"] == "aHVudGVyMi1jYW5hcnk="
    for output in outputs:
        assert "hunter2" not in output and "aHVudGVyMi" not in output
