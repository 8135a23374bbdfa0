"""`config.yaml`: where we listen, what we keep, whom we talk to. Nothing in it decides.

Every key has a default: no file at all is a complete configuration. Secrets are given in place or,
better, as a `_file` beside it; files are read again each time they are needed.
Not here: what decides (`schema_rules`, `schema_map`), which changes by reload.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    model_validator,
)

from agent.config.durations import Duration
from agent.config.schema import Name, Strict
from agent.config.settings_words import Address, FilePath, OriginName, Sha256, Url, at_most_one
from agent.model.people import SCOPE

MEBIBYTE = 1024 * 1024
ROLES = ("sender", "viewer", "operator", "approver", "sre", "admin")

Role = Literal["sender", "viewer", "operator", "approver", "sre", "admin"]


def _scope(text: str) -> str:
    if not SCOPE.match(text):
        raise ValueError(f'"{text}" is no scope; write system:NAME, owner:NAME or entity:NAME')
    return text


Scope = Annotated[str, AfterValidator(_scope)]


class Prometheus(Strict):
    """Where queries are asked: verification probes and watches."""

    url: Url = Field(description="Base URL of a server that speaks Prometheus' HTTP API.")
    timeout: Duration = Field(
        default=timedelta(seconds=10), description="How long one query may take."
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Sent with every request, such as `X-Scope-OrgID`."
    )
    token: SecretStr | None = Field(default=None, description="Bearer token.")
    token_file: FilePath | None = Field(default=None, description="File that holds the token.")

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        at_most_one(self, "token")
        return self


class Source(Strict):
    """A tool that posts alerts, or what was changed, to `/api/v1/webhooks/NAME`."""

    name: Name = Field(description="Last part of the path that the tool posts to.")
    type: str = Field(description="Name of the connector that reads its payloads.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="The connector's own keys; its page explains them."
    )
    token: SecretStr | None = Field(
        default=None, description="Bearer token that the tool must send."
    )
    token_file: FilePath | None = Field(default=None, description="File that holds the token.")
    secret: SecretStr | None = Field(
        default=None,
        description="Secret that the tool signs with, or sends, where it cannot send a token.",
    )
    secret_file: FilePath | None = Field(default=None, description="File that holds the secret.")

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        at_most_one(self, "token")
        at_most_one(self, "secret")
        return self


class Connection(Strict):
    """A tool that we talk to, such as a ticketing tool."""

    name: Name = Field(description="What rules call it.")
    type: str = Field(description="Name of the connector, such as `redmine`.")
    url: Url = Field(description="Base URL of the tool.")
    secret: SecretStr | None = Field(default=None, description="API key, token or password.")
    secret_file: FilePath | None = Field(default=None, description="File that holds the secret.")
    user: str | None = Field(default=None, description="User name, where the tool wants one.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="The connector's own keys; its page explains them."
    )
    timeout: Duration = Field(
        default=timedelta(seconds=15), description="How long one request may take."
    )
    poll_every: Duration = Field(
        default=timedelta(seconds=30), description="How often the tool is asked for changes."
    )
    requests_per_second: float = Field(
        default=5.0, gt=0, le=1000, description="We never ask faster than this."
    )
    ca_file: FilePath | None = Field(
        default=None, description="Certificates to trust beside the system's."
    )
    proxy: Url | None = Field(default=None, description="HTTP proxy on the way to the tool.")

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        at_most_one(self, "secret")
        return self


class Receiver(Strict):
    """A person, team or room that routes can name."""

    name: Name = Field(description="What routes call it.")
    apprise: list[SecretStr] = Field(
        default_factory=list, description="Apprise URLs, such as `mailto://...` or `slack://...`."
    )
    apprise_file: FilePath | None = Field(
        default=None, description="File with one Apprise URL a line."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        at_most_one(self, "apprise")
        if not self.apprise and self.apprise_file is None:
            raise ValueError("one of `apprise` and `apprise_file` must be set")
        return self


class Token(Strict):
    """Who may use the API and the console. The token itself is never kept, only its SHA-256."""

    name: Name = Field(description="The identity that changes and approvals are recorded under.")
    roles: list[Role] = Field(
        min_length=1,
        description="What it may do: sender; viewer < operator < approver, sre < admin.",
    )
    person: Name | None = Field(
        default=None,
        description="Whose token it is; default: `name`. Kept through second tokens and new names.",
    )
    scope: list[Scope] = Field(
        default_factory=list,
        description="For which part of the map its roles approve: `system:shop`, `owner:team-a`, "
        "`entity:web1`; none: all of it.",
    )
    service: bool = Field(default=False, description="A tool's token: it never approves.")
    token_file: FilePath | None = Field(default=None, description="File that holds the token.")
    sha256: Sha256 | None = Field(default=None, description="SHA-256 of the token, in hex.")

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if (self.token_file is None) == (self.sha256 is None):
            raise ValueError("exactly one of `token_file` and `sha256` must be set")
        return self


class Limits(Strict):
    """What we take at most. Past a limit the answer is a clear refusal, never a silent drop."""

    payload_bytes_max: int = Field(
        default=16 * MEBIBYTE, gt=0, description="Largest request body, after decompression."
    )
    alerts_per_request_max: int = Field(
        default=10_000, gt=0, description="Most alerts of one request."
    )
    labels_per_alert_max: int = Field(default=128, gt=0, description="Most labels of one alert.")
    characters_per_alert_max: int = Field(
        default=128 * 1024, gt=0, description="Most text of one alert, all names and values."
    )
    requests_at_once_max: int = Field(
        default=512, gt=0, description="Requests under way before we answer 503."
    )
    streams_at_once_max: int = Field(
        default=256, gt=0, description="Live pages and followed outputs at the same time."
    )


class Retention(Strict):
    """How long closed things are kept."""

    incidents: Duration = Field(
        default=timedelta(days=730),
        description="Alerts, incidents, changes and health that are over.",
    )
    run_output: Duration = Field(default=timedelta(days=30), description="Lines that runs printed.")
    journal: Duration = Field(default=timedelta(days=90), description="Entries, for replay.")
    audit: Duration = Field(
        default=timedelta(weeks=366),
        description="Events of the audit log; their hashes are kept for ever.",
    )


class AuditWebhook(Strict):
    """A place outside that takes checkpoints of the audit log by POST."""

    url: Url = Field(description="Where checkpoints are posted, as text.")
    token: SecretStr | None = Field(default=None, description="Bearer token.")
    token_file: FilePath | None = Field(default=None, description="File that holds the token.")
    timeout: Duration = Field(
        default=timedelta(seconds=15), description="How long one request may take."
    )
    ca_file: FilePath | None = Field(
        default=None, description="Certificates to trust beside the system's."
    )
    proxy: Url | None = Field(default=None, description="HTTP proxy on the way there.")

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        at_most_one(self, "token")
        return self


class Audit(Strict):
    """Signed checkpoints of the audit log, and who keeps them outside of the agent."""

    key_file: FilePath | None = Field(
        default=None,
        description="Ed25519 key that signs (PEM). Default: `audit.key` in the data folder, made "
        "at the first start.",
    )
    origin: OriginName | None = Field(
        default=None, description="Name of the log in its checkpoints. Default: after its key."
    )
    every: Duration = Field(
        default=timedelta(minutes=1),
        description="How soon a new event is under a checkpoint.",
    )
    events: int = Field(
        default=1_000, gt=0, description="So many new events are signed before that time."
    )
    file: FilePath | None = Field(
        default=None,
        description="File outside of the data folder to which checkpoints are appended.",
    )
    webhook: AuditWebhook | None = Field(
        default=None, description="A place outside that takes them by POST."
    )
    receivers: list[Name] = Field(
        default_factory=list, description="Receivers that are told the newest checkpoint."
    )
    receivers_every: Duration = Field(
        default=timedelta(days=1), description="How often they are told."
    )


class Ansible(Strict):
    """How playbooks are run."""

    concurrency: int = Field(default=4, ge=1, le=64, description="Runs at the same time.")
    known_hosts: FilePath | None = Field(
        default=None, description="Host keys that SSH trusts; default: the user's own file."
    )
    private_key_file: FilePath | None = Field(
        default=None, description="SSH key for hosts that name none of their own."
    )


class Calendars(Strict):
    """Where subscribed calendars may come from."""

    allowed_hosts: list[str] = Field(
        default_factory=list,
        description="Host names that rules may fetch calendars from; others are refused.",
    )


class Controller(Strict):
    """An AWX or Automation Controller that plays in place of the Ansible beside us."""

    type: Literal["awx"] = Field(description="What it is.")
    url: Url = Field(description="Its base URL, without `/api`.")
    token: SecretStr | None = Field(default=None, description="OAuth2 token of an own user.")
    token_file: FilePath | None = Field(default=None, description="File that holds the token.")
    timeout: Duration = Field(
        default=timedelta(seconds=10), description="How long one request may take."
    )
    ca_file: FilePath | None = Field(
        default=None, description="Certificates to trust beside the system's."
    )

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        at_most_one(self, "token")
        if not self.token and self.token_file is None:
            raise ValueError("one of `token` and `token_file` must be set")
        return self


class Settings(Strict):
    """Everything config.yaml says."""

    listen: Address = Field(
        default="127.0.0.1:8060",
        description="Where the API and the console listen. Off loopback, tokens are required.",
    )
    external_url: Url | None = Field(
        default=None,
        description="Where people reach the console; tickets and messages then link to it.",
    )
    data: FilePath = Field(
        default=Path("~/.local/state/watchkeeper"),
        validate_default=True,
        description="Folder of the journal, the history and the runs.",
    )
    rules: FilePath | None = Field(
        default=None,
        description="Folder of everything that decides. Default: `rules/` beside config.yaml, "
        "where it exists.",
    )
    remediations: FilePath | None = Field(
        default=None,
        description="Folder of registered playbooks. Default: `remediations/` beside config.yaml, "
        "where it exists.",
    )
    prometheus: Prometheus | None = Field(
        default=None, description="Where PromQL is asked. Without it, nothing asks."
    )
    sources: list[Source] = Field(
        default_factory=list, description="Tools that post alerts in a format of their own."
    )
    connectors: list[Connection] = Field(default_factory=list, description="Tools we talk to.")
    receivers: list[Receiver] = Field(default_factory=list, description="Whom routes can tell.")
    tokens: list[Token] = Field(default_factory=list, description="Who may use API and console.")
    limits: Limits = Field(default_factory=Limits, description="What we take at most.")
    retention: Retention = Field(
        default_factory=Retention, description="How long closed things are kept."
    )
    calendars: Calendars = Field(
        default_factory=Calendars, description="Where subscribed calendars may come from."
    )
    audit: Audit = Field(
        default_factory=Audit, description="Who keeps checkpoints of the audit log outside."
    )
    ansible: Ansible = Field(default_factory=Ansible, description="How playbooks are run.")
    executor: Controller | None = Field(
        default=None,
        description="Who plays remediations. Without it, the Ansible that is installed beside us.",
    )

    @model_validator(mode="after")
    def _known_receivers(self) -> Self:
        known = {receiver.name for receiver in self.receivers}
        for name in self.audit.receivers:
            if name not in known:
                raise ValueError(f'audit.receivers: receiver "{name}" is not defined')
        return self
