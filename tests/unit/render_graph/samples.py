"""Graphs to draw: an ordinary one of any size, and one whose every text is hostile."""

from __future__ import annotations

from planner.address import Address
from planner.graph import Edge, ResourceGraph, graph_of_edges

HOSTILE = (
    '"]; click n1 "javascript:alert(1)"',
    "<script>alert(1)</script>",
    "a\nend\n%%{init: {}}%%",
    "\x1b[31mred\x07\x9b2J",
    "`**x**`\n```",
    "1. list",
    "- dash",
    "\\N\\G \\",
    "&lt;b&gt; &amp;",
    "\u202eevil\u200b\ufeff",
    "end",
    "style a:b #c;",
    "x --> y",
    "::error::x",
    "#quot;",
    "]]><!--",
    "'onload='x",
    "\ud800\uffff\x00",
)


def address(text: str) -> Address:
    return Address.parse(text)


def tiny() -> ResourceGraph:
    """Namespace -> account -> deployment, with one edge that the chain implies and one twofold edge."""
    space, account, app = (
        address(text) for text in ("D601/v03:Namespace/shop", "D601/v03:ServiceAccount/shop/api", APP)
    )
    return graph_of_edges(
        (space, account, app),
        (
            Edge(space, account, "namespace", "metadata.namespace"),
            Edge(space, app, "namespace", "metadata.namespace"),
            Edge(account, app, "service-account", "spec.template.spec.serviceAccountName"),
            Edge(account, app, "depends-on", "metadata.annotations[hwplan.dev/depends-on]", True),
        ),
    )


APP = "D601/v03:Deployment.apps/shop/api"


def stack(apps: int) -> ResourceGraph:
    """Five namespaces with `apps` applications of six objects each: wide, with long edges and shared ones."""
    head, image = address("GitHead/source"), address("RegistryImage/api")
    nodes, edges = [head, image], [Edge(head, image, "ref", "spec.tag")]
    for number in range(apps):
        space = f"team-{number % 5}"
        names = [
            f"Namespace/{space}",
            *(f"{kind}/{space}/app-{number}" for kind in ("ConfigMap", "Secret", "ServiceAccount", "Deployment.apps")),
            f"Service/{space}/app-{number}",
        ]
        root, config, secret, account, app, service = (address(name) for name in names)
        nodes += [root, config, secret, account, app, service]
        edges += [Edge(root, one, "namespace", "metadata.namespace") for one in (config, secret, account, app, service)]
        edges += [Edge(one, app, "volume", "spec.template") for one in (config, secret, account, image)]
        edges.append(Edge(app, service, "selector", "spec.selector"))
    return graph_of_edges(nodes, edges)


def hostile() -> ResourceGraph:
    """A chain of nodes whose every part is hostile, as are rules and fields."""
    nodes = [Address("n/l", text, text, f"ns{text}", text) for text in HOSTILE]
    pairs = zip(nodes, nodes[1:], HOSTILE, strict=False)
    return graph_of_edges(nodes, [Edge(one, other, text, text, text < "a") for one, other, text in pairs])


def hostile_labels() -> dict[Address, str]:
    return {node: node.name for node in hostile().order()}
