"""Commands about what lies behind incidents: changes of others, problems, reviews."""

from typing import Annotated

import typer

URL_DEFAULT = "http://127.0.0.1:8060"
Json = Annotated[bool, typer.Option("--json", help="For scripts.")]
Url = Annotated[
    str, typer.Option("--url", envvar="WATCHKEEPER_URL", help="Where the agent listens.")
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="WATCHKEEPER_TOKEN",
        help="API token; needed for everything that changes things.",
        show_default=False,
    ),
]

app = typer.Typer()


@app.command()
def reported(
    identifier: Annotated[str | None, typer.Argument(help="REP-7; default: the last ones.")] = None,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Changes that others made, as their tools told us, or one of them."""
    from agent.cli.remote import Remote
    from agent.cli.reported import reported as run

    raise typer.Exit(run(Remote(url, token), identifier, as_json=as_json))
