"""Plans as the tests of the renderers need them: small, and with every kind of line and field in them."""

from __future__ import annotations

from planner.address import Address
from planner.field_path import ListItemPathElement
from planner.plan import (
    Action,
    BlockedResource,
    Change,
    ClusterIdentity,
    DriftedField,
    FieldChange,
    FieldOp,
    Plan,
    Precondition,
    Selection,
    SideEffect,
    SideEffectKind,
    VerifiedBy,
)
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, OutputRef, OutputTemplate, SealedSecret

HEAD = Address("", "GitHead", "", "", "source")
SCRIPT = "\n".join(["#!/bin/sh", "set -eu", *(f"step {at}" for at in range(1, 60))])
PLACE = ""  # the loader sets a node_lane only where a plan spans several


def address(text: str, node_lane: str = PLACE) -> Address:
    """An address at the node_lane that all samples share."""
    found = Address.parse(text)
    return Address(node_lane, found.kind, found.group, found.namespace, found.name)


def change(
    text: str,
    action: Action,
    *fields: FieldChange,
    scope: str = "runtime",
    reason: str = "declared",
    needs: tuple[str, ...] = (),
    verified: VerifiedBy = VerifiedBy.SERVER,
    line: int = 1,
    desired: JsonObject | None = None,
    node_lane: str = PLACE,
) -> Change:
    """A change with the usual values where a test does not care."""
    return Change(
        address=address(text, node_lane),
        action=action,
        api_version="v1",
        scope=scope,
        reason=reason,
        precondition=Precondition(absent=True) if action is Action.CREATE else Precondition(uid="u-1", content="c-1"),
        source=SourceRef("templates/hwlab/runtime.yaml.j2", line, 3),
        desired=None if action is Action.DELETE else desired or {"kind": text.split("/")[0]},
        fields=fields,
        needs=tuple(address(need, node_lane) for need in needs),
        verified=verified,
    )


def plan_of(
    *changes: Change,
    blocked: tuple[BlockedResource, ...] = (),
    drift: tuple[DriftedField, ...] = (),
    warnings: tuple[str, ...] = (),
    unchanged: int = 0,
    simulated: bool = False,
    destroy: bool = False,
    selection: Selection | None = None,
) -> Plan:
    """A plan for D601/v03 of these parts."""
    return Plan(
        selection=selection or Selection("hwlab", "", ("D601",), ("v03",), ("infra", "runtime"), (), ()),
        cluster=ClusterIdentity("3f0c51ab-0000-4000-8000-000000000001", "k3s-d601", simulated),
        inputs_config="sha256:9b1e07" + "0" * 58,
        inputs_live="sha256:0a0b0c" + "0" * 58,
        changes=changes,
        blocked=blocked,
        drift=drift,
        warnings=warnings,
        unchanged=unchanged,
        destroy=destroy,
    )


def mixed() -> Plan:
    """Every action, every kind of field."""
    container = ("spec", "template", "spec", "containers", ListItemPathElement((("name", "api"),)))
    fingerprint = "hmac-sha256:7a1c02d4e5f60718"
    old, new = SCRIPT, SCRIPT.replace("step 7\n", "step seven\n").replace("step 30", "step 30 ")
    edit, when = "kubectl-edit", "2026-11-21T22:14:02Z"
    tracing: JsonObject = {
        "name": "tracing",
        "image": "registry/trace@sha256:" + "ab" * 32,
        "args": ["--level", "on", "--port=9"],
    }
    return plan_of(
        change("Namespace/hwlab-v03", Action.CREATE, scope="infra"),
        change(
            "Secret/hwlab-v03/postgres-bootstrap",
            Action.CREATE,
            FieldChange(("data", "password"), FieldOp.ADD, None, fingerprint, sensitive=True),
            FieldChange(("data", "token"), FieldOp.ADD, None, "(made at apply)", sensitive=True),
            scope="infra",
            needs=("Namespace/hwlab-v03",),
            verified=VerifiedBy.SCHEMA,
            desired={"kind": "Secret", "data": {"password": SealedSecret("file:secrets/pg.env#PASSWORD", fingerprint)}},
        ),
        change(
            "Pipeline.tekton.dev/hwlab-v03-ci/hwlab-v03",
            Action.UPDATE,
            FieldChange(
                ("spec", "tasks", ListItemPathElement((("name", "build-api"),)), "timeout"),
                FieldOp.CHANGE,
                "10m",
                "20m",
                manager=edit,
                time=when,
            ),
            scope="control-plane",
            reason="drifted",
        ),
        change(
            "ConfigMap/devops-infra/git-mirror",
            Action.UPDATE,
            FieldChange(("data", "sync.sh"), FieldOp.CHANGE, old, new),
            FieldChange(("data", "new.sh"), FieldOp.ADD, None, "echo one\necho two\n"),
            scope="control-plane",
            line=88,
        ),
        change(
            "Deployment.apps/hwlab-v03/cloud-api",
            Action.UPDATE,
            FieldChange(("metadata", "labels", "x/y"), FieldOp.DISOWN, "1", "1", manager="metallb", time=when),
            FieldChange(("spec", "replicas"), FieldOp.CHANGE, 2, 7),
            FieldChange((*container, "image"), FieldOp.CHANGE, "reg/api:v1", OutputRef(HEAD, "commit")),
            FieldChange((*container, "args", 1), FieldOp.REMOVE, "--verbose", None),
            FieldChange((*container, "env"), FieldOp.CHANGE, ["[name=A]", "[name=B]"], ["[name=B]", "[name=A]"]),
            FieldChange((*container[:-1], ListItemPathElement((("name", "tracing"),))), FieldOp.ADD, None, tracing),
            FieldChange(("spec", "paused"), FieldOp.CHANGE, True, None),
        ),
        change(
            "Secret/hwlab-v03/openfga",
            Action.ADOPT,
            FieldChange(("data", "dsn"), FieldOp.CHANGE, fingerprint, "hmac-sha256:99aabbccddeeff00", sensitive=True),
            FieldChange(("data", "old"), FieldOp.REMOVE, fingerprint, None, sensitive=True),
            reason="adopted",
        ),
        change(
            "Job.batch/hwlab-v03/migrate",
            Action.REPLACE,
            FieldChange(("spec", "template"), FieldOp.CHANGE, "x" * 200 + "a" + "y" * 300, "x" * 200 + "b" + "y" * 300),
            reason="spec.template is immutable",
            verified=VerifiedBy.NO,
        ),
        change(
            "PipelineRun.tekton.dev/hwlab-v03-ci/run",
            Action.RUN,
            FieldChange(("spec", "rev"), FieldOp.ADD, None, OutputTemplate(("ci-", OutputRef(HEAD, "short")))),
            needs=("Pipeline.tekton.dev/hwlab-v03-ci/hwlab-v03", "ConfigMap/devops-infra/git-mirror"),
            verified=VerifiedBy.NO,
        ),
        change("Service/hwlab-v03/slow", Action.NOOP, reason="not ready: no endpoints"),
        change("Job.batch/hwlab-v03/old-migrate", Action.DELETE, reason="pruned"),
        blocked=(
            BlockedResource(
                address("StatefulSet.apps/hwlab-v03/postgres"),
                Action.REPLACE,
                "spec.volumeClaimTemplates is immutable",
                remedy="allow it with  hwplan.dev/replace: allow",
                source=SourceRef("templates/hwlab/runtime/postgres.yaml.j2", 12),
            ),
        ),
        drift=(
            DriftedField(
                address("Service/hwlab-v03/cloud-api"),
                FieldChange(("metadata", "annotations", "x/y"), FieldOp.ADD, None, "1", manager="metallb", time=when),
                declared=False,
            ),
        ),
        warnings=("Service/hwlab-v03/slow: deprecated API",),
        unchanged=112,
        simulated=True,
    )


# Strings that a terminal, a CI system or a Markdown page would obey.
HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07",
    "\x9b2J",
    "a\rb",
    "\u202eevil\u2066",
    "zero\u200bwidth\ufeff",
    "line\u2028separator",
    "\ud800 lone",
    "tag\U000e0041s",
    "::set-env name=A::b",
    "##[error]stop",
    "##vso[task.setvariable]x",
    "section_start:1:x",
    "@admin please merge #1",
    "<img src=x onerror=alert(1)>",
    "</summary></details><script>x</script>",
    "[click](javascript:alert(1))",
    "![i](https://evil.example/x.png)",
    "https://evil.example www.evil.example",
    "```\n# heading\n```",
    "~~~",
    "| a | b |",
    "/approve",
    "&lt;b&gt; &#64;admin",
    "\\`escaped\\`",
    "`` ` ``",
    " \n- list\n\n# heading\n\n    code",
)


def hostile(text: str) -> Plan:
    """`text` wherever a string of outside origin can stand."""
    fields = (
        FieldChange(("data", text), FieldOp.CHANGE, text, text + "!", manager=text, time=text),
        FieldChange(("data", "b"), FieldOp.CHANGE, f"a\n{text}\nb", f"a\nb\n{text}"),
        FieldChange(("data", "c"), FieldOp.ADD, None, {text: [text, {"k": text * 40}]}),
        FieldChange(("l", ListItemPathElement((("name", text),))), FieldOp.REMOVE, text, None),
        FieldChange(("m",), FieldOp.DISOWN, text, text, manager=text),
        FieldChange(("s",), FieldOp.CHANGE, text, text, sensitive=True),
        FieldChange(("r",), FieldOp.ADD, None, OutputRef(Address("", "GitHead", "", "", text), text)),
    )
    changes = tuple(
        Change(
            address=Address(PLACE, "ConfigMap", text, text, f"{action}{text}"),
            action=action,
            api_version=text,
            scope=text,
            reason=text,
            precondition=Precondition(uid=text, content=text),
            source=SourceRef(text, 1),
            fields=fields,
        )
        for action in Action
    )
    return Plan(
        selection=Selection(text, "", (text,), (text,), (text,), (text,), (text,)),
        cluster=ClusterIdentity(text, text),
        inputs_config=text,
        inputs_live=text,
        changes=changes,
        sets_off=tuple(
            SideEffect(changes[at % len(changes)].address, kind, f"{text} {at}")
            for at, kind in enumerate(SideEffectKind)
        ),
        blocked=(BlockedResource(changes[0].address, Action.CREATE, text, text, text, SourceRef(text, 1), fields),),
        drift=(DriftedField(Address(PLACE, "Secret", "", text, text), fields[0], declared=False),),
        warnings=(text,),
    )


def many(count: int) -> Plan:
    """The same update on `count` objects, and as many creates."""
    update = FieldChange(("spec", "replicas"), FieldOp.CHANGE, 1, 2)
    updates = (change(f"Deployment.apps/n/d{at:05d}", Action.UPDATE, update) for at in range(count))
    creates = (change(f"ConfigMap/n/c{at:05d}", Action.CREATE, scope="infra") for at in range(count))
    return plan_of(*creates, *updates)


def several_places() -> Plan:
    """One plan over two lanes."""
    lanes = ("D601/v02", "D601/v03")
    changes = (change("Namespace/n", Action.CREATE, scope="infra", node_lane=node_lane) for node_lane in lanes)
    inside = (
        change("ConfigMap/n/c", Action.CREATE, needs=("Namespace/n",), node_lane=node_lane) for node_lane in lanes
    )
    return plan_of(*changes, *inside, selection=Selection("hwlab", "", ("D601",), ("v02", "v03")))


SAMPLES = {
    "mixed": mixed(),
    "empty": plan_of(unchanged=153),
    "many-alike": many(15),
    "several-places": several_places(),
    "destroy": plan_of(
        change("Deployment.apps/n/d", Action.DELETE, reason="destroyed"),
        change("Namespace/n", Action.DELETE, reason="destroyed", needs=("Deployment.apps/n/d",), scope="infra"),
        destroy=True,
    ),
    "blocked-only": plan_of(
        blocked=(BlockedResource(address("Secret/n/s"), Action.UPDATE, "unreadable: forbidden: get secrets"),),
        unchanged=3,
    ),
}
