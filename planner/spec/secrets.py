"""Secrets by reference: where values come from and which keys they become. No value stands in the configuration."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, StrictBool, StrictInt, model_validator

from planner.spec.base import EnvName, Flag, InnerPath, KeyName, Name, StrictModel, Text

Scalar: TypeAlias = StrictBool | StrictInt | Text


class FileSource(StrictModel):
    """A source of a secret: a file in the node's secrets folder."""

    path: InnerPath = Field(description="Path inside the secrets folder.")
    format: Literal["env", "dotenv", "yaml", "json", "raw"] = Field(
        "env",
        description="`env` (KEY=value lines, taken as they are but for one pair of quotes), `dotenv` (as a shell reads"
        " them: quotes over several lines, escapes, export, comments), `yaml` or `json` (a flat mapping), `raw` (the"
        " file is the value).",
    )
    key: KeyName | None = Field(None, description="Name of the one key, for `raw`.")

    @model_validator(mode="after")
    def _raw_has_key(self) -> Self:
        if (self.format == "raw") != (self.key is not None):
            raise ValueError("`key` belongs to format `raw`, and only to it")
        return self


class KubernetesSecretSource(StrictModel):
    """Another Secret of the same cluster, read when planning and again when applying."""

    namespace: Name = Field(description="Its namespace.")
    name: Text = Field(description="Its name.")


class GeneratedSecretSource(StrictModel):
    """A random value, made once at the first apply and retained afterwards."""

    length: Annotated[StrictInt, Field(ge=16, le=256)] = Field(32, description="Characters (letters, digits, - and _).")
    keys: tuple[KeyName, ...] = Field(min_length=1, description="Keys that are generated.")
    rotation: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = Field(
        1, description="Raise it to have new values made by the next apply. Nothing else makes them anew."
    )


class SecretOrigin(StrictModel):
    """One place to look for keys; exactly one of the four."""

    file: FileSource | None = Field(None, description="A file in the node's secrets folder.")
    env: tuple[EnvName, ...] | None = Field(None, description="Environment variables of the process that plans.")
    kubernetes: KubernetesSecretSource | None = Field(None, description="Another Secret.")
    generate: GeneratedSecretSource | None = Field(None, description="Random values.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(part is not None for part in (self.file, self.env, self.kubernetes, self.generate)) != 1:
            raise ValueError("a source is exactly one of file, env, kubernetes, generate")
        return self


class SecretRule(StrictModel):
    """A Secret in the configuration of a node or a lane, as its templates turn it into a `SecretSource`."""

    sources: tuple[SecretOrigin, ...] = Field(
        min_length=1, description="Where keys are looked for; the first that has one wins."
    )
    key_mapping: dict[KeyName, Text] = Field(min_length=1, description="Key in the Secret -> key in the sources.")
    namespace: Name | None = Field(None, description="Target namespace; the template's default when left out.")
    type: Text = Field("Opaque", description="Type of the Secret.")
    when: dict[Text, Scalar] = Field(
        default_factory=dict,
        description="Only where fields of the lane have these values: field path -> value.",
    )
    obsolete: Flag = Field(
        False,
        description="No longer wanted: the next apply deletes the Secret that hwplan made; one that it did not make is"
        " deleted when it is named (`hwplan secret delete --name NAME`).",
    )
