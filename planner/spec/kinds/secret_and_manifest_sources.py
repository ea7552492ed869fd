"""Kinds that become Kubernetes objects before planning: a Secret from its sources, and a manifest that others wrote."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from planner.spec.base import DottedName, Flag, GitUrl, HttpUrl, InnerPath, KeyName, Name, Sha256, StrictModel, Text
from planner.spec.images import ImageRewrite
from planner.spec.kinds.envelope import AnnotationKey, KindModel
from planner.spec.secrets import SecretOrigin


class SecretTarget(StrictModel):
    """The Secret that a SecretSource makes: namespace, name, labels, annotations."""

    namespace: Name = Field(description="Its namespace.")
    name: DottedName = Field(description="Its name.")
    labels: dict[AnnotationKey, str] = Field(default_factory=dict, description="Its labels.")
    annotations: dict[AnnotationKey, str] = Field(default_factory=dict, description="Its annotations.")


class SecretSourceSpec(StrictModel):
    """What a SecretSource declares: where values come from, and which keys of the Secret they become."""

    sources: tuple[SecretOrigin, ...] = Field(
        min_length=1, description="Looked through in order; the first that has a key wins."
    )
    key_mapping: dict[KeyName, Text] = Field(min_length=1, description="Key in the Secret -> key in the sources.")
    target: SecretTarget = Field(description="The Secret.")
    type: Text = Field("Opaque", description="Type of the Secret.")
    obsolete: Flag = Field(
        False,
        description="No longer wanted: one that hwplan made is deleted by the next apply, one that it did not make by"
        " `hwplan secret delete --name NAME`.",
    )


class SecretSource(KindModel):
    """A Secret whose values come from elsewhere. Plans show keyed fingerprints only. Output: `fingerprint`."""

    kind: Literal["SecretSource"] = Field(description="SecretSource.")
    spec: SecretSourceSpec = Field(description="Sources and target.")


class ManifestExpectations(StrictModel):
    """What a manifest has to hold; anything else is another manifest than the configuration means."""

    crds: tuple[Text, ...] = Field((), description="CustomResourceDefinitions, by name.")
    workloads: tuple[Text, ...] = Field((), description="Workloads: `deployment/argocd-repo-server`.")
    version: Text | None = Field(None, description="Tag that an image of these workloads has, with or without its v.")


class ManifestSourceSpec(StrictModel):
    """What a ManifestSource declares: which manifest, pinned how, changed in which places."""

    file: InnerPath | None = Field(None, description="Local file, relative to the configuration folder.")
    url: HttpUrl | None = Field(
        None, description="Where it is published. Without `file` it is fetched when planning, once for each digest."
    )
    git: GitUrl | None = Field(None, description="Repository it comes from; a `file` or `url` of it is needed to plan.")
    sha256: Sha256 = Field(description="Digest of the bytes.")
    images: tuple[ImageRewrite, ...] = Field((), description="Image repositories to replace. Digest pins are retained.")
    namespace: Name | None = Field(None, description="Namespace that namespaced objects are put into.")
    expect: ManifestExpectations | None = Field(None, description="What it has to hold.")

    @model_validator(mode="after")
    def _has_origin(self) -> Self:
        if self.file is None and self.url is None and self.git is None:
            raise ValueError("name a `file`, a `url` or a `git` repository")
        return self


class ManifestSource(KindModel):
    """A published manifest that becomes ordinary resources before planning."""

    kind: Literal["ManifestSource"] = Field(description="ManifestSource.")
    spec: ManifestSourceSpec = Field(description="The manifest.")
