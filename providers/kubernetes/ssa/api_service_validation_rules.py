"""Rules between the fields of an APIService; see builtin_validation_rules.py. Pure. Source: kube-aggregator 1.36."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from planner.values import JsonObject
from providers.kubernetes.ssa.builtin_value_formats import is_dns_subdomain, is_service_name
from providers.kubernetes.ssa.pod_validation_rules import Problem, Rule


def _api_service(value: JsonObject) -> Iterator[Problem]:
    spec = value.get("spec") or {}
    group, version = str(spec.get("group") or ""), str(spec.get("version") or "")
    name = f"{version}.{group}"
    if value["metadata"].get("name") != name:
        yield ("metadata", "name"), f'must be `spec.version+"."+spec.group`: "{name}"'
    if not group and version != "v1":
        yield ("spec", "group"), "Required value: only v1 may have an empty group and it better be legacy kube"
    if group and not is_dns_subdomain(group):
        yield ("spec", "group"), "a lowercase RFC 1123 subdomain is needed"
    if not version or not is_service_name(version):
        yield ("spec", "version"), "a DNS-1035 label must consist of lower case alphanumeric characters or '-'"
    for field, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        if not 0 < (spec.get(field) or 0) <= most:
            yield ("spec", field), f"must be positive and less than {most}"
    local, trusted, open_to_all = spec.get("service") is None, spec.get("caBundle"), spec.get("insecureSkipTLSVerify")
    for field in ("caBundle", "insecureSkipTLSVerify") if local else ():
        if spec.get(field):
            yield ("spec", field), f"local APIServices may not have {'a ' * (field == 'caBundle')}{field}"
    if not local and trusted and open_to_all:
        yield ("spec", "insecureSkipTLSVerify"), "may not be true if caBundle is present"


_MODEL = "kube-aggregator.pkg.apis.apiregistration.v1.APIService"
API_SERVICE_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {_MODEL: (_api_service,)}
