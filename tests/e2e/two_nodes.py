"""A configuration of two nodes with lanes that are small: for what is about many lanes, and not about one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

CONFIG = """\
apiVersion: hwplan.dev/v1
kind: Product
spec:
  name: {product}
  version: "1"
  templates: shop
  scopes:
    - {name: app, per: lane, description: "All of a lane."}
---
apiVersion: hwplan.dev/v1
kind: Nodes
defaults:
  secretsDir: {folder}/secrets
nodes:
  east: {{kubeContext: east}}
  west: {{kubeContext: west}}
---
apiVersion: hwplan.dev/v1
kind: Lanes
product: {product}
lanes:
  blue:
    namespaces:
      runtime: {{name: {prefix}-blue}}
    values: {{level: info}}
    secrets:
      login:
        sources:
          - file: {{path: blue.env}}
        keyMapping: {{password: PASSWORD}}
  green:
    namespaces:
      runtime: {{name: {prefix}-green}}
    values: {{level: {level}}}
nodes:
  east: {{blue: , green: }}
  west: {{blue: , green: }}
"""
TEMPLATE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: {{ lane.namespaces.runtime.name }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: {{ lane.namespaces.runtime.name }}
data:
  level: {{ values.level | quote }}
{% for name, rule in lane.secrets.items() %}
---
apiVersion: hwplan.dev/v1
kind: SecretSource
metadata:
  name: {{ name }}
spec:
  sources: {{ rule.sources | json }}
  keyMapping: {{ rule.keyMapping | json }}
  target: {namespace: {{ lane.namespaces.runtime.name }}, name: {{ name }}}
{% endfor %}
"""
SCHEMA = """\
apiVersion: hwplan.dev/v1
kind: ProductSchema
"""


def write(folder: Path, prefix: str, *, password: str, level: str = "debug", product: str = "shop") -> Path:
    """The configuration below `folder`; its path. Lane blue has a secret, `level` is what lane green says in clear.
    Tests that apply have a `product` of their own: its name is in the owned sets."""
    config, templates = folder / "config", folder / "templates" / "shop"
    for one in (config, templates / "app", folder / "secrets"):
        one.mkdir(parents=True)
    text = CONFIG.replace("{folder}", json.dumps(str(folder))[1:-1])
    words = {"{prefix}": prefix, "{product}": product, "{level}": json.dumps(level), "{{": "{", "}}": "}"}
    for word, value in words.items():
        text = text.replace(word, value)
    (config / "shop.yaml").write_text(text)
    (templates / "app" / "10-app.yaml.j2").write_text(TEMPLATE)
    (templates / "schema.yaml").write_text(SCHEMA)
    secret = folder / "secrets" / "blue.env"
    secret.write_text(f"PASSWORD={password}\n")
    secret.chmod(0o600)
    return config


def write_kubeconfig(path: Path, contexts: Mapping[str, Path]) -> Path:
    """One kubeconfig with a context of each name, from kubeconfigs of one cluster each."""
    import yaml

    whole: dict[str, object] = {"apiVersion": "v1", "kind": "Config"}
    clusters, users, named = [], [], []
    for name, file in contexts.items():
        found = yaml.safe_load(file.read_text())
        clusters.append({**found["clusters"][0], "name": name})
        users.append({**found["users"][0], "name": name})
        named.append({"name": name, "context": {"cluster": name, "user": name}})
    path.write_text(json.dumps({**whole, "clusters": clusters, "users": users, "contexts": named}))
    path.chmod(0o600)
    return path
