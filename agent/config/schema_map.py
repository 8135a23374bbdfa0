"""The service map as Backstage descriptors, and our annotations on them.

Unknown keys of a foreign descriptor are tolerated: Backstage has many, plug-ins add more. Unknown
annotations under `watchkeeper.io/` are not: they would be typing errors of ours to ignore.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

BACKSTAGE_VERSIONS = ("backstage.io/v1alpha1", "backstage.io/v1beta1")
BACKSTAGE_KINDS = ("Domain", "System", "Component", "Resource", "API", "Group", "User")
ANNOTATION_PREFIX = "watchkeeper.io/"

ANNOTATIONS: dict[str, str] = {
    "watchkeeper.io/tier": "`1` (the business cannot be without it) to `5`.",
    "watchkeeper.io/match": (
        'Which alerts belong here: `host="app1",service="nginx"`; several lines are alternatives.'
    ),
    "watchkeeper.io/metrics": (
        'Labels of its series, for the placeholders of `Signals`: `workload="checkout"`.'
    ),
    "watchkeeper.io/redundancy-group": "Entities with the same word stand in for each other.",
    "watchkeeper.io/ssh-host": "`user@address:port`; user `root` and port `22` may be left out.",
    "watchkeeper.io/ssh-key-file": "Private key for that host; relative to the file of the map.",
    "watchkeeper.io/python": "Python on that host; default `/usr/bin/python3`.",
    "watchkeeper.io/connection": "`local`: the machine the agent runs on, without SSH.",
    "watchkeeper.io/runs-on": "The host it runs on: a reference, kind `resource` where left out.",
    "watchkeeper.io/objective": "Promised availability in percent a month, such as `99.9`.",
    "watchkeeper.io/objective-window": (
        "Over which time its error budget is reckoned, such as `28d`; that is the default."
    ),
    "watchkeeper.io/min-up": (
        "So many members of its redundancy group must stay healthy; the most that one says counts."
    ),
    "watchkeeper.io/supplier": "Who supplies it: a reference, kind `group` where left out.",
    "watchkeeper.io/cost-per-hour": "What an hour of downtime costs.",
    "watchkeeper.io/discovered-by": "Written by `watchkeeper map discover`: the source.",
    "watchkeeper.io/gone": (
        "Written by `watchkeeper map discover`: what is not seen any more, and since which day."
    ),
}


class Foreign(BaseModel):
    """A part of a Backstage descriptor: what we read is strict, the rest is not ours."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, alias_generator=to_camel)


class DescriptorMetadata(Foreign):
    """Who the entity is."""

    name: str = Field(description="Its name, unique within kind and namespace.")
    namespace: str = Field(default="default", description="Its namespace.")
    title: str = Field(default="", description="What people call it.")
    description: str = Field(default="", description="One or two sentences for people.")
    annotations: dict[str, str] = Field(
        default_factory=dict, description="Ours start with `watchkeeper.io/`; values are text."
    )


class DescriptorSpec(Foreign):
    """What the entity is and what it rests on."""

    type: str = Field(default="", description="Such as service, database, host, supplier.")
    lifecycle: str = Field(default="", description="Such as production or experimental.")
    owner: str | None = Field(default=None, description="Group or user that answers for it.")
    system: str | None = Field(default=None, description="System that it is part of.")
    domain: str | None = Field(default=None, description="Domain that a system is part of.")
    subcomponent_of: str | None = Field(default=None, description="Component it is part of.")
    subdomain_of: str | None = Field(default=None, description="Domain it is part of.")
    depends_on: list[str] = Field(default_factory=list, description="What it rests on.")
    dependency_of: list[str] = Field(default_factory=list, description="What rests on it.")
    provides_apis: list[str] = Field(default_factory=list, description="APIs it provides.")
    consumes_apis: list[str] = Field(default_factory=list, description="APIs it rests on.")


class Descriptor(Foreign):
    """One entity."""

    api_version: Literal["backstage.io/v1alpha1", "backstage.io/v1beta1"] = Field(
        description="Backstage's version of the format."
    )
    kind: Literal["Domain", "System", "Component", "Resource", "API", "Group", "User"] = Field(
        description="What it is."
    )
    metadata: DescriptorMetadata
    spec: DescriptorSpec = Field(default_factory=DescriptorSpec)
