"""Files and short texts: YAML, JSON streams, secrets, kubeconfig, Dockerfiles, references, amounts, patterns, rules."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from planner.address import Address
from planner.duration import parse_duration, render_duration
from planner.errors import HwplanError
from planner.field_path import parse_path, path_sort_key, render_path
from planner.image_names import split_image_reference
from planner.jinja_templating import TemplateProblem, render_template_text
from planner.loading.config_policies.dockerfile_image_parsing import images_of_dockerfile
from planner.loading.manifests.plain_manifests import load_plain_manifests
from planner.loading.secrets.dotenv import parse_dotenv
from planner.loading.secrets.secret_files import SecretFileRef, read_secret_file
from planner.loading.yaml.document_limits import CONFIG, MANIFEST
from planner.loading.yaml.json_stream import split_json_stream
from planner.loading.yaml.load_documents import load_documents
from planner.spec import base
from planner.text_safe import fenced_code_block, html_safe, markdown_safe, safe_text
from planner.values import parse_output_ref
from providers.canned_answers import read_canned_answers
from providers.git.checked_names import check_commit_id, check_ref_name, parse_repository_url
from providers.images.image_reference import check_digest_syntax, is_loopback, parse_image_or_layout_reference
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.ssa import builtin_value_formats, crd_formats
from providers.kubernetes.ssa.cel_rules import judge_cel_rules
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.quantity import canonical_quantity, quantity_amount, round_quantity_up
from providers.kubernetes.ssa.re2_pattern_matching import is_valid_re2_pattern, matches_re2
from providers.prometheus.scrape_targets import create_canned_target_lister
from providers.web.bounded_http_client import BoundedHttpClient
from state.fingerprint import KeyedFingerprinter
from tests.fuzz.fuzz_target import FuzzTarget

_FOLDER = Path(tempfile.mkdtemp(prefix="hwplan-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
_CONFIG = Path(__file__).parents[2] / "config"
_YAML = (
    b"a: 1\nb: [x, y]\nc: {d: e, f: null}\ng: |\n  text\n   more\nh: >-\n  folded\n  text\ni: 0x1f\nj: 1e3\nk: 2026-11-22\n---\nl: \"\\u00e9\\n\"\n",
    b"a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: !!str 5\n  ? f\n  : g\n- h\n",
    b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}}\n{"kind":"List","items":[]}\n',
    (_CONFIG / "products.yaml").read_bytes(), (_CONFIG / "web-probe-sentinel.yaml").read_bytes(),
)  # fmt: skip
_MANIFESTS = (
    b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b, annotations: {hwplan.dev/depends-on: 'Secret/b/c'}}\ndata:\n  k: |\n    v\n---\n"
    b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: c\n  namespace: b\nstringData: {p: x}\ndata: {q: aGk=}\n",
    b"apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: d, generateName: x-}\n  spec: {replicas: 1, template: {spec: {containers: [{name: a, image: 'a:1'}]}}}\n",
    b'{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}',
)  # fmt: skip
_KUBECONFIG = (
    b"apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u, namespace: n}\nclusters:\n- name: c\n"
    b"  cluster: {server: 'https://127.0.0.1:6443', certificate-authority-data: LS0t, tls-server-name: x, proxy-url: 'http://p:1'}\nusers:\n- name: u\n"
    b"  user: {token: abc, client-certificate-data: LS0t, client-key-data: LS0t, as: me, as-groups: [g]}\n",
    b"contexts: [{name: a, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: https://h, insecure-skip-tls-verify: true}}]\n"
    b"users: [{name: u, user: {username: a, password: b, tokenFile: t}}]\ncurrent-context: a\n",
)  # fmt: skip
_DOTENV = (
    "# c\nA=1\nexport B=\"two \\n \\$x\"\nC='three\nlines'\nD= bare # note\n",
    "A=${B}\nC=`x`\n",
    "A = 'x\n\"'\n",
)
_DOCKERFILE = (
    "ARG BASE=debian:12\nFROM --platform=linux/amd64 ${BASE:-alpine} AS build\nRUN --mount=type=bind,from=golang:1 <<EOF\nFROM x\nEOF\n"
    "COPY --from=build /a /b\nFROM scratch\nCOPY --from=nginx:1 /x \\\n  # note\n  /y\n",
)
_CANNED = (
    b"probes:\n- url: https://a/\n  status: 200\n  body: '{}'\nqueries:\n- promql: up\n  value: [1]\ntargets:\n- {job: a, address: 'b:1', path: /m, health: up}\n",
)
_DURATIONS = ("90s", "1h30m", "1.5d", "100ms", "0s")
_QUANTITIES = ("1500m", "2Gi", "1e3", "0.1", "-5k", "1E", "12e-3", ".5", "1Ki")
_CRON = ("*/5 * * * *", "0 0 1 jan mon-fri", "TZ=Europe/Berlin 1-5/2 * ? * 7", "@daily", "@every 1h30m")
_PATTERNS = ("^[a-z]+$", "[[:alpha:]]{2,5}", "(a|b)*c", "\\pL\\d+", "(?i)x(?P<n>y)")
_PATHS = ("spec.containers[name=a].image", 'metadata.annotations["a.b/c"]', "items[0]", 'x[="v"]', "a[k=1,p=TCP].b")
_REFS = ("refs/heads/main", "refs/tags/v1.2", "refs/hwplan/x")
_URLS = (
    "ssh://git@host:22/a/b.git",
    "https://host/a.git",
    "file:///srv/a.git",
    "http://[::1]:80/x",
    "https://host/a?b=c#d",
)
_IMAGES = ("registry.example:5000/a/b:1", "docker.io/library/x@sha256:" + "a" * 64, "oci:folder:name", "localhost/x:y")
_ADDRESSES = ("Deployment.apps/ns/name", "D601/v03:ConfigMap/ns/x", "GitHead/source")
_TEXTS = (
    "plain",
    "\x1b[31mred\x1b[0m ::error::x",
    "##vso[task] a\u202eb\u200b",
    "| a | `b` <c> & ``` ~~~",
    "section_start:1:x\r\n",
)
_RULES = (
    "self.size > 1 || has(self.name)", "self.parts.all(p, p.name != '')", "size(self.name) < 5 && self.name.matches('^a')",
    "self == oldSelf", "self.any.exists(k, k.startsWith('x'))", "quantity('1Gi').isGreaterThan(quantity('1Mi'))",
)  # fmt: skip
_TEMPLATES = (
    "a: {{ node.name }}\n{% for x in items %}- {{ x | indent(2) }}\n{% endfor %}{% if a is defined %}b{% endif %}\n",
    "{{ (items | first).upper() }}{% set x = 1 %}{{ x * 3 }}{{ 'a' ~ 'b' }}{{ items[0] }}",
)


def _file(name: str, data: bytes) -> Path:
    path = _FOLDER / name
    path.write_bytes(data)
    return path


def _kubeconfig(data: bytes) -> None:
    resolve_connection_settings(str(_file("kubeconfig", data)), environ={}, pod=_FOLDER / "no-pod")


def _secret(form: Any) -> Callable[[bytes], object]:
    def parse(data: bytes) -> None:
        _file("secret", data)
        read_secret_file(_FOLDER, SecretFileRef("n", path="secret", format=form, key="k"))

    return parse


def _manifests(data: bytes) -> None:
    path = str(_file("m.yaml", data))
    load_plain_manifests(
        [path], stdin=None, name="x", fingerprinter=KeyedFingerprinter(b"k" * 32), cache=_FOLDER / "cache"
    )


def _canned(data: bytes) -> None:
    path = _file("answers.yaml", data)
    create_canned_target_lister(path)("x")
    read_canned_answers(path, "queries", lambda row: (str(row["promql"]), row["value"]), fields="promql")


def _widget() -> Any:
    return {"type": "object", "properties": {"size": {"type": "integer"}, "name": {"type": "string"}, "parts": {
        "type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "any": {"type": "object", "additionalProperties": {"type": "string"}}}}  # fmt: skip


def _cel(rule: str) -> None:
    schema = {**_widget(), "x-kubernetes-validations": [{"rule": rule, "message": "no"}]}
    crd = {"spec": {"group": "e.test", "names": {"kind": "W", "plural": "ws"}, "scope": "Namespaced", "versions": [
        {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": schema}}}}]}}  # fmt: skip
    kind = MergeTypeTable.builtin().with_crds([crd]).type_of("e.test/v1", "W")
    value: Any = {
        "apiVersion": "e.test/v1",
        "kind": "W",
        "spec": {"size": 2, "name": "abc", "parts": [{"name": "x"}], "any": {"xy": "1"}},
    }
    judge_cel_rules(kind, value, {**value, "spec": {"size": 1}})


def _path(text: str) -> None:
    path = parse_path(text)
    render_path(path)
    path_sort_key(path)


def _quantity(text: str) -> None:
    quantity_amount(text)
    canonical_quantity(text)
    round_quantity_up(text)


def _formats(text: str) -> None:
    for check in (
        "is_cron_schedule",
        "is_ip",
        "is_dns_label",
        "is_dns_subdomain",
        "is_qualified_name",
        "is_label_value",
        "is_config_key",
        "is_port_name",
    ):
        getattr(builtin_value_formats, check)(text)
    for form in (
        "uuid",
        "hostname",
        "ipv4",
        "ipv6",
        "cidr",
        "byte",
        "date",
        "date-time",
        "duration",
        "mac",
        "uri",
        "email",
    ):
        crd_formats.has_format(form, text)


def _pattern(text: str) -> None:
    is_valid_re2_pattern(text)
    matches_re2(text, "a" * 60 + "!")


_CLIENT = BoundedHttpClient()


def _url(text: str) -> None:
    for check in (
        parse_repository_url, base._http_url, base._git_url, is_loopback,
        lambda one: _CLIENT._server("GET", one), lambda one: base.split_url(one, ("https", "ssh")),
    ):  # fmt: skip
        try:
            check(text)
        except (HwplanError, ValueError):
            continue


def _reference(text: str) -> None:
    split_image_reference(text)
    for check in (parse_image_or_layout_reference, base._image, base._image_source, check_digest_syntax):
        try:
            check(text)
        except (HwplanError, ValueError):
            continue


def _ref(text: str) -> None:
    for check in (check_ref_name, check_commit_id, base._branch, base._full_ref, base._inner_path):
        try:
            check(text)
        except (HwplanError, ValueError):
            continue


def _duration(text: str) -> None:
    seconds = parse_duration(text)
    render_duration(seconds)
    int(seconds)


def _shown(text: str) -> None:
    for shown in (safe_text(text), html_safe(text), markdown_safe(text), "".join(fenced_code_block([text]))):
        assert all(char.isprintable() for char in shown)
        shown.encode()


def _template(text: str) -> None:
    render_template_text(text, {"node": {"name": "n"}, "items": ["a", "b"], "a": 1})


TARGETS = (
    FuzzTarget("yaml: configuration", _YAML, lambda data: load_documents(data, "a.yaml", CONFIG)),
    FuzzTarget("yaml: manifests", (*_YAML, *_MANIFESTS), lambda data: load_documents(data, "a.yaml", MANIFEST)),
    FuzzTarget("yaml: plain manifests, loaded", _MANIFESTS, _manifests),
    FuzzTarget("json: stream", (_YAML[2].decode(), '{"a":1}\n---\n{"b":[1.5,null]}{"c":"\\ud800"}'), lambda text: [
        (one.yaml, one.document(MANIFEST)) for one in split_json_stream(text)]),
    FuzzTarget("template", _TEMPLATES, _template, (TemplateProblem,)),
    FuzzTarget("kubeconfig", _KUBECONFIG, _kubeconfig),
    FuzzTarget("secrets: dotenv", _DOTENV, lambda text: parse_dotenv(text, "x")),
    *(FuzzTarget(f"secrets: file of {form}", seeds, _secret(form)) for form, seeds in (
        ("env", (b"A=1\n# c\nB='x'\n",)), ("dotenv", tuple(one.encode() for one in _DOTENV)),
        ("json", (json.dumps({"a": "b"}).encode(),)), ("yaml", (b"a: b\nc: \"d\"\n",)))),
    FuzzTarget("dockerfile", _DOCKERFILE, lambda text: images_of_dockerfile(text, {"BASE": "x:1"})),
    FuzzTarget("sandbox: canned answers", _CANNED, _canned),
    FuzzTarget("text: durations", _DURATIONS, _duration, (ValueError,)),
    FuzzTarget("text: quantities", _QUANTITIES, _quantity),
    FuzzTarget("text: cron and formats", (*_CRON, "10.0.0.1/8", "fe80::1%eth0", "2026-11-22T10:00:00Z", "a.b-c", "aGk="), _formats),
    FuzzTarget("text: RE2 patterns", _PATTERNS, _pattern),
    FuzzTarget("text: CEL rules", _RULES, _cel),
    FuzzTarget("text: field paths", _PATHS, _path, (ValueError,)),
    FuzzTarget("text: refs and commits", _REFS, _ref),
    FuzzTarget("text: URLs", _URLS, _url),
    FuzzTarget("text: images and digests", _IMAGES, _reference),
    FuzzTarget("text: addresses", _ADDRESSES, lambda text: str(Address.parse(text)), (ValueError,)),
    FuzzTarget("text: references to outputs", ("GitHead/source#commit", "D601/v03:ConfigMap/a/b#data.x"), parse_output_ref, (ValueError,)),
    FuzzTarget("text: what is shown", _TEXTS, _shown),
)  # fmt: skip
