"""The objects of the benchmark: mixed ones as in spec 06 (Deployment, Service, ConfigMap, Secret in equal parts)."""

from __future__ import annotations

import base64
from pathlib import Path

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n:05d}
  namespace: {ns}
  labels: {{app: app-{n:05d}, tier: "{tier}"}}
spec:
  replicas: 0
  selector:
    matchLabels: {{app: app-{n:05d}}}
  template:
    metadata:
      labels: {{app: app-{n:05d}}}
    spec:
      containers:
        - name: main
          image: registry.example/app:{n}
          ports:
            - containerPort: 8080
          env:
            - name: NUMBER
              value: "{n}"
            - name: CONFIG
              valueFrom:
                configMapKeyRef: {{name: config-{n:05d}, key: key}}
          resources:
            requests: {{cpu: 10m, memory: 16Mi}}
"""
_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: app-{n:05d}
  namespace: {ns}
spec:
  selector: {{app: app-{n:05d}}}
  ports:
    - name: http
      port: 80
      targetPort: 8080
"""
_CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: config-{n:05d}
  namespace: {ns}
data:
  key: value-{n}
  other: text-{n}
"""
_SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: secret-{n:05d}
  namespace: {ns}
type: Opaque
data:
  password: {password}
"""


def write(path: Path, count: int, namespace: str) -> None:
    """Write `count` objects (a multiple of 4) into one file."""
    documents = []
    for n in range(count // 4):
        password = base64.b64encode(f"bench-{n}".encode()).decode()
        for template in (_DEPLOYMENT, _SERVICE, _CONFIG, _SECRET):
            documents.append(template.format(n=n, ns=namespace, tier=n % 7, password=password))
    path.write_text("---\n".join(documents))
