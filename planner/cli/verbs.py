"""The table of verbs: module, function and one line of help, so that `--help` imports none of them."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """Where a verb lives and what it does, in a line."""

    module: str
    function: str
    help: str


VERBS: dict[str, Verb] = {
    "validate": Verb("validate", "validate", "Check configuration and templates; no network."),
    "plan": Verb("plan", "plan", "Show what would change, field by field, and why."),
    "apply": Verb("apply", "apply", "Make it so: without --confirm only the plan is shown."),
    "destroy": Verb("destroy", "destroy", "Take away what is ours, in reverse order."),
    "undo": Verb("undo", "undo", "Take back what a run did, as a plan like any other."),
    "drift": Verb("drift", "drift", "Show what changed since the last apply, and who changed it."),
    "mirror": Verb("mirror", "mirror", "The refs of the git mirror: status, sync, flush."),
    "image": Verb("image", "image", "The images of the node's registry: status, preload, build, logs."),
    "secret": Verb("secret", "secret", "Secrets by source and fingerprint: status, ensure, delete."),
    "graph": Verb("graph", "graph", "Show the resource graph: text, mermaid, dot, svg or json."),
    "why": Verb("graph", "why", "Explain why a resource stands where it stands."),
    "show": Verb("show", "show", "Render a saved plan in any format."),
    "explain": Verb("reference", "explain", "Document a resource kind or a field of it."),
    "schema": Verb("reference", "schema", "Write the JSON Schemas of configuration and kinds."),
    "sandbox": Verb("sandbox", "sandbox", "Make and play with a simulated cluster in a folder."),
    "snapshot": Verb("snapshot", "snapshot", "Save a live cluster for plans without credentials."),
    "state": Verb("state", "state", "What was applied, when, by whom; unlock."),
    "completion": Verb("completion", "completion", "Print the completion script of a shell."),
}
