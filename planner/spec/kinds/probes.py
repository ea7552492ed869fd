"""Kinds that look: an HTTP probe and a Prometheus query. Neither changes anything."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StrictFloat, StrictInt, model_validator

from planner.spec.base import Count, Duration, Flag, HttpUrl, StrictModel, Text
from planner.spec.kinds.envelope import Deferred, FreeValue, KindModel


class HttpProbeExpectation(StrictModel):
    """What an HttpProbe expects of the answer: status, JSON values of the body, headers."""

    status: Annotated[StrictInt, Field(ge=100, le=599)] = Field(200, description="HTTP status.")
    json_: dict[Text, FreeValue] = Field(
        default_factory=dict, alias="json", description="Field path in the JSON body -> value."
    )
    header: dict[Text, Text] = Field(default_factory=dict, description="Header -> value.")


class HttpProbeSpec(StrictModel):
    """What is asked, what has to come back, and how long it may take."""

    url: HttpUrl = Field(description="URL; credentials, link-local and metadata addresses are refused.")
    expect: HttpProbeExpectation = Field(default_factory=HttpProbeExpectation, description="What the answer has to be.")
    provenance: dict[Text, Text | Deferred] = Field(
        default_factory=dict,
        description="Field path in the JSON body -> what proves which build answers, such as a commit.",
    )
    role: Literal["gate", "diagnostic"] = Field(
        description="`gate` decides and is allowed on the formal public URL only; `diagnostic` is evidence."
    )
    attempts: Annotated[StrictInt, Field(ge=1, le=100)] = Field(5, description="Tries at most.")
    within: Duration = Field("1m", description="Time for all tries.")
    read_at_plan: Flag = Field(False, description="Ask at plan time as well.")


class HttpProbe(KindModel):
    """Asks a URL until it answers as expected or time is up. Outputs: `status`, `latencyMs`, `body` (a digest)."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"status", "latencyMs", "body"})

    kind: Literal["HttpProbe"] = Field(description="HttpProbe.")
    spec: HttpProbeSpec = Field(description="The probe.")


class PrometheusExpectation(StrictModel):
    """What the result has to be; exactly one."""

    count: Count | None = Field(None, description="Number of series.")
    value: StrictInt | StrictFloat | None = Field(None, description="Value of the one series.")
    range: tuple[StrictInt | StrictFloat, StrictInt | StrictFloat] | None = Field(
        None, description="Lowest and highest value of each series."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(part is not None for part in (self.count, self.value, self.range)) != 1:
            raise ValueError("expect exactly one of count, value, range")
        return self


class PrometheusQuerySpec(StrictModel):
    """What a PrometheusQuery declares: the query and the result that is expected."""

    server: HttpUrl | None = Field(None, description="Base URL of Prometheus; the node's own when left out.")
    promql: Annotated[Text, Field(max_length=4096)] = Field(description="Instant query.")
    expect: PrometheusExpectation = Field(description="What the result has to be.")
    within: Duration = Field("1m", description="How long to ask again.")


class PrometheusQuery(KindModel):
    """Asks Prometheus until the result is as expected or time is up. Output: `value`."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"value"})

    kind: Literal["PrometheusQuery"] = Field(description="PrometheusQuery.")
    spec: PrometheusQuerySpec = Field(description="The query.")
