"""What every connector says of itself: who keeps it, what was tried, how good it is.

Not here: finding manifests and what they name (`runtime.registry`).
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Kind(StrEnum):
    """What a connector does."""

    SOURCE = "source"
    TICKETING = "ticketing"
    METRICS = "metrics"
    TOPOLOGY = "topology"
    CATALOGUE = "catalogue"
    CHANGES = "changes"


class Rule(StrEnum):
    """What a good connector does; the first eight are the price of entry."""

    NO_UNKNOWN_KEYS = "no_unknown_keys"
    PAYLOAD_PER_STATUS = "payload_per_status"
    STABLE_IDENTITY = "stable_identity"
    RESOLVE_MATCHES_FIRE = "resolve_matches_fire"
    UNKNOWN_STAYS_UNKNOWN = "unknown_stays_unknown"
    MALFORMED_HAS_PLACE = "malformed_has_place"
    DOCS_PAGE = "docs_page"
    SECRETS_HIDDEN = "secrets_hidden"
    CONTRACT_TEST = "contract_test"
    LOST_ANSWER = "lost_answer"
    PERMISSIONS_AND_REMOVAL = "permissions_and_removal"
    TWO_VERSIONS = "two_versions"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Exempt(_Strict):
    """A rule that does not hold, and why that is right."""

    exempt: str = Field(min_length=10)


class Face(_Strict):
    """One class of a connector, under the name that config.yaml uses."""

    name: str = Field(pattern="^[a-z][a-z0-9_]*$")
    kind: Kind
    class_name: str = Field(alias="class")


class Tried(_Strict):
    """A version of the tool that it worked with."""

    version: str
    day: date
    how: str


class Secret(_Strict):
    """How the tool wants to be shown the secret."""

    header: str
    prefix: str = ""


class Signature(_Strict):
    """How a tool that posts to us shows that it knows the secret."""

    header: str
    form: Literal["hmac_sha256", "secret"]
    """`hmac_sha256`: over the body, in hex; `secret`: the secret itself."""
    prefix: str = ""


class Size(_Strict):
    """More code than a translator should need, and why."""

    lines_max: int
    why: str = Field(min_length=20)


class Manifest(_Strict):
    """One connector."""

    name: str
    title: str
    faces: tuple[Face, ...] = Field(min_length=1)
    documentation: str
    maintainer: str
    permissions: tuple[str, ...]
    """What our user may do at the tool, and nothing else."""
    tried: tuple[Tried, ...] = Field(min_length=1)
    secret: Secret | None = None
    signature: Signature | None = None
    size: Size | None = None
    quality: dict[Rule, Annotated[Literal["done"] | Exempt, Field()]]

    @model_validator(mode="after")
    def _speaks_of_every_rule(self) -> "Manifest":
        missing = sorted(set(Rule) - set(self.quality))
        if missing:
            raise ValueError(f"quality says nothing of {', '.join(missing)}")
        return self
