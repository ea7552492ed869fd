"""Entries of the lists that stay, each with its reason."""

from collections.abc import Mapping

_RULE = "one module for each edge rule, so that a rule is found by its noun"
_LAZY = "imported only where it is needed: a command does not pay for the others"

CLASS_NAMES: Mapping[str, str] = {}
MODULES: Mapping[str, str] = {}
SMALL_MODULES: Mapping[str, str] = {
    "planner.app.fleet.fleet_sandboxes": "knows which nodes a fleet has; planner.app.sandbox makes one sandbox",
    "planner.app.manifest_download": "asks the network: what the loader must not do by itself",
    "planner.app.secret_source_changes_since_plan": "reads every source again before an apply; loading must not",
    "planner.cli.config_completion": _LAZY,
    "providers.http.server_clock": "the time of any server that is asked over HTTP; the API server's is the first",
    "planner.cli.ending_signals": "how a command ends by a signal; the verb knows only that it does",
    "planner.executor.observer_chain": "a public type of the package; the others of it do not know it",
    "planner.graph.rules.argo": _RULE,
    "planner.graph.rules.crds": _RULE,
    "planner.graph.rules.images": _RULE,
    "planner.graph.rules.namespaces": _RULE,
    "planner.graph.rules.rest_secrets": _RULE,
    "planner.graph.rules.secret_refs": _RULE,
    "planner.graph.rules.storage": _RULE,
    "planner.loading.manifests.helm_hooks": "rules of another tool (Helm), apart from those of hwplan",
    "planner.loading.kind_hooks": _LAZY,
    "planner.loading.config_files": "the disk, apart from config.py, which is about what the files say",
    "planner.loading.products_named_by_words": "pure: which products are meant; config.py reads and checks",
    "planner.loading.prometheus_of_node": "a short form of one kind, apart from the table that names it",
    "planner.cli.closed_streams": "descriptors of the process, before any module of a command is imported",
    "planner.redaction.redacted_stream": "what the entry point puts before both streams; the redactor knows no stream",
    "planner.render.graph_formats": "the table of graph formats, where a new one is added",
    "providers.kubernetes.ssa.api_service_validation_rules": "one module for each group of rules, like its siblings",
    "providers.kubernetes.snapshot.secret_fingerprint_forms": "the only module of it that touches values of Secrets",
    "providers.kubernetes.ssa.stateful_set_overwritten_fields": "pure: what of one kind is judged, not the checks",
    "providers.kubernetes.ssa.default_image_pull_policy": "the grammar of image names, not the table of defaults",
    "providers.simulated_github.sandbox_github_web": "the way in without a network; the testbed serves HTTP",
}
