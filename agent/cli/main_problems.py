"""Commands about what lies behind incidents: changes of others, problems, reviews."""

from typing import Annotated

import typer

from agent.cli.options import URL_DEFAULT, Json, Token, Url

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
