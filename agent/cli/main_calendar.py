"""Commands about calendars: what applies when, and the forward schedule of change."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import URL_DEFAULT, Json, Token, Url

app = typer.Typer(
    help="What calendars say: change windows, freezes, maintenance, business hours.",
    no_args_is_help=True,
)


@app.command()
def show(
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="UTC; default: now.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Default: 14 days later.")
    ] = None,
    entity: Annotated[
        str | None, typer.Option("--entity", metavar="REF", help="Only what concerns it.")
    ] = None,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Which windows apply when, in which zone they were written, by whom and why."""
    from agent.cli.calendar import show as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), since, until, entity, as_json=as_json))


@app.command()
def export(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: standard output.")
    ] = None,
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """The forward schedule of change as iCalendar: open changes, windows, freezes."""
    from agent.cli.calendar import export as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), out))
