"""From settings to endpoints: where each tool is, and how its secrets are read.

Not here: what is said there.
"""

from collections.abc import Mapping

from agent.config.schema_settings import Connection, Controller, Prometheus
from agent.config.secrets import read_secret
from agent.runtime.client import Endpoint
from agent.runtime.registry import Registry


def endpoint_of(connectors: Registry, item: Connection) -> Endpoint:
    """Where a tool of `connectors` is, and what it wants to be shown."""

    def credentials() -> Mapping[str, str]:
        secret = read_secret(item.secret, item.secret_file)
        return connectors.secret_headers(item.type, secret) if secret else {}

    return Endpoint(
        name=item.name,
        url=item.url,
        credentials=credentials,
        timeout=item.timeout,
        per_second=item.requests_per_second,
        ca_file=item.ca_file,
        proxy=item.proxy,
    )


def prometheus_endpoint(item: Prometheus) -> Endpoint:
    """Where PromQL is asked."""

    def credentials() -> Mapping[str, str]:
        headers = {name: value.get_secret_value() for name, value in item.headers.items()}
        token = read_secret(item.token, item.token_file)
        return {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}

    return Endpoint(name="prometheus", url=item.url, credentials=credentials, timeout=item.timeout)


def controller_endpoint(item: Controller) -> Endpoint:
    """Where job templates are launched."""

    def credentials() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {read_secret(item.token, item.token_file)}"}

    return Endpoint(
        name=item.type,
        url=item.url,
        credentials=credentials,
        timeout=item.timeout,
        ca_file=item.ca_file,
        concurrency=16,
    )
