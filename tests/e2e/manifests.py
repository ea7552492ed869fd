"""Small sets of manifests for the end-to-end tests."""

from __future__ import annotations

from pathlib import Path

PULL = """\
apiVersion: hwplan.dev/v1
kind: PullRequest
metadata: {{name: pr-1}}
spec:
  repo: pikasTech/HWLAB
  number: 1
  base: v0.3
  headSha: {head}
  git: {{remote: "ssh://git@ssh.github.com:443/pikasTech/HWLAB.git"}}
"""

APP = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {ns}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: {ns}}}
data:
  level: info
  run.sh: |
    echo one
    echo two
---
apiVersion: v1
kind: Secret
metadata: {{name: login, namespace: {ns}}}
stringData: {{password: hunter2-canary}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {ns}, annotations: {{hwplan.dev/wait: none}}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
        - name: main
          image: registry.example/web:1
          env:
            - name: PASSWORD
              valueFrom: {{secretKeyRef: {{name: login, key: password}}}}
          volumeMounts: [{{name: settings, mountPath: /settings}}]
      volumes:
        - name: settings
          configMap: {{name: settings}}
"""

# A workload in its namespace, for what acts on one; `image` is the tag of its image.
WORKLOAD = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {ns}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {ns}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: main, image: "registry.example/web:{image}"}}]}}
"""

WIDGETS = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {ns}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{ns}.example.com}}
spec:
  group: {ns}.example.com
  names: {{kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size: {{type: integer, minimum: 1}}
                colour: {{type: string, default: blue}}
---
apiVersion: {ns}.example.com/v1
kind: Widget
metadata: {{name: first, namespace: {ns}}}
spec: {{size: {size}}}
"""


def write(folder: Path, name: str, text: str) -> str:
    """Write a file; gives its name."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return name
