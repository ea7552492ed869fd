"""What Argo CD writes on what it brings, and reads on it. Pure."""

from __future__ import annotations

from planner.address import Address

FIELD_MANAGER = "argocd-controller"
TRACKING = "argocd.argoproj.io/tracking-id"
HOOK = "argocd.argoproj.io/hook"


def argo_tracking_id(application: str, address: Address) -> str:
    """The value of the annotation by which an Application knows an object as its own."""
    return f"{application}:{address.group}/{address.kind}:{address.namespace}/{address.name}"
