"""`hwplan secret`: fingerprints of both sides, ensured from the source, obsolete ones deleted by plan; no value."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, changes

_TWO = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {ns}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: retained, namespace: {ns}}}
stringData: {{password: canary-retained}}
"""
_OLD = """\
---
apiVersion: v1
kind: Secret
metadata: {{name: old, namespace: {ns}}}
stringData: {{password: canary-old}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: old, namespace: {ns}}}
"""


def test_a_value_that_moved_is_seen_and_ensured(lane_box: Hwplan) -> None:
    lane_box("apply", *LANE, "--confirm")
    before = lane_box("secret", "status", *LANE, "--json").json
    assert before["keys"] and {key["state"] for key in before["keys"]} == {"in sync"}
    source = next((Path(lane_box.where[1]) / "secrets").glob("hwlab-v03.env"))
    text = source.read_text()
    value = next(line.partition("=")[2] for line in text.splitlines() if line.startswith("DATABASE_URL="))
    source.write_text(text.replace(value, "canary-rotated"))
    after = lane_box("secret", "status", *LANE, "--json").json
    moved = [key for key in after["keys"] if key["state"] != "in sync"]
    assert [(key["key"], key["state"]) for key in moved] == [("DATABASE_URL", "differs")]
    plan = lane_box("secret", "ensure", *LANE, "--json").json
    assert changes(plan) == {moved[0]["address"]: "update"}
    pages = [
        lane_box("secret", "ensure", *LANE, "--plan-id", plan["id"], "--confirm"),
        lane_box("secret", "status", *LANE),
    ]
    assert all("canary-rotated" not in ran.out + ran.err and value not in ran.out + ran.err for ran in pages)
    assert {key["state"] for key in lane_box("secret", "status", *LANE, "--json").json["keys"]} == {"in sync"}


def test_only_obsolete_secrets_are_deleted(hwplan: Hwplan, unique: str) -> None:
    file = hwplan.folder / "app.yaml"
    words = ("-f", file.name, "--name", unique)
    file.write_text((_TWO + _OLD).format(ns=unique))
    hwplan("apply", *words, "--confirm", "--no-wait")
    file.write_text(_TWO.format(ns=unique))
    assert hwplan("secret", "status", *words, "--json").json["obsolete"] == [f"Secret/{unique}/old"]
    plan = hwplan("secret", "delete", *words, "--json").json
    assert changes(plan) == {f"Secret/{unique}/old": "delete"}
    hwplan("secret", "delete", *words, "--plan-id", plan["id"], "--confirm")
    assert hwplan("secret", "status", *words, "--json").json["obsolete"] == []
    assert changes(hwplan.plan(*words)) == {f"ConfigMap/{unique}/old": "delete"}, "the rest waits for its own plan"


def test_a_value_that_is_repeated_in_clear_is_warned_of(simulated: Hwplan) -> None:
    """It is declared, so the state and a saved plan hold it; whoever can take it out is told where it stands."""
    value = "canary-4f9Kq7Zp"
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: default}}\nstringData: {{pw: {value}}}\n"
    config = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: default}\n"
    (simulated.folder / "app.yaml").write_text(f"{secret}{config}data: {{url: 'pg://u:{value}@db', other: plain}}\n")
    words = ("-f", "app.yaml", "--name", "app")
    (warning,) = [one for one in simulated.plan(*words)["warnings"] if "repeats" in one]
    assert warning.startswith("ConfigMap/default/c repeats the value of a secret in data.url: ")
    ran = simulated("apply", *words, "--confirm")
    assert warning in ran.out and value not in ran.out + ran.err
    assert simulated.plan(*words)["warnings"] == [], "what is there already is not written"


def test_the_page_fits_a_narrow_terminal_and_names_what_is_missing(lane_box: Hwplan) -> None:
    lane_box("apply", *LANE, "--confirm")
    page = lane_box("secret", "status", *LANE, env={"COLUMNS": "80"}).out
    assert "  ok     DATABASE_URL   fp " in page and "  made once\n" in page and "keys as at their source\n" in page
    assert max(map(len, page.splitlines())) <= 100
    (Path(lane_box.where[1]) / "secrets" / "hwlab-v03.env").unlink()
    missing = lane_box("secret", "status", *LANE, code=1)
    assert "hwlab-v03.env does not exist in the secrets folder (declared in templates/shared/secrets/10-" in missing.out
    document = lane_box("secret", "status", *LANE, "--json", code=1).json
    assert document["schemaVersion"] == 1 and {key["state"] for key in document["keys"]} == {"in sync", "unknown"}
    assert (
        lane_box("secret", "ensure", *LANE, "--confirm", code=1).out.count("does not exist in the secrets folder") >= 4
    )
